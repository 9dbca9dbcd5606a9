package host

import (
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Program is what a parent knows of the program: how its errors are decoded and named, and how
// children share objects. Parent and child are the same build: see child.Program.
type Program interface {
	// DecodeError reads an error that the child has encoded.
	DecodeError(r *codec.Reader) error
	// TimedOut is the error of a task that returned one when its time was over.
	TimedOut(after time.Duration) error
	// Died is the error of a task whose worker died.
	Died(pid int, e spawn.Exit) error
	// OutputLost is the error for n bytes of a stream, 1 or 2, that were lost, OutputLate
	// that for outcomes that did not wait any longer for output.
	OutputLost(stream int, n int64, why error) error
	OutputLate(waited time.Duration) error
	// Share is called for each child, before it is started.
	Share() (Sharer, error)
}

// Sharer is how a child comes to share objects with other processes.
type Sharer interface {
	// Table is a descriptor that the child inherits; nil: processes share nothing here.
	Table() *os.File
	// Key is what the child is known by.
	Key() uint64
	// Request is a request that the child has sent, or passed on.
	Request(pid int, q proctable.Request)
	// MarkDead is called as soon as the child is known to be dead, and before
	// anybody is told so. It may have died before it did anything.
	MarkDead(pid int)
}
