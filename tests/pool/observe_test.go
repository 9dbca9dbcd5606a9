//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// eventLog keeps the events of a pool.
type eventLog struct {
	mu  sync.Mutex
	all []mp.PoolEvent
}

func (l *eventLog) note(e mp.PoolEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

func (l *eventLog) of(kinds ...mp.EventKind) (found []mp.PoolEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.all {
		for _, k := range kinds {
			if e.Kind == k {
				found = append(found, e)
			}
		}
	}
	return found
}

// first waits for the first event of the kinds.
func (l *eventLog) first(t *testing.T, kinds ...mp.EventKind) mp.PoolEvent {
	t.Helper()
	testkit.Until(t, fmt.Sprint(kinds), func() bool { return len(l.of(kinds...)) > 0 })
	return l.of(kinds...)[0]
}

var observeSpin = mp.Register("observe/spin", func(ctx context.Context, d time.Duration) (int, error) {
	for begun := time.Now(); time.Since(begun) < d; {
	}
	return 0, nil
})

// A task is found again by its ID in every event and in its Outcome, which say what it took.
func TestPoolsTaskIDs(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		var events eventLog
		p := make(mp.PoolConfig{Name: "observed", Workers: 2, Events: events.note})
		ids := map[uint64]bool{}
		var outcomes []mp.Outcome[time.Duration, int]
		for o := range mp.Outcomes(poolCtx(t), p, observeSpin, func(yield func(time.Duration) bool) {
			for range 5 {
				if !yield(5 * time.Millisecond) {
					return
				}
			}
		}) {
			outcomes = append(outcomes, o)
		}
		if _, err := mp.Map(poolCtx(t), p, conformDouble, upTo(10)); err != nil {
			t.Fatal(err)
		}
		mp.Apply(poolCtx(t), p, conformDouble, 1)
		if err := p.Shutdown(poolCtx(t)); err != nil {
			t.Fatal(err)
		}
		for _, e := range events.of(mp.TaskQueued) {
			if e.ID == 0 || ids[e.ID] {
				t.Errorf("%+v", e)
			}
			ids[e.ID] = true
		}
		if len(ids) != 16 {
			t.Errorf("%d IDs", len(ids))
		}
		for _, e := range events.of(mp.TaskDone) {
			if !ids[e.ID] || e.Pool != "observed" || e.Node != "" || e.Wall <= 0 {
				t.Errorf("%+v", e)
			}
		}
		for _, o := range outcomes {
			if !ids[o.ID] || o.Pool != "observed" || o.Node != "" || o.Wall < 5*time.Millisecond {
				t.Errorf("%+v", o)
			}
			for _, e := range events.of(mp.TaskDone) {
				if e.ID == o.ID && (e.Index != o.Index || e.Wall != o.Wall || e.CPU != o.CPU) {
					t.Errorf("%+v, %+v", e, o)
				}
			}
		}
		for _, e := range events.of(mp.WorkerReady, mp.WorkerRecycled) {
			if e.ID != 0 || e.Pool != "observed" {
				t.Errorf("%+v", e)
			}
		}
	})
}

// Processes say what processor time their tasks took.
func TestPoolsCPUInEvents(t *testing.T) {
	t.Parallel()
	var events eventLog
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Events: events.note})
	if _, err := mp.Apply(poolCtx(t), p, observeSpin, 30*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if e := events.first(t, mp.TaskDone); e.CPU <= 0 || e.Wall < 30*time.Millisecond {
		t.Errorf("%+v", e)
	}
}

// An outcome of an input that was never begun has its ID too.
func TestPoolsTaskIDsOfWhatWasNotBegun(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond})
		g := newGate(t)
		ctx, cancel := context.WithCancel(poolCtx(t))
		defer cancel()
		go func() {
			g.begun(t)
			cancel()
		}()
		ids := map[uint64]bool{}
		for o := range mp.Outcomes(ctx, p, conformTask, func(yield func(conformIn) bool) {
			for i := range 4 {
				if !yield(g.task("", i)) {
					return
				}
			}
		}) {
			if o.ID == 0 || ids[o.ID] || !errors.Is(o.Err, context.Canceled) {
				t.Errorf("%+v", o)
			}
			ids[o.ID] = true
		}
	})
}

// Stats say what each worker does, and since when.
func TestPoolsStatsOfWorkers(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 3, Grace: 10 * time.Millisecond})
		g := newGate(t)
		before := time.Now()
		r := mp.MapAsync(poolCtx(t), p, conformTask, []conformIn{{N: 1}, g.task("", 2)}, mp.Chunk(1))
		g.begun(t)
		testkit.Until(t, "one runs", func() bool { return p.Stats().Running == 1 })
		st := p.Stats()
		busy := 0
		for i, w := range st.Workers {
			if w.Worker != i+1 || w.Node != "" {
				t.Errorf("%+v", w)
			}
			if w.State != mp.WorkerBusy {
				if !w.Since.IsZero() || w.Func != "" || w.ID != 0 {
					t.Errorf("idle: %+v", w)
				}
				continue
			}
			busy++
			if w.Func != "conform/task" || w.Index != 1 || w.Attempt != 1 || w.ID == 0 || w.Since.Before(before.Add(-time.Second)) || w.Since.After(time.Now()) {
				t.Errorf("busy: %+v", w)
			}
		}
		if busy != 1 {
			t.Errorf("%d are busy: %+v", busy, st)
		}
		g.open(t)
		if _, err := r.Get(poolCtx(t)); err != nil {
			t.Error(err)
		}
	})
}

