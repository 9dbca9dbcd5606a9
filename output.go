package mp

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Prefix returns a writer for the Stdout or the Stderr of a PoolConfig or a ProcessConfig
// that gets a label before each line: of a pool's worker its pool, its number and the task
// that runs or ran last, as in
//
//	[Pool-1/2 square#17] a line that the 18th task printed
//
// and of a process of Start or Call its name. A nil w is what a nil Stdout or Stderr is: os.Stdout or
// os.Stderr. What the program itself writes to the writer goes to w as it is.
//
// Where the labels are to name tasks each task costs some microseconds more, since the
// worker says in its output where it begins.
func Prefix(w io.Writer) io.Writer {
	if l, ok := w.(spawn.Labelled); ok {
		return l
	}
	return spawn.Labelled{W: w}
}

// orDefault is the writer that a nil one, or the Prefix of one, stands for.
func orDefault(w io.Writer, def *os.File) io.Writer {
	switch l, ok := w.(spawn.Labelled); {
	case w == nil:
		return def
	case ok && l.W == nil:
		return spawn.Labelled{W: def}
	}
	return w
}

// OutputError says that a part of what a process printed is lost, since its Stdout or
// Stderr did not take it. What is printed later is tried again.
type OutputError struct {
	Stream string // "stdout" or "stderr"; where both lead to one place "stdout" stands for both
	Lost   int64  // bytes
	Err    error  // of the last Write that failed
}

// Error implements error.
func (e *OutputError) Error() string {
	return fmt.Sprintf("mp: %d bytes of %s are lost: %v", e.Lost, e.Stream, e.Err)
}

// Unwrap returns Err.
func (e *OutputError) Unwrap() error { return e.Err }

func outputLost(stream int, n int64, why error) *OutputError {
	name := "stdout"
	if stream == 2 {
		name = "stderr"
	}
	return &OutputError{Stream: name, Lost: n, Err: why}
}

func outputLate(waited time.Duration) error {
	return fmt.Errorf("mp: an outcome was delivered before what its task had printed: the writer took more than %v", waited)
}
