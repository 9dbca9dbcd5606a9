package child

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/task"
)

// once calls a function once, on this goroutine or, because a call may end its
// goroutine, on one of its own.
func (s *server) once(ctx context.Context, name string, input *codec.Reader) (calls Calls, panicked bool, err error) {
	h, err := s.program.Lookup(name)
	if err != nil {
		return nil, false, err
	}
	calls, err = h.Open(input, 1)
	input.CloseAttached()
	if err != nil {
		return nil, false, err
	}
	s.program.Begin()
	outcome := make(chan error, 1)
	go func() {
		err := s.program.Exited() // unless it returns, or panics
		defer func() { outcome <- err }()
		err, panicked = s.called(func() error { return calls.Call(ctx, 0) })
	}()
	err = <-outcome
	return calls, panicked, err
}

// called is f's error, or that of its panic, which may be of nil: then recover does not tell it from
// runtime.Goexit, after which this does not return.
func (s *server) called(f func() error) (err error, panicked bool) {
	returned := false
	defer func() {
		if !returned {
			err, panicked = s.program.Panicked(recover(), string(debug.Stack())), true
		}
	}()
	err = f()
	returned = true
	return err, false
}

// Exit codes of a child whose one call failed: as an uncaught exception in
// Python, and as an uncaught panic in Go.
const (
	exitFailed   = 1
	exitPanicked = 2
)

// call is what a child does that was started for one call.
func (s *server) call(r *codec.Reader) {
	name, wanted, deadline := r.String(), r.Byte() != 0, int64(r.Uint64())
	propagated := proto.ReadPropagated(r)
	s.grace = time.Duration(r.Uint64())
	input, err := proto.CloseInput(proto.FrameHello, r)
	if err != nil {
		s.lost(err)
	}
	s.write(proto.FrameBegun, proto.Empty)
	calls, panicked, err := s.once(s.context(deadline, propagated), name, input)
	var out codec.Buffer
	if err == nil && wanted {
		if err = calls.Encode(&out); err == nil {
			err = proto.Sendable(&out)
		}
	}
	if err == nil {
		s.write(proto.FrameOutput, &out)
		out.Settle(true)
		s.leaveCall()
		s.finish()
	}
	out.Settle(false)
	s.fail(err)
	if p, ok := err.(Stacked); ok && panicked {
		value, stack := p.StackTrace()
		fmt.Fprintf(os.Stderr, "panic: %s\n\n%s", value, stack)
		fmt.Fprintf(s.self.Crash, "panic: %s\n\n%s", value, stack) // an error: it is longer than will be told
		s.leaveCall()
		os.Exit(exitPanicked)
	}
	if !wanted { // else it is the answer of a call
		fmt.Fprintf(os.Stderr, "%s: %s\n", s.self.Name, task.Text(err))
	}
	s.leaveCall()
	os.Exit(exitFailed)
}

// Stacked is an error that carries the stack of a panic.
type Stacked interface {
	error
	StackTrace() (value, stack string)
}

// callContext is the ctx of a function called in a process of its own. From the
// first time that the function looks at it, a goroutine waits for what the parent
// says, and a timer for the deadline. One that does not look could not be told, and
// without the two the Go runtime sees when the function waits forever: "all
// goroutines are asleep".
type callContext struct {
	deadline   int64 // on the shared clock; 0: none
	propagated map[string]string
	live       func() context.Context
}

func (s *server) context(deadline int64, propagated map[string]string) context.Context {
	c := callContext{deadline, propagated, sync.OnceValue(func() context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		if deadline != 0 {
			ctx, cancel = context.WithDeadline(context.Background(), proto.Time(deadline))
		}
		go s.listen(cancel)
		return ctx
	})}
	if runtime.GOOS != "linux" {
		c.live() // the end of file on the socket is what ends this process when its parent dies
	}
	return c
}

// Deadline implements context.Context.
func (c callContext) Deadline() (time.Time, bool) {
	if c.deadline == 0 {
		return time.Time{}, false
	}
	return proto.Time(c.deadline), true
}

// Done implements context.Context.
func (c callContext) Done() <-chan struct{} { return c.live().Done() }

// Err implements context.Context.
func (c callContext) Err() error { return c.live().Err() }

// Value implements context.Context: there is only what was propagated. Package context asks for its own
// when it derives from this ctx.
func (c callContext) Value(key any) any {
	if _, ok := key.(task.PropagatedKey); ok {
		if c.propagated == nil {
			return nil
		}
		return c.propagated
	}
	return c.live().Value(key)
}

// listen takes the parent's requests to a child that was started for one call.
func (s *server) listen(cancel context.CancelFunc) {
	for {
		kind, _, err := s.frames.Next(proto.MaxControl)
		if err != nil {
			s.lost(err)
		}
		if kind == proto.FrameCancel {
			cancel()
		}
	}
}