// A worker that its pool has ended says why.
func TestPoolsReasons(t *testing.T) {
	for name, c := range map[string]struct {
		cfg mp.PoolConfig
		why error
		act func(t *testing.T, p *mp.Pool)
	}{
		"deadline": {mp.PoolConfig{}, context.DeadlineExceeded, func(t *testing.T, p *mp.Pool) {
			mp.Apply(poolCtx(t), p, conformTask, newGate(t).task("deaf", 1), mp.Timeout(10*time.Millisecond))
		}},
		"cancel": {mp.PoolConfig{}, mp.ErrCancelled, func(t *testing.T, p *mp.Pool) {
			g := newGate(t)
			r := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("deaf", 1))
			g.begun(t)
			r.Cancel()
		}},
		"ctx": {mp.PoolConfig{}, context.Canceled, func(t *testing.T, p *mp.Pool) {
			g := newGate(t)
			ctx, cancel := context.WithCancel(poolCtx(t))
			go func() {
				g.begun(t)
				cancel()
			}()
			mp.Apply(ctx, p, conformTask, g.task("deaf", 1))
		}},
		"terminate":        {mp.PoolConfig{}, mp.ErrTerminated, func(t *testing.T, p *mp.Pool) { p.Terminate() }},
		"close":            {mp.PoolConfig{}, mp.ErrClosed, func(t *testing.T, p *mp.Pool) { p.Close() }},
		"tasks per worker": {mp.PoolConfig{TasksPerWorker: 1}, mp.ErrRecycled, func(t *testing.T, p *mp.Pool) { mp.Apply(poolCtx(t), p, conformDouble, 1) }},
		"resize":           {mp.PoolConfig{Workers: 2}, mp.ErrResized, func(t *testing.T, p *mp.Pool) { p.Resize(1) }},
		"idle":             {mp.PoolConfig{IdleTimeout: 10 * time.Millisecond}, mp.ErrIdle, func(t *testing.T, p *mp.Pool) {}},
	} {
		t.Run(name, func(t *testing.T) {
			onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
				var events eventLog
				cfg := c.cfg
				cfg.Events, cfg.Grace, cfg.Workers = events.note, 20*time.Millisecond, max(1, cfg.Workers)
				p := make(cfg)
				c.act(t, p)
				if e := events.first(t, mp.WorkerDied, mp.WorkerRecycled); !errors.Is(e.Err, c.why) || strings.Count(e.Err.Error(), "mp: ") > 2 {
					t.Errorf("%v: %v", e.Kind, e.Err)
				}
			})
		})
	}
}

// A worker that somebody else has killed was not ended by the pool; one that the pool has killed says how it died too.
func TestPoolsReasonsAndDeaths(t *testing.T) {
	t.Parallel()
	var events eventLog
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond, Events: events.note})
	mp.Apply(poolCtx(t), p, conformTask, newGate(t).task("deaf", 1), mp.Timeout(10*time.Millisecond))
	var died *mp.WorkerDiedError
	if e := events.first(t, mp.WorkerDied); !errors.As(e.Err, &died) || died.Signal != syscall.SIGKILL || died.PID != e.PID {
		t.Errorf("%v", e.Err)
	}
	var pid int
	testkit.Until(t, "there is another worker", func() bool {
		ws := p.Stats().Workers
		if len(ws) == 1 {
			pid = ws[0].PID
		}
		return len(ws) == 1
	})
	syscall.Kill(pid, syscall.SIGKILL)
	testkit.Until(t, "it has died", func() bool { return len(events.of(mp.WorkerDied)) == 2 })
	err := events.of(mp.WorkerDied)[1].Err
	for _, not := range []error{context.DeadlineExceeded, context.Canceled, mp.ErrCancelled, mp.ErrMemory, mp.ErrTerminated, mp.ErrClosed, mp.ErrRecycled} {
		if errors.Is(err, not) {
			t.Errorf("%v is %v", err, not)
		}
	}
}

var observeEat = mp.Register("observe/eat", func(ctx context.Context, n int) (int, error) {
	b := make([]byte, n)
	for i := range b {
		b[i] = 1
	}
	<-ctx.Done()
	return int(b[n-1]), ctx.Err()
})

func TestMemoryIsAReason(t *testing.T) {
	t.Parallel()
	var events eventLog
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, MaxMemory: 64 << 20, Events: events.note})
	mp.Apply(poolCtx(t), p, observeEat, 256<<20)
	if e := events.first(t, mp.WorkerDied); !errors.Is(e.Err, mp.ErrMemory) {
		t.Errorf("%v", e.Err)
	}
}
