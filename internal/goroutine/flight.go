package goroutine

import (
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// flight is a batch at its worker. What is not said to be otherwise belongs to the goroutine
// that runs it.
type flight struct {
	claims task.Claims // anybody's
	b      *pool.Batch
	number uint64
	spans  []task.Calls // of the batch's spans; written before the first claim
	w      *worker

	turn     task.Turn
	span     int  // that of the item that runs
	measured bool // somebody wants to know how long they take
	timed    bool // somebody wants to know when each was begun
	begun    int64
	inCall   bool
	stack    string // where a call was that has not returned

	// Guarded by the worker's mu.
	told     int // items whose results were told
	toldSpan int // the span of the next one
	toldAt   int // and its place there
	stuck    bool
}

// Run implements pool.Inline. A call that ends the goroutine by runtime.Goexit has the rest
// of the batch run by another one, which goes on with again.
func (w *worker) Run(b *pool.Batch, again func()) {
	f := b.Tag.(*flight)
	if w.on.Load() == nil {
		id := task.Goroutine()
		w.on.Store(&id)
	}
	w.number++
	f.number = w.number
	began := w.crew.clock.Now()
	f.w, f.span = w, -1
	f.turn.Start(w, &w.timing, &f.claims, &w.ctxs, f.number)
	w.runs = f
	w.since.Store(began)
	w.flight.Store(f)
	if w.dead.Load() { // who killed it may not have seen what it has now
		f.claims.Limit(0)
	}
	w.goOn(f, began, again)
}

// goOn runs what is left of a batch. Where code of the program's ends the goroutine, another
// one goes on.
func (w *worker) goOn(f *flight, began int64, again func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if f.inCall {
			w.ended(f, w.crew.program.Exited())
		}
		w.on.Store(nil)
		go func() {
			id := task.Goroutine()
			w.on.Store(&id)
			w.goOn(f, began, again)
			again()
		}()
	}()
	for w.runSome(f) || w.panickedNil(f) {
	}
	w.finish(f, began)
	returned = true
}

// runSome runs items until there is none left, or until a call panics: then it says that
// there is more.
func (w *worker) runSome(f *flight) (more bool) {
	defer func() {
		if !f.inCall {
			return
		}
		f.stack = stackHere()
		if v := recover(); v != nil {
			w.ended(f, w.crew.program.Panicked(v, f.stack))
			more = true
		}
	}()
	for f.enter() {
		if !f.timed {
			f.inCall = true
			if err := f.spans[f.span].CallAll(&f.turn); err != nil {
				w.ended(f, err)
			}
			f.inCall = false
			continue
		}
		for f.turn.Next() {
			f.inCall = true
			err := f.spans[f.span].Call(f.turn.Ctx(), f.turn.At)
			if err != nil || f.measured {
				w.ended(f, err)
			}
			f.inCall = false
		}
	}
	return false
}

// panickedNil takes a panic of nil as the item's outcome, if there was one: the call has not returned,
// and this goroutine goes on. It says then that there is more.
func (w *worker) panickedNil(f *flight) (more bool) {
	if !f.inCall {
		return false
	}
	w.ended(f, w.crew.program.Panicked(nil, f.stack))
	return true
}

// enter goes to the span of the next item, if there is one that may be begun as far as is known.
func (f *flight) enter() bool {
	if f.turn.Left() > 0 {
		return !f.turn.Over()
	}
	if f.span+1 == len(f.b.Spans) || f.turn.Over() {
		return false
	}
	f.span++
	sp := &f.b.Spans[f.span]
	j := sp.Job
	f.measured = f.b.Report
	f.timed = f.measured
	if !j.Plain() {
		f.measured = f.measured || j.Measure
		f.timed = f.measured || j.Timeout > 0
	}
	f.turn.Enter(f.w.commonOf(sp), j.Client.Values(), sp.First, sp.N, f.timed)
	return true
}

// Beginning implements task.TurnHost.
func (w *worker) Beginning() { w.since.Store(w.crew.clock.Now()) }

