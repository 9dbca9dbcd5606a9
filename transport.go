package mp

import (
	"context"
	"errors"

	"github.com/gomultiprocessing/mp/internal/task"
)

// transport is how a pool's workers are reached, as the calls of the pool see it. How the scheduler sees it
// is the contract of internal/pool: a Worker and its capabilities.
type transport interface {
	// workers is what they are called in texts.
	workers() string
	// refuses says why such workers can never call a function, whatever its input; nil: they can.
	refuses(f callee) error
	// captures says why what a task prints cannot be captured; nil: it can.
	captures() error
	// prepare has a call hold its inputs as the workers get them. It is called once, before the call is
	// submitted; retried says that a task may be begun again. An error is the input's.
	prepare(ctx context.Context, c call, retried bool) error
}

// callee is a Func as a transport sees it.
type callee interface {
	known() error    // why no other process can call it
	hopeless() error // why its input or output can never travel
}

// call is a call that is about to be submitted, as a transport sees it. It chooses one of the two.
type call interface {
	// byBytes has the inputs travel encoded.
	byBytes() error
	// byValue has goroutines of this process make the calls, with the values of the caller's ctx; nil:
	// there are none. copies is nil where they get the very inputs.
	byValue(values context.Context, copies *copying, retried bool)
}

// encoded is the transport of workers that are other processes of this program, here or elsewhere.
type encoded struct {
	name string // what the workers are called
}

func (t encoded) workers() string { return t.name }

func (encoded) refuses(f callee) error {
	if err := f.known(); err != nil {
		return err
	}
	return f.hopeless()
}

func (encoded) captures() error { return nil }

func (encoded) prepare(_ context.Context, c call, _ bool) error { return c.byBytes() }

// goroutines is the transport of workers that are goroutines of this process.
type goroutines struct {
	copies *copying // nil: nothing is copied
}

func (goroutines) workers() string { return "goroutines" }

func (t goroutines) refuses(f callee) error {
	if t.copies != nil {
		return f.hopeless()
	}
	return nil
}

var errCapture = errors.New("mp: Capture: goroutines write to the output of their process, which cannot be told apart: use a pool of processes")

func (goroutines) captures() error { return errCapture }

func (t goroutines) prepare(ctx context.Context, c call, retried bool) error {
	c.byValue(task.ValuesOf(ctx), t.copies, retried)
	return nil
}
