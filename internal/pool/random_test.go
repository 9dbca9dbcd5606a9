package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// op is one step of a random program. The kind decides what its numbers mean.
type op struct {
	Kind       string
	A, B, C, D int
}

var kinds = []string{
	"submit", "submit", "submit", "submit", "submit", "submit", "extend", "seal", "cancel", "resize",
	"kill", "kill", "stop", "continue", "continue", "fail starts", "slow starts", "slow send", "slow read", "die in send",
	"advance", "advance", "advance", "advance", "settle", "close", "terminate",
}

// world is one run of a random program.
type world struct {
	*lab
	cfg    pool.Config
	quirks int // of the configuration
	jobs   []*track
	ended  bool
	killed bool // by terminate
}

// complaints collects failures, because other goroutines must not use a failing
// rapid.T.
type complaints struct {
	mu  sync.Mutex
	all []string
}

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) < 20 {
		c.all = append(c.all, fmt.Sprintf(format, args...))
	}
}
func (c *complaints) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestRandomPrograms(t *testing.T) {
	programs(t, 1)
}

func TestRandomProgramsForLong(t *testing.T) {
	if os.Getenv("MP_LONG") == "" {
		t.Skip("MP_LONG is not set")
	}
	for i := 0; t.Context().Err() == nil && i < 1000; i++ {
		programs(t, 5)
	}
}

func programs(t *testing.T, length int) {
	ops := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) op {
		n := rapid.IntRange(0, 1<<20)
		return op{rapid.SampledFrom(kinds).Draw(rt, "kind"), n.Draw(rt, "a"), n.Draw(rt, "b"), n.Draw(rt, "c"), n.Draw(rt, "d")}
	}), 1, 40*length)
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 4).Draw(rt, "workers")
		quirks := rapid.IntRange(0, 511).Draw(rt, "quirks")
		program := ops.Draw(rt, "program")
		caps := rapid.SampledFrom(combinations()).Draw(rt, "capabilities")
		var c complaints
		synctest.Test(t, func(*testing.T) { play(&c, workers, quirks, caps, program) })
		if len(c.all) > 0 {
			rt.Fatalf("%s", strings.Join(c.all, "\n"))
		}
	})
}

func play(c *complaints, workers, quirks int, caps pool.Capabilities, program []op) {
	cfg := config(workers)
	w := &world{quirks: quirks}
	if quirks&1 != 0 {
		cfg.TasksPerWorker = 3
	}
	if quirks&2 != 0 {
		cfg.IdleTimeout = 10 * time.Millisecond
	}
	if quirks&4 != 0 {
		cfg.MaxMemory = 1000
	}
	if quirks&8 != 0 {
		cfg.MaxQueued = 20
	}
	var events []pool.Event
	if quirks&16 != 0 {
		cfg.Events = func(ev pool.Event) { events = append(events, ev) }
	}
	if quirks&32 != 0 {
		cfg.Grace = 3 * time.Millisecond
	}
	w.cfg = cfg
	w.lab = newLab(c, cfg, func(l *lab) {
		l.caps = caps
		if quirks&64 != 0 {
			l.lag = 200 * time.Microsecond
		}
		l.hold = quirks&128 != 0
		l.lossy = quirks&256 != 0 && cfg.Events == nil
	})
	for _, o := range program {
		w.do(o)
	}
	w.settle()
	w.check()
	if !caps.Kills {
		time.Sleep(untilAllReturn)
	}
	if cfg.Events != nil {
		order(c, events)
	}
}

func pick[T any](from []T, n int) T { return from[n%len(from)] }