// Begun implements task.TurnHost: an item was begun of which somebody wants to know more than its end.
func (w *worker) Begun() {
	f := w.runs
	f.begun = w.since.Load()
	if t := f.b.Spans[f.span].Job.Timeout; t > 0 {
		f.turn.SetDeadline(f.begun + int64(t))
	}
	if f.b.Report {
		w.report(f)
	}
}

// commonOf is what the ctxs of a span have in common. Most jobs have no options.
func (w *worker) commonOf(sp *pool.Span) *task.Common {
	if c := w.common; c != nil && sp.Job.Plain() && c.Func == sp.Job.Func && c.Attempt == sp.Attempt && c.Deadline == 0 && c.Timeout == 0 {
		return c
	}
	w.common = w.attempt(sp)
	return w.common
}

// finish ends a batch.
func (w *worker) finish(f *flight, began int64) {
	busy := w.crew.clock.Now() - began
	w.ctxs.Forget()
	f.turn.End()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead.Load() {
		if f.stuck {
			w.crew.stuck.Add(-1)
		}
		return
	}
	w.tell(f, f.claims.Begun())
	w.flight.Store(nil)
	for _, span := range f.spans {
		span.Free()
	}
	w.sink.Ended(f.b, time.Duration(busy), 0)
}

// ended tells how the item that ran ended, and those before it.
func (w *worker) ended(f *flight, err error) {
	r := pool.Result{Batch: f.b, Count: 1, Err: err}
	sp := &f.b.Spans[f.span]
	j := sp.Job
	if err != nil {
		r.Final = w.crew.program.Final(err) // which calls methods of err
		if j.Timeout > 0 && w.crew.clock.Now()-int64(w.crew.clock.Paused(f.begun)) >= f.begun+int64(j.Timeout) {
			r.Err = w.crew.program.TimedOut(j.Timeout)
		}
	} else {
		if !f.measured {
			return // told with others
		}
		r.Value = f.spans[f.span]
	}
	f.inCall = false
	if f.measured {
		r.Measure = &pool.Measure{Wall: time.Duration(w.crew.clock.Now() - f.begun)}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead.Load() {
		return
	}
	w.tell(f, f.turn.Item())
	w.results = append(w.results[:0], r)
	f.told, f.toldSpan, f.toldAt = f.turn.Item()+1, f.span, f.turn.At+1
	w.sink.Results(w.results)
	clear(w.results)
}

// tell tells the results of items up to one, all of which have succeeded. The worker's
// lock is held.
func (w *worker) tell(f *flight, to int) {
	if f.told >= to {
		return
	}
	rs := w.results[:0]
	for f.told < to {
		sp := &f.b.Spans[f.toldSpan]
		if f.toldAt == sp.N {
			f.toldSpan, f.toldAt = f.toldSpan+1, 0
			continue
		}
		n := min(sp.N-f.toldAt, to-f.told)
		rs = append(rs, pool.Result{Batch: f.b, Count: n, Value: f.spans[f.toldSpan]})
		f.told += n
		f.toldAt += n
	}
	w.sink.Results(rs)
	clear(rs)
	w.results = rs[:0]
}

// report tells that the item was begun, for those who want to know of each.
func (w *worker) report(f *flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead.Load() {
		return
	}
	w.tell(f, f.turn.Item())
	w.sink.Started(f.b, f.turn.Item())
}

// tellEvery is how long the results of small tasks may wait for more to be told with them.
const tellEvery = time.Millisecond

// TellSoon implements task.TurnHost.
func (w *worker) TellSoon() {
	w.timing.Store(true)
	if w.timer != nil {
		w.timer.Reset(tellEvery)
		return
	}
	w.timer = time.AfterFunc(tellEvery, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timing.Store(false)
		if f := w.flight.Load(); f != nil && !w.dead.Load() {
			w.tell(f, f.claims.Begun()-1)
		}
	})
}
