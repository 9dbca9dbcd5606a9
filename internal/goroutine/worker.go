package goroutine

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/task"
)

// worker is one place where a task can run. It implements pool.Inline.
type worker struct {
	crew    *Crew
	n       int
	sink    pool.Sink
	home    *task.Place // a compensating worker has that of the one it stands in for
	host    bool
	endLife context.CancelCauseFunc // ends the ctx of Init; nil: that of a compensating worker

	flight atomic.Pointer[flight] // what it runs; nil: nothing
	runs   *flight                // the same, for the goroutine that runs it
	number uint64                 // of the flight before
	since  atomic.Int64           // when the item that runs, or one before it, was begun
	ctxs   task.Sets
	common *task.Common // of the last plain span
	on     atomic.Pointer[string]

	timing atomic.Bool // the timer is set
	timer  *time.Timer // tells results while an item takes long

	mu      sync.Mutex    // guards what follows, and calls of the sink
	dead    atomic.Bool   // written with the lock held
	results []pool.Result // scratch
}

// Start starts worker number n. It is the pool's StartFunc.
func (c *Crew) Start(ctx context.Context, n int, sink pool.Sink) (pool.Worker, error) {
	w := &worker{crew: c, n: n, sink: sink, home: new(task.Place), host: true}
	life, end := context.WithCancelCause(context.WithValue(context.WithoutCancel(ctx), task.PlaceKey{}, w))
	w.endLife = end
	if err := c.initialise(ctx, life, end); err != nil {
		end(nil)
		w.home.Leave()
		return nil, err
	}
	return w, nil
}

// Compensate makes a worker, number n, in the place of one whose task waits. It is the pool's Compensate.
func (c *Crew) Compensate(blocked pool.Worker, n int, sink pool.Sink) pool.Inline {
	return &worker{crew: c, n: n, sink: sink, home: blocked.(*worker).home}
}

// Home is the place where the worker's tasks run.
func (w *worker) Home() *task.Place { return w.home }

// initialise calls the pool's Init on a goroutine of its own, which may not come back. The ctx of Init is the
// worker's life: it ends with the worker, or when there is no time or no use for the start any more.
func (c *Crew) initialise(start, ctx context.Context, end context.CancelCauseFunc) error {
	if c.init == nil {
		return nil
	}
	defer shm.AfterFunc(c.timeout, func() { end(context.DeadlineExceeded) })()
	defer context.AfterFunc(start, func() { end(start.Err()) })()
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
		err = c.called(func() error { return c.init(ctx) })
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		c.stuck.Add(1)
		if over.CompareAndSwap(false, true) {
			err = context.Cause(ctx) // whatever it will say
			break
		}
		c.stuck.Add(-1)
		err = <-done
	}
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return c.program.TimedOut(c.timeout)
	}
	return err
}

// called is f's error, or that of its panic, which may be of nil: then recover does not tell it from
// runtime.Goexit, after which this does not return.
func (c *Crew) called(f func() error) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = c.program.Panicked(recover(), stackHere())
		}
	}()
	err = f()
	returned = true
	return err
}

// stackHere is this goroutine's stack.
func stackHere() string {
	buf := make([]byte, 64<<10)
	return string(buf[:runtime.Stack(buf, false)])
}

func (w *worker) PID() int      { return w.crew.pid }
func (w *worker) Memory() int64 { return 0 }

// maxItems is how many tasks are sent in one batch: what they return stays in the processor's cache.
const maxItems = 4096

// Capabilities implements pool.Worker: a batch is run by the goroutine that has sent it, and its calls are claimed one by
// one, so what was not begun can be taken back.
func (w *worker) Capabilities() pool.Capabilities {
	return pool.Capabilities{Prefetch: maxItems - 1, Revocable: true}
}

// Open implements pool.Worker.
func (w *worker) Open(b *pool.Batch) {
	f := &flight{b: b, spans: make([]task.Calls, len(b.Spans))}
	f.claims.Open(b.Items(), 0)
	b.Tag = f
}

// Send takes the inputs. The batch is run by Run.
func (w *worker) Send(b *pool.Batch, read func()) int64 {
	f := b.Tag.(*flight)
	for i := range b.Spans {
		sp := &b.Spans[i]
		calls, err := sp.Job.Client.Calls(sp.First, sp.N)
		if err != nil {
			calls = refused{err}
		}
		f.spans[i] = calls
	}
	read()
	return 0
}

// refused is a span of which no call can be made.
type refused struct{ err error }

func (r refused) Call(context.Context, int) error { return r.err }
func (r refused) Free()                           {}

func (r refused) CallAll(turn *task.Turn) error {
	if turn.Next() {
		return r.err
	}
	return nil
}

// Limit implements pool.Worker.
func (w *worker) Limit(b *pool.Batch, n int) int {
	limit, _ := b.Tag.(*flight).claims.Limit(n)
	return limit
}

// Running implements pool.Worker.
func (w *worker) Running() (b *pool.Batch, item int, since time.Time, ok bool) {
	f := w.flight.Load()
	if f == nil {
		return nil, 0, time.Time{}, false
	}
	begun := f.claims.Begun()
	if begun == 0 {
		return nil, 0, time.Time{}, false
	}
	return f.b, begun - 1, w.crew.clock.Time(w.since.Load()), true
}

// Cancel implements pool.Worker.
func (w *worker) Cancel(b *pool.Batch, item int) {
	if f := w.flight.Load(); f != nil && f.b == b {
		w.ctxs.Cancel(f.number, item)
	}
}

// mostDumped is how many goroutines there may be for a look at their stacks: they all stand
// still meanwhile.
const mostDumped = 1000

// Stack implements pool.Worker.
func (w *worker) Stack(time.Duration) string {
	id := w.on.Load()
	if id == nil || runtime.NumGoroutine() > mostDumped {
		return ""
	}
	return task.StackOf(*id)
}

// Close implements pool.Worker.
func (w *worker) Close() { go w.close() }

// Kill implements pool.Worker: the worker is dead at once, and what it runs is alone.
func (w *worker) Kill() { go w.leave(pool.Death{Err: errAbandoned}) }

var errAbandoned = errors.New("mp: the goroutine was told to stop, did not, and was abandoned")

// leave says that the worker is gone. If a task runs, the goroutine that runs it is
// stuck, as far as anybody can see.
func (w *worker) leave(d pool.Death) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead.Load() {
		return
	}
	w.dead.Store(true)
	if f := w.flight.Load(); f != nil {
		begun, _ := f.claims.Limit(0)
		if f.told < begun {
			w.tell(f, begun-1)
			f.stuck = true
			w.crew.stuck.Add(1)
			d.Batch, d.Item, d.Running = f.b, begun-1, true
			d.Measure = &pool.Measure{Wall: time.Duration(w.crew.clock.Now() - w.since.Load())}
		}
	}
	if w.host {
		w.endLife(nil)
		w.home.Leave()
	}
	w.sink.Died(d)
}
