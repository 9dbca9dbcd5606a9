package pool

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/gomultiprocessing/mp/internal/task"
)

// callbacks runs functions one after another on a goroutine that exists only
// while there are some.
type callbacks struct {
	mu      sync.Mutex
	queue   []func()
	running bool
	idle    chan struct{} // closed when the queue has been empty; nil: nothing waits for that
	errs    []error
}

// Callback runs f after the callbacks before it. A panic of f is kept for Join.
func (s *Scheduler) Callback(f func()) { s.callbacks.add(f) }

func (c *callbacks) add(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, f)
	if !c.running {
		c.running = true
		go c.run()
	}
}

func (c *callbacks) run() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.running, c.queue = false, nil
			if c.idle != nil {
				close(c.idle)
				c.idle = nil
			}
			c.mu.Unlock()
			return
		}
		f := c.queue[0]
		c.queue[0] = nil
		c.queue = c.queue[1:]
		c.mu.Unlock()
		c.call(f, c.run)
	}
}

// maxErrs is how many failures of callbacks are kept for Join.
const maxErrs = 16

// call runs f. A panic of f is kept; after runtime.Goexit, which ends this
// goroutine, resume goes on with the rest.
func (c *callbacks) call(f, resume func()) {
	returned := false
	defer func() {
		if !returned {
			c.keep(errors.New("mp: a callback called runtime.Goexit"))
			go resume()
		}
	}()
	err := try(f)
	returned = true
	if err != nil {
		c.keep(err)
	}
}

// try runs f and returns its panic as an error. After a panic of nil recover returns nil, as it does after
// runtime.Goexit; but after that try does not return.
func try(f func()) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = fmt.Errorf("mp: a callback panicked: %s\n%s", task.Text(recover()), debug.Stack())
		}
	}()
	f()
	returned = true
	return nil
}

// keep keeps a failure for Join.
func (c *callbacks) keep(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) < maxErrs {
		c.errs = append(c.errs, err)
	}
}

// quiet returns a channel that is closed as soon as no callback waits or runs.
func (c *callbacks) quiet() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	if !c.running {
		close(c.idle)
		c.idle = nil
	}
	return idle
}

func (c *callbacks) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.errs...)
}
