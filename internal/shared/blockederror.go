package shared

import (
	"fmt"
	"strings"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// BlockedError is why a wait for something that is held ended with its ctx.
type BlockedError struct {
	What   string
	Object uint64
	Holder proctable.ID
	PID    int
	Name   string       // of the process that holds it
	Cycle  []waitq.Edge // of processes that wait for each other, if there is one
	Err    error        // of the ctx
}

// Error names the holder, and the circle.
func (e *BlockedError) Error() string {
	if len(e.Cycle) > 0 {
		return fmt.Sprintf("mp: deadlock: %s: %v", e.Path(), e.Err)
	}
	if e.Holder == proctable.Me() {
		return fmt.Sprintf("mp: %s %d is held by this process itself, %s (pid %d): %v", e.What, e.Object, e.Name, e.PID, e.Err)
	}
	return fmt.Sprintf("mp: %s %d is held by %s (pid %d): %v", e.What, e.Object, e.Name, e.PID, e.Err)
}

// Path describes the cycle.
func (e *BlockedError) Path() string {
	var b strings.Builder
	for i, w := range e.Cycle {
		if i > 0 {
			b.WriteString(", which ")
		} else {
			pid, name, _ := proctable.Describe(w.Waiter)
			fmt.Fprintf(&b, "%s (pid %d) ", name, pid)
		}
		pid, name, _ := proctable.Describe(w.Holder)
		fmt.Fprintf(&b, "waits for lock %d, held by %s (pid %d)", w.Object, name, pid)
	}
	return b.String()
}

// carrierCycle is the cycle as all carriers have it.
func (e *BlockedError) carrierCycle() (circle []carrier.Waiting) {
	for _, w := range e.Cycle {
		pid, name, _ := proctable.Describe(w.Waiter)
		circle = append(circle, carrier.Waiting{PID: pid, Name: name, Lock: w.Object})
	}
	return circle
}

// Unwrap returns the error of the ctx.
func (e *BlockedError) Unwrap() error { return e.Err }

// blockedError is the error of a wait that ended with its ctx: it names the holder of the lock.
func (l *Lock) blockedError(err error) error {
	id := l.holder()
	if id == 0 {
		return err
	}
	pid, name, known := proctable.Describe(id)
	if !known {
		return err
	}
	blocked := &BlockedError{
		What: "lock", Object: l.Number(), Holder: id, PID: pid, Name: name,
		Cycle: l.object.Cycle(id), Err: err,
	}
	if len(blocked.Cycle) > 0 && carrier.NewDeadlockError != nil {
		return carrier.NewDeadlockError(blocked.carrierCycle(), err)
	}
	return blocked
}
