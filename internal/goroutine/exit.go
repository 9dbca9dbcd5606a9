package goroutine

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// close is the end of a worker that was asked to end: the ctx of Init ends, and Exit is called.
func (w *worker) close() {
	if !w.host || w.crew.Exit == nil {
		w.leave(pool.Death{})
		return
	}
	w.endLife(nil)
	w.leave(pool.Death{Exit: w.exit()})
}

// leaving is how long after its grace an Exit that does not heed its ctx is waited for.
const leaving = 50 * time.Millisecond

// exit calls the pool's Exit on a goroutine of its own, which may not come back: then it is stuck.
func (w *worker) exit() error {
	c := w.crew
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), task.PlaceKey{}, w), c.ExitGrace)
	defer cancel()
	done := make(chan error, 1)
	var over atomic.Bool // for whichever of the two comes first
	go func() {
		err := c.program.Exited() // unless it returns
		defer func() {
			if !over.CompareAndSwap(false, true) {
				c.stuck.Add(-1)
			}
			done <- err
		}()
		err = c.called(func() error { return c.Exit(ctx) })
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(leaving):
	}
	c.stuck.Add(1)
	if over.CompareAndSwap(false, true) {
		return errors.New("mp: it did not return within " + c.ExitGrace.String() + ", PoolConfig.Grace, and was left alone")
	}
	c.stuck.Add(-1)
	return <-done
}
