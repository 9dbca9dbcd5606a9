package goroutine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp/internal/goroutine"
	"github.com/gomultiprocessing/mp/internal/pool"
)

// op is one step of a random program. What its numbers mean depends on the kind.
type op struct {
	Kind    string
	A, B, C int
}

var kinds = []string{
	"submit", "submit", "submit", "submit", "submit", "submit", "submit", "cancel", "resize",
	"advance", "advance", "advance", "settle", "stats", "close", "terminate",
}

// world is one run of a random program: a scheduler with real workers.
type world struct {
	s      *pool.Scheduler
	crew   *goroutine.Crew
	quirks int
	calm   bool // nothing was done by which more tasks may run than there are workers
	closed bool
	killed bool

	mu         sync.Mutex
	complaints []string
	jobs       []*calls

	running, most atomic.Int64 // tasks that do not wait for others
}

func (w *world) errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaints) < 20 {
		w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
	}
}

func TestRandomPrograms(t *testing.T) { programs(t, 1) }

func TestRandomProgramsForLong(t *testing.T) {
	if os.Getenv("MP_LONG") == "" {
		t.Skip("MP_LONG is not set")
	}
	for i := 0; t.Context().Err() == nil && i < 300; i++ {
		programs(t, 5)
	}
}

func programs(t *testing.T, length int) {
	ops := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) op {
		n := rapid.IntRange(0, 1<<20)
		return op{rapid.SampledFrom(kinds).Draw(rt, "kind"), n.Draw(rt, "a"), n.Draw(rt, "b"), n.Draw(rt, "c")}
	}), 1, 30*length)
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		quirks := rapid.IntRange(0, 63).Draw(rt, "quirks")
		program := ops.Draw(rt, "program")
		var complaints []string
		synctest.Test(t, func(*testing.T) { complaints = play(workers, quirks, program) })
		if len(complaints) > 0 {
			rt.Fatalf("%s", strings.Join(complaints, "\n"))
		}
	})
}

func play(workers, quirks int, program []op) []string {
	w := &world{quirks: quirks, calm: true}
	var inits atomic.Int64
	w.crew = goroutine.NewCrew(describes{}, func(ctx context.Context) error {
		if n := inits.Add(1); quirks&1 != 0 && n > 4 && n%5 == 0 {
			return errTask
		}
		return nil
	}, time.Minute, 1)
	cfg := pool.Config{
		Workers: workers, Start: w.crew.Start, Compensate: w.crew.Compensate, Stuck: w.crew.Stuck, Grace: 10 * time.Millisecond,
		TimedOut: func(time.Duration, string) error { return errTimedOut },
	}
	if quirks&2 != 0 {
		cfg.TasksPerWorker = 3
	}
	if quirks&4 != 0 {
		cfg.IdleTimeout = 10 * time.Millisecond
	}
	if quirks&8 != 0 {
		cfg.MaxQueued = 10
	}
	if quirks&16 != 0 {
		cfg.Events = func(pool.Event) {}
	}
	var err error
	if w.s, err = pool.New(cfg); err != nil {
		return []string{err.Error()}
	}
	for _, o := range program {
		w.do(o)
	}
	w.settle()
	if n := int(w.most.Load()); w.calm && n > workers {
		w.errorf("%d tasks ran on %d workers", n, workers)
	}
	return w.complaints
}

// describes is program under a name that play does not use.
type describes = program

func pick[T any](from []T, n int) T { return from[n%len(from)] }

func (w *world) do(o op) {
	switch o.Kind {
	case "submit":
		w.submit(o)
	case "cancel":
		w.mu.Lock()
		n := len(w.jobs)
		var c *calls
		if n > 0 {
			c = w.jobs[n-1-o.A%min(n, 8)]
		}
		w.mu.Unlock()
		if c != nil && o.B%2 == 0 {
			w.calm = false
			w.s.Cancel(&c.job, pool.ErrCancelled)
		}
	case "resize":
		w.calm = false
		if err := w.s.Resize(1 + o.A%5); err != nil && !w.closed && !errors.Is(err, pool.ErrBroken) {
			w.errorf("Resize: %v", err)
		}
	case "advance":
		time.Sleep(pick([]time.Duration{time.Microsecond, 100 * time.Microsecond, 3 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second}, o.A))
	case "settle":
		synctest.Wait()
	case "stats":
		if st := w.s.Stats(); st.Queued < 0 || st.Running < 0 || st.Stuck < 0 {
			w.errorf("%+v", st)
		}
	case "close":
		if o.A%8 == 0 {
			w.closed = true
			w.s.Close()
		}
	case "terminate":
		if o.A%16 == 0 {
			w.closed, w.killed, w.calm = true, true, false
			w.s.Terminate()
			if n := len(w.s.Stats().Workers); n > 0 {
				w.errorf("%d workers after Terminate", n)
			}
		}
	}
}