func (w *world) do(o op) {
	switch o.Kind {
	case "submit":
		w.put(o)
	case "extend", "seal", "cancel":
		w.change(o)
	case "resize":
		if err := w.s.Resize(1 + o.A%5); err != nil && w.s.Submit(context.Background(), &w.track(0, trivial).job) == nil {
			w.t.Errorf("Resize: %v", err)
		}
	case "kill", "stop", "continue":
		w.disturb(o)
	case "fail starts":
		w.starts(o.A%7, 0)
	case "slow starts":
		w.starts(0, time.Duration(o.A%50)*time.Millisecond)
	case "slow send":
		w.slowSend.Store(int64(pick([]time.Duration{0, 0, time.Millisecond, 300 * time.Millisecond}, o.A)))
	case "slow read":
		w.slowRead.Store(int64(pick([]time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond}, o.A)))
	case "die in send":
		w.dieInSend.Store(o.A%2 == 0)
	case "advance":
		time.Sleep(pick([]time.Duration{time.Microsecond, 100 * time.Microsecond, 3 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second}, o.A))
	case "settle":
		synctest.Wait()
	case "close":
		if o.A%8 == 0 {
			w.ended = true
			w.s.Close()
		}
	case "terminate":
		if o.A%16 == 0 {
			w.ended, w.killed = true, true
			w.s.Terminate()
			if n := w.alive(); n > 0 {
				w.t.Errorf("%d workers after Terminate", n)
			}
		}
	}
}

// put submits a job of a random shape.
func (w *world) put(o op) {
	timeout := pick([]time.Duration{0, 0, 0, 150 * time.Millisecond, 2 * time.Second}, o.D)
	k := w.track(pick([]int{0, 1, 1, 1, 2, 7, 40, 300}, o.A), func(index, attempt int) act {
		return randomAct(uint64(o.B), index, attempt, timeout > 0, w.quirks&4 != 0)
	})
	k.job.Func = pick([]string{"f", "f", "g"}, o.C)
	if w.quirks&16 != 0 {
		k.job.Func = fmt.Sprint("job ", len(w.jobs))
	}
	k.job.Timeout = timeout
	k.job.Priority = pick([]int{0, 0, 0, 1, -1}, o.C/3)
	k.job.Chunk = pick([]int{0, 0, 0, 1, 5}, o.C/15)
	k.job.Moves = o.C%7 == 3
	k.job.Retries = pick([]int{0, 0, 1, 3}, o.C/75)
	k.job.FailFast = o.C/300%4 == 0
	k.job.Lazy = o.C/1200%4 == 0
	k.job.RunsUserCode = o.D/5%4 == 0
	k.job.Backoff = pool.Backoff{Min: time.Millisecond, Max: 20 * time.Millisecond, Factor: 2, Jitter: 0.5}
	if o.C/4800%4 == 0 {
		k.slow = 300 * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	switch err := w.s.Submit(ctx, &k.job); {
	case err == nil:
		w.jobs = append(w.jobs, k)
	case errors.Is(err, context.DeadlineExceeded) && w.cfg.MaxQueued > 0:
	case w.ended || errors.Is(err, pool.ErrBroken):
	default:
		w.t.Errorf("Submit: %v", err)
	}
}

// randomAct returns the same act for the same arguments. The seed decides what the job is like.
func randomAct(seed uint64, index, attempt int, limited, memory bool) act {
	h := seed*0x9e3779b97f4a7c15 + uint64(index)*0xbf58476d1ce4e5b9 + uint64(attempt)*0x94d049bb133111eb
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 32
	a := act{obeys: h>>40%2 == 0}
	long := []time.Duration{0, time.Microsecond, 50 * time.Microsecond, time.Millisecond, 30 * time.Millisecond}
	a.takes = long[min(int(seed%5), int(h%5))]
	if seed%3 == 0 {
		return a
	}
	switch h >> 8 % 40 {
	case 0, 1:
		a.dies = true
	case 2, 3:
		a.err = errFake
	case 4:
		a.err, a.final = errFake, true
	case 5:
		a.takes = 5 * time.Second
	case 6:
		if limited {
			a.takes = 1000 * time.Hour
		}
	case 7, 8:
		if memory {
			a.grows = int64(h >> 16 % 1500)
		}
	}
	return a
}

func (w *world) change(o op) {
	if len(w.jobs) == 0 {
		return
	}
	k := w.jobs[len(w.jobs)-1-o.A%min(len(w.jobs), 8)]
	switch o.Kind {
	case "extend":
		if k.job.Lazy {
			w.s.Extend(&k.job, o.B%20)
		}
	case "seal":
		w.s.Seal(&k.job)
	case "cancel":
		if o.B%2 == 0 {
			w.s.Cancel(&k.job, errCancel)
		}
	}
}

func (w *world) disturb(o op) {
	w.mu.Lock()
	workers := slices.Clone(w.workers)
	w.mu.Unlock()
	if len(workers) == 0 {
		return
	}
	f := pick(workers, o.A)
	switch o.Kind {
	case "kill":
		f.Kill()
	case "stop":
		f.stop()
	case "continue":
		f.cont()
	}
}

// starts makes the next n starts fail, and all starts slow.
func (w *world) starts(n int, slow time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	until := w.lab.starts + n
	w.onStart = func(start int) (time.Duration, error) {
		if start <= until {
			return slow, errStart
		}
		return slow, nil
	}
}

// settle lets everything continue and waits for the end.
func (w *world) settle() {
	w.starts(0, 0)
	w.slowSend.Store(0)
	w.slowRead.Store(0)
	w.dieInSend.Store(false)
	for _, k := range w.jobs {
		w.s.Seal(&k.job)
	}
	w.mu.Lock()
	for _, f := range w.workers {
		f.cont()
	}
	w.mu.Unlock()
	w.s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Hour)
	defer cancel()
	if err := w.s.Join(ctx); err != nil {
		w.t.Errorf("Join: %v; %+v", err, w.s.Stats())
		for i, k := range w.jobs {
			if !k.isDone() {
				w.t.Errorf("job %d is not done: %d of %d", i, len(k.outcomes), k.job.Items)
			}
		}
		w.s.Terminate()
	}
}

