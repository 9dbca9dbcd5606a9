package talk

import (
	"os"
	"sync"

	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// Descriptors go over the socket along with frames: see wire.WriteFrame. Inputs that have some
// are sent one by one, so that the worker takes those of an item when it begins it, and closes
// those of items that it never begins. Outcomes that have some never go through the ring.

// Attached are the descriptors of an outcome, as pool.Outcome has them.
type Attached []*os.File

// Drop implements pool.Attached.
func (a Attached) Drop() { wire.CloseFiles(a) }

// family adds the descriptor that every child gets.
func family(spec *spawn.Spec, p Program) (has bool, err error) {
	f, err := p.Family()
	if err != nil || f == nil {
		return false, err
	}
	spec.Files = append([]*os.File{f}, spec.Files...)
	return true, nil
}

// burial tells the program once that a child is dead.
type burial struct {
	once    sync.Once
	program Program
	proc    *spawn.Process
}

// now returns when the program has been told.
func (b *burial) now() { b.once.Do(func() { b.program.Buried(b.proc.PID()) }) }
