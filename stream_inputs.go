package mp

import (
	"context"
	"errors"
	"iter"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/task"
)

// byBytes implements call.
func (s *stream[In, Out]) byBytes() error {
	s.job.RunsUserCode, s.job.Moves = s.f.apart, s.f.moves
	return nil
}

// byValue implements call.
func (s *stream[In, Out]) byValue(values context.Context, copies *copying, _ bool) {
	s.values, s.copies = values, copies
}

// errExit stands for a panic where an iterator ended its goroutine.
var errExit = errors.New("mp: the input iterator called runtime.Goexit")

// take takes inputs as long as the window has room and the loop is not left.
func (s *stream[In, Out]) take(in iter.Seq[In]) {
	var v any = errExit // unless it returns
	defer func() {
		s.mu.Lock()
		s.sealed, s.panicked = true, v
		s.mu.Unlock()
		s.p.s.Seal(&s.job)
		s.wake()
	}()
	v = panicOf(func() {
		if !s.room() {
			return
		}
		for v := range in {
			if !s.push(v) || !s.room() {
				break
			}
		}
	})
}

// room waits for a place in the window; false: no more inputs are wanted.
func (s *stream[In, Out]) room() bool {
	select {
	case s.window <- struct{}{}:
	case <-s.left:
		return false
	}
	select {
	case <-s.left:
		return false
	default:
		return true
	}
}

// push makes an input a task; false: the job is over.
func (s *stream[In, Out]) push(v In) bool {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return false
	}
	it := &streamItem[In, Out]{index: s.total, in: v}
	s.items[it.index] = it
	s.total++
	s.mu.Unlock()
	s.p.s.Extend(&s.job, 1)
	return true
}

// Values implements pool.Tasks.
func (s *stream[In, Out]) Values() context.Context { return s.values }

// Calls implements pool.Tasks.
func (s *stream[In, Out]) Calls(first, n int) (task.Calls, error) {
	vs, err := s.inputs(first, n)
	if len(vs) == 0 && err != nil {
		return nil, err
	}
	return directCalls(s.copies, s.f, first, vs), nil
}

// Encode implements pool.Tasks.
func (s *stream[In, Out]) Encode(b *codec.Buffer, first, n int) (*codec.Buffer, error) {
	vs, err := s.inputs(first, n)
	if err != nil {
		return nil, err
	}
	return b, s.f.encodeInputs(b, vs)
}

// inputs are some that were taken and not given back. With an error they are those in front of the
// first that was given back: it and those behind it were taken from who asks, and will not be called.
func (s *stream[In, Out]) inputs(first, n int) ([]In, error) {
	vs := make([]In, 0, n)
	s.mu.Lock()
	for i := range n {
		it := s.items[first+i]
		if it == nil { // another worker has done it, or the loop was left and nobody wants to know
			s.mu.Unlock()
			return vs, ErrCancelled
		}
		vs = append(vs, it.in)
	}
	s.mu.Unlock()
	return vs, nil
}