// submit submits a job of a random shape.
func (w *world) submit(o op) {
	timeout := pick([]time.Duration{0, 0, 0, 5 * time.Millisecond, 150 * time.Millisecond, 2 * time.Second}, o.C)
	if timeout > 0 {
		w.calm = false
	}
	c := newCalls(pick([]int{0, 1, 1, 1, 2, 7, 40, 300}, o.A), nil)
	c.call = w.tasks(uint64(o.B), 0, timeout > 0)
	opts := &pool.Options{
		Timeout: timeout, Priority: pick([]int{0, 0, 0, 1, -1}, o.C/4), Chunk: pick([]int{0, 0, 1, 5}, o.C/20),
		Retries: pick([]int{0, 0, 1, 3}, o.C/80), FailFast: o.C/320%4 == 0, Measure: o.C/1280%3 == 0,
		Backoff: pool.Backoff{Min: time.Millisecond, Max: 20 * time.Millisecond, Factor: 2},
	}
	if opts.FailFast {
		w.calm = false
	}
	c.job.Options = opts
	if o.C/4000%2 == 0 && timeout == 0 {
		c.job.Options = pool.NoOptions()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err := w.s.Submit(ctx, &c.job)
	switch {
	case err == nil:
		w.keep(c)
	case errors.Is(err, context.DeadlineExceeded) && w.quirks&8 != 0, w.closed, errors.Is(err, pool.ErrBroken):
	default:
		w.errorf("Submit: %v", err)
	}
}

func (w *world) keep(c *calls) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, c)
}

// busy notes that a task works, until quiet is called.
func (w *world) busy() {
	n := w.running.Add(1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
}

func (w *world) quiet() { w.running.Add(-1) }

// tasks are those of a job: what each does is a function of the seed, its index and attempt.
func (w *world) tasks(seed uint64, depth int, limited bool) func(ctx context.Context, index, attempt int) error {
	return func(ctx context.Context, index, attempt int) error {
		w.busy()
		defer w.quiet()
		h := seed*0x9e3779b97f4a7c15 + uint64(index)*0xbf58476d1ce4e5b9 + uint64(attempt)*0x94d049bb133111eb
		h ^= h >> 29
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 32
		long := []time.Duration{0, time.Microsecond, 50 * time.Microsecond, time.Millisecond, 30 * time.Millisecond}
		if d := long[min(int(seed%5), int(h%5))]; d > 0 {
			time.Sleep(d)
		}
		if seed%3 == 0 {
			return nil
		}
		switch h >> 8 % 40 {
		case 0:
			panic("random")
		case 1:
			runtime.Goexit()
		case 2, 3:
			return errTask
		case 4:
			return errFinal
		case 5:
			if limited {
				time.Sleep(time.Hour) // it does not look at its ctx
			}
		case 6:
			if limited {
				<-ctx.Done()
				return ctx.Err()
			}
		case 7, 8, 9, 10:
			if depth < 4 {
				return w.nested(ctx, h, depth)
			}
		case 11, 12, 13:
			return w.await(ctx, h, w.deeper(h, depth))
		}
		return nil
	}
}

// nested submits a job in a task, and waits for it in most cases.
func (w *world) nested(ctx context.Context, h uint64, depth int) error {
	c := newCalls(pick([]int{1, 1, 2, 5}, int(h>>16&0xff)), nil)
	c.depth = depth + 1
	c.call = w.tasks(h>>3, depth+1, false)
	c.job.Options = pool.NoOptions()
	var err error
	if h>>25&1 == 0 {
		err = w.s.SubmitNow(&c.job)
	} else {
		err = w.s.Submit(ctx, &c.job)
	}
	if err != nil {
		return err
	}
	w.keep(c)
	if h>>26&7 == 0 {
		return nil
	}
	return w.await(ctx, h, c)
}

// deeper is a job that cannot wait, by way of others, for a task of that depth; nil: there is none.
func (w *world) deeper(h uint64, depth int) *calls {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.jobs {
		if c := w.jobs[(i+int(h>>32))%len(w.jobs)]; c.depth > depth {
			return c
		}
	}
	return nil
}

// await waits for a job in a task.
func (w *world) await(ctx context.Context, h uint64, c *calls) error {
	if c == nil {
		return nil
	}
	w.quiet()
	defer w.busy()
	waiting := w.s.AddWaiter(ctx, &c.job)
	defer waiting.Remove()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits for the end, and says what must hold then.
func (w *world) settle() {
	time.Sleep(time.Second)
	w.s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Hour)
	defer cancel()
	if err := w.s.Join(ctx); err != nil {
		w.errorf("Join: %v; %+v", err, w.s.Stats())
		w.s.Terminate()
	}
	total := 0
	for i, c := range w.jobs {
		total += c.job.Items
		w.check(i, c)
	}
	time.Sleep(24 * time.Hour) // what was given up has returned
	synctest.Wait()
	st := w.s.Stats()
	if st.Queued+st.Running+st.Stuck+len(st.Workers) != 0 || st.Done+st.Failed != total || w.crew.Stuck() != 0 {
		w.errorf("%d tasks: %+v", total, st)
	}
}

// check says what must hold for a job.
func (w *world) check(i int, c *calls) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished != 1 || c.twice > 0 {
		w.errorf("job %d was finished %d times, and had %d outcomes twice", i, c.finished, c.twice)
	}
	failed := false
	for index, o := range c.outcomes {
		failed = failed || o.err != nil
		if o.err == nil && o.value != index+1 {
			w.errorf("job %d, task %d: the value is %d", i, index, o.value)
		}
		if o.attempts > 1+c.job.Retries {
			w.errorf("job %d, task %d: attempt %d", i, index, o.attempts)
		}
		if o.err != nil && o.attempts <= c.job.Retries && !errors.Is(o.err, errFinal) {
			w.errorf("job %d, task %d: not tried again: %v", i, index, o.err)
		}
	}
	switch cause := c.cause; {
	case cause == nil:
		if len(c.outcomes) != c.job.Items {
			w.errorf("job %d has %d outcomes of %d", i, len(c.outcomes), c.job.Items)
		}
	case errors.Is(cause, pool.ErrCancelled), errors.Is(cause, pool.ErrBroken), errors.Is(cause, pool.ErrTerminated) && w.killed:
	default:
		w.errorf("job %d: cause %v", i, cause)
	}
}
