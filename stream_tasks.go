package mp

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// A stream is the client of its job: the scheduler and the workers ask it for inputs and give it outcomes.

// byBytes implements call.
func (s *stream[In, Out]) byBytes() error {
	s.job.RunsUserCode, s.job.Moves = s.f.apart, s.f.moves
	return nil
}

// byValue implements call.
func (s *stream[In, Out]) byValue(values context.Context, copies *copying, _ bool) {
	s.values, s.copies = values, copies
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

// OutputSize implements pool.Tasks.
func (s *stream[In, Out]) OutputSize() int { return s.f.size }

// Deliver implements pool.Client: it keeps the outcome of some tasks.
func (s *stream[In, Out]) Deliver(o *pool.Outcome) {
	outs := make([]Out, o.Count)
	err := o.Err
	if err == nil {
		err = s.f.decodeOutputs(o, outs)
	}
	s.mu.Lock()
	for i, out := range outs {
		it := s.items[o.First+i]
		if it == nil {
			continue // the loop was left, and has told of it otherwise
		}
		it.ended, it.attempts, it.pid, it.id = true, o.Attempts, o.PID, o.ID+uint64(i)
		if o.Measure != nil {
			it.measure = *o.Measure
		}
		if err != nil {
			it.err = taskError(s.f.name, &pool.Outcome{First: it.index, Attempts: o.Attempts, PID: o.PID}, err)
		} else {
			it.out[0] = out
		}
		s.order.ended(it)
	}
	s.done += len(outs)
	s.mu.Unlock()
	s.wake()
}

// Finished implements pool.Client.
func (s *stream[In, Out]) Finished(cause error) {
	s.mu.Lock()
	s.over, s.cause = true, cause
	s.mu.Unlock()
	s.wake()
}
