package mp

import (
	"context"
	"errors"
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
	order    order[In, Out]
	values   context.Context // for tasks on goroutines; nil: none
	copies   *copying        // of a pool of goroutines: see directCalls
	failFast bool
	progress func(done, total int)

	window window        // of inputs taken and not given back
	news   chan struct{} // something for the loop to look at

	unwatch func() bool // ends the watch over ctx

	mu        sync.Mutex
	items     map[int]*streamItem[In, Out] // taken and not given back
	total     int                          // taken
	given     int                          // given back
	done      int                          // ended
	told      int
	sealed    bool
	totalTold bool  // Progress was told the total
	over      bool  // the job has finished
	cause     error // and why, when not by itself
	panicked  any   // what the input iterator panicked with
}

func newStream[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in iter.Seq[In], by order[In, Out], measure bool, opts []TaskOption) (*stream[In, Out], error) {
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
		p: p, f: f, order: by, failFast: o.failFast, progress: o.progress,
		window: newWindow(o.window), news: make(chan struct{}, 1),
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
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		it, end, err := s.next()
		s.tell()
		if it != nil {
			s.window.giveBack()
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
func (s *stream[In, Out]) next() (it *streamItem[In, Out], end bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it = s.order.next(s.items); it == nil && s.failFast && s.over && s.cause != nil {
		it = s.order.failure(s.items) // what comes before it was cancelled
	}
	if it != nil {
		delete(s.items, it.index)
		s.given++
		return it, false, nil
	}
	end = s.sealed && s.given == s.total
	switch {
	case end && s.panicked != nil:
		v := s.panicked
		s.panicked = nil
		panic(v)
	case s.over && s.cause != nil:
		return nil, true, s.cause
	}
	return nil, end, nil
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
		if !s.window.enter() {
			return
		}
		for v := range in {
			if !s.push(v) || !s.window.enter() {
				break
			}
		}
	})
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
	s.window.close()
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
