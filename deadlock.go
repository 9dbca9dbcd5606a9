package mp

import (
	"fmt"
	"strings"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// DeadlockError is why a wait for a lock that ended with its ctx could not succeed:
// processes waited for each other's locks in a circle. It is what was seen at that
// moment: another goroutine of one of the processes may have been about to release.
type DeadlockError struct {
	// Circle begins with the process that reports. Each waits for a lock that the next one
	// has, and the last for one that the first has.
	Circle []DeadlockWait
	Err    error // of the ctx
}

// DeadlockWait is a process that waits for a lock.
type DeadlockWait struct {
	PID     int
	Process string // its name, see ProcessConfig
	Lock    uint64 // the number of the lock that it waits for: those that the main process made are counted from 1
}

func init() { RegisterErrorType[*DeadlockError]("mp.DeadlockError") }

// Error lists the circle.
func (e *DeadlockError) Error() string {
	var b strings.Builder
	b.WriteString("mp: deadlock: ")
	for i, w := range e.Circle {
		next := e.Circle[(i+1)%len(e.Circle)]
		if i == 0 {
			fmt.Fprintf(&b, "%s (pid %d)", w.Process, w.PID)
		}
		fmt.Fprintf(&b, " waits for lock %d of %s (pid %d)", w.Lock, next.Process, next.PID)
		if i < len(e.Circle)-1 {
			b.WriteString(", which")
		}
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the error of the ctx.
func (e *DeadlockError) Unwrap() error { return e.Err }

func init() { carrier.NewDeadlockError = newDeadlockError }

func newDeadlockError(circle []carrier.Waiting, err error) error {
	d := &DeadlockError{Err: err}
	for _, w := range circle {
		d.Circle = append(d.Circle, DeadlockWait{PID: w.PID, Process: w.Name, Lock: w.Lock})
	}
	return d
}