// attempt is one attempt of one task.
type attempt struct {
	job      *pool.Job
	index, n int
}

// check checks what must hold in the end.
func (w *world) check() {
	begun := make(map[attempt]int)
	per := make(map[*fake]int)
	for _, b := range w.seen() {
		begun[attempt{b.job, b.index, b.attempt}]++
		if per[b.worker]++; w.cfg.TasksPerWorker > 0 && per[b.worker] > w.cfg.TasksPerWorker {
			w.t.Errorf("a worker began %d tasks", per[b.worker])
		}
	}
	died := make(map[attempt]bool)
	for d := range w.deaths {
		died[attempt{d.job, d.index, d.attempt}] = true
	}
	for at, n := range begun {
		if n > 1 && !(w.lossy && at.job.Chunk != 1) || at.n > 1+at.job.Retries {
			w.t.Errorf("task %d, attempt %d: begun %d times", at.index, at.n, n)
		}
	}
	total := 0
	for i, k := range w.jobs {
		total += k.job.Items
		if !k.isDone() {
			w.t.Errorf("job %d was never finished", i)
			continue
		}
		failed := w.checkOutcomes(k, i, begun, died)
		switch c := k.cause; {
		case c == nil, errors.Is(c, errCancel), errors.Is(c, pool.ErrBroken):
		case errors.Is(c, pool.ErrTerminated) && w.killed:
		case errors.Is(c, pool.ErrCancelled) && failed && k.job.FailFast:
		default:
			w.t.Errorf("job %d: cause %v", i, c)
		}
	}
	st := w.s.Stats()
	if st.Queued != 0 || st.Running != 0 || st.Stuck != 0 || len(st.Workers) != 0 || st.Done+st.Failed != total {
		w.t.Errorf("%d tasks: %+v", total, st)
	}
	if n := w.alive(); n > 0 {
		w.t.Errorf("%d workers are left", n)
	}
}

// checkOutcomes checks what must hold for the outcomes of one job, and reports
// whether one of them is a failure.
func (w *world) checkOutcomes(k *track, i int, begun map[attempt]int, died map[attempt]bool) (failed bool) {
	for index, o := range k.outcomes {
		failed = failed || o.err != nil
		at := attempt{&k.job, index, o.attempts}
		if begun[at] == 0 {
			w.t.Errorf("job %d, task %d: an outcome (%v) of attempt %d, which was not begun", i, index, o.err, o.attempts)
		}
		a := k.script(index, o.attempts)
		if errors.Is(o.err, errDied) && !died[at] && !w.lossy {
			w.t.Errorf("job %d, task %d: blamed for a death", i, index)
		}
		if errors.Is(o.err, errFake) && a.err == nil {
			w.t.Errorf("job %d, task %d: somebody else's error", i, index)
		}
		if o.err != nil && o.attempts <= k.job.Retries && !a.final {
			w.t.Errorf("job %d, task %d: not tried again: %v", i, index, o.err)
		}
	}
	return failed
}
