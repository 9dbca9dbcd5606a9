package mp

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// stream is a call whose inputs come from an iterator and whose outcomes go to a
// loop. Three sides work on it: the goroutine that takes inputs, the workers'
// readers, and the loop.
type stream[In, Out any] struct {
	p        *Pool
	job      pool.Job
	f        *Func[In, Out]
	ordered  bool
	values   context.Context // for tasks on goroutines; nil: none
	copies   *copying        // of a pool of goroutines: see directCalls
	failFast bool
	progress func(done, total int)

	window chan struct{} // one for each input taken and not given back
	left   chan struct{} // closed: the loop was left
	news   chan struct{} // something for the loop to look at

	unwatch func() bool // ends the watch over ctx

	mu        sync.Mutex
	items     map[int]*streamItem[In, Out] // taken and not given back
	finished  []*streamItem[In, Out]       // in the order of their ends, not yet given back
	total     int                          // taken
	done      int                          // ended
	told      int
	sealed    bool
	totalTold bool  // Progress was told the total
	over      bool  // the job has finished
	cause     error // and why, when not by itself
	panicked  any   // what the input iterator panicked with
}

// streamItem is one input and what became of it.
type streamItem[In, Out any] struct {
	index    int
	in       In
	out      [1]Out
	err      error
	ended    bool
	attempts int
	pid      int
	id       uint64
	measure  pool.Measure
}

func (it *streamItem[In, Out]) outcome(p *Pool) Outcome[In, Out] {
	m := &it.measure
	return Outcome[In, Out]{
		ID: it.id, Pool: p.name,
		Index: it.index, In: it.in, Out: it.out[0], Err: it.err, Attempts: it.attempts, PID: it.pid,
		Wall: m.Wall, CPU: m.CPU, MaxMemory: m.MaxMemory, Stdout: m.Stdout, Stderr: m.Stderr,
	}
}

func newStream[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in iter.Seq[In], ordered, measure bool, opts []TaskOption) (*stream[In, Out], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.refusal(); err != nil {
		return nil, err
	}
	if err := f.check(p); err != nil {
		return nil, err
	}
	o, err := optionsOf(opts)
	if err != nil {
		return nil, err
	}
	if o.window == 0 {
		o.window = max(8, 2*o.chunk) * p.s.Workers()
	}
	s := &stream[In, Out]{
		p: p, f: f, ordered: ordered, failFast: o.failFast, progress: o.progress,
		window: make(chan struct{}, o.window), left: make(chan struct{}), news: make(chan struct{}, 1),
		items: make(map[int]*streamItem[In, Out]),
	}
	s.job.Func, s.job.Client, s.job.Lazy = f.name, s, true
	if s.job.Options, err = p.options(ctx, &o); err != nil {
		return nil, err
	}
	s.job.NoWait = o.noWait
	if err := p.transport.prepare(ctx, s, o.retries > 0); err != nil {
		return nil, err
	}
	if o.capture > 0 {
		if err := p.transport.captures(); err != nil {
			return nil, err
		}
	}
	if measure {
		if s.job.Options == nil {
			s.job.Options = new(pool.Options)
		}
		s.job.Measure, s.job.Capture = true, o.capture
	}
	if err := p.s.SubmitNow(&s.job); err != nil {
		return nil, err
	}
	// The loop may be in its body when ctx ends; the tasks are to be stopped all the same.
	s.unwatch = context.AfterFunc(ctx, func() { p.s.Cancel(&s.job, ctx.Err()) })
	go s.take(in)
	return s, nil
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
		if !s.ordered {
			s.finished = append(s.finished, it)
		}
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

// wake makes the loop look.
func (s *stream[In, Out]) wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// errFailedFast says that a failure was given to the loop and cancels the rest.
var errFailedFast = fmt.Errorf("%w: another task of the call has failed", ErrCancelled)

// each gives the loop's body each item that has ended, until there are no more,
// the body does not want any, or the call has failed: that is the error.
func (s *stream[In, Out]) each(ctx context.Context, body func(*streamItem[In, Out]) bool) error {
	defer s.leave()
	waiting := s.p.s.AddWaiter(ctx, &s.job)
	defer waiting.Remove()
	for next := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		it, end, err := s.next(next)
		s.tell()
		if it != nil {
			next++
			<-s.window
			if !body(it) {
				return nil
			}
			if s.failFast && it.err != nil {
				return errFailedFast
			}
			continue
		}
		if end || err != nil {
			return err
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// next takes the next item off, or says that there will be none.
func (s *stream[In, Out]) next(index int) (it *streamItem[In, Out], end bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ordered {
		it = s.items[index]
		if it != nil && !it.ended {
			it = nil
		}
	} else if len(s.finished) > 0 {
		it, s.finished = s.finished[0], s.finished[1:]
	}
	if it == nil && s.ordered && s.failFast && s.over && s.cause != nil {
		it = s.failure() // what comes before it was cancelled
	}
	switch {
	case it != nil:
		delete(s.items, it.index)
		return it, false, nil
	case s.panicked != nil && s.sealed && index == s.total:
		v := s.panicked
		s.panicked = nil
		panic(v)
	case s.over && s.cause != nil:
		return nil, true, s.cause
	}
	return nil, s.sealed && index == s.total, nil
}

// failure is the first item that ended with an error.
func (s *stream[In, Out]) failure() *streamItem[In, Out] {
	var first *streamItem[In, Out]
	for _, it := range s.items {
		if it.ended && it.err != nil && (first == nil || it.index < first.index) {
			first = it
		}
	}
	return first
}

// tell calls Progress if there is something new.
func (s *stream[In, Out]) tell() {
	if s.progress == nil {
		return
	}
	s.mu.Lock()
	done, total, news := s.done, -1, s.done > s.told
	if s.sealed {
		total = s.total
		news = news || !s.totalTold && done > 0
		s.totalTold = true
	}
	s.told = done
	s.mu.Unlock()
	if news {
		s.progress(done, total)
	}
}

// leave cancels what is not done and lets go of the input iterator.
func (s *stream[In, Out]) leave() {
	close(s.left)
	s.mu.Lock()
	s.over = true // nothing is taken any more
	s.mu.Unlock()
	s.unwatch()
	s.p.s.Cancel(&s.job, ErrCancelled)
}

// unfinished are the items that were taken and not given back, by index. Those
// that have not ended get the error.
func (s *stream[In, Out]) unfinished(err error) []*streamItem[In, Out] {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := make([]*streamItem[In, Out], 0, len(s.items))
	for _, it := range s.items {
		if !it.ended {
			it.err, it.id = err, s.p.s.TaskID(&s.job, it.index)
		}
		rest = append(rest, it)
	}
	clear(s.items) // an outcome that comes now comes too late
	slices.SortFunc(rest, func(a, b *streamItem[In, Out]) int { return a.index - b.index })
	return rest
}
