package inproc

import (
	"fmt"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// What is in memory of this process cannot travel to another one. There is nothing to let go of, and
// nothing that could be lost.

// processLocal is what the carriers of this package have in common.
type processLocal struct{}

// Err implements carrier.Object.
func (processLocal) Err() error { return nil }

// Close implements carrier.Object.
func (processLocal) Close() error { return nil }

func errProcessLocal(what string) error {
	return fmt.Errorf("a %s of package thread belongs to its process: use mp.New%s", what, what)
}

// Share implements carrier.Object.
func (*Lock) Share(*codec.Buffer) error { return errProcessLocal("Lock") }

// RLock is a Lock with its own error when it is to travel.
type RLock struct{ Lock }

// NewRLock makes an RLock.
func NewRLock() *RLock { return new(RLock) }

// Share implements carrier.Object.
func (*RLock) Share(*codec.Buffer) error { return errProcessLocal("RLock") }

// Share implements carrier.Object.
func (*Condition) Share(*codec.Buffer) error { return errProcessLocal("Condition") }

// Share implements carrier.Object.
func (*Semaphore) Share(*codec.Buffer) error { return errProcessLocal("Semaphore") }

// Share implements carrier.Object.
func (*Event) Share(*codec.Buffer) error { return errProcessLocal("Event") }

// Share implements carrier.Object.
func (*Barrier) Share(*codec.Buffer) error { return errProcessLocal("Barrier") }

// Share implements carrier.Object.
func (*Queue[T]) Share(*codec.Buffer) error { return errProcessLocal("Queue") }

// Share implements carrier.Object.
func (*Value) Share(*codec.Buffer) error { return errProcessLocal("Value") }

// Share implements carrier.Object.
func (*Counter) Share(*codec.Buffer) error { return errProcessLocal("Counter") }

// Share implements carrier.Object.
func (*Array[T]) Share(*codec.Buffer) error { return errProcessLocal("Array") }

// Share implements carrier.Object.
func (*End[T]) Share(*codec.Buffer) error { return errProcessLocal("Pipe") }
