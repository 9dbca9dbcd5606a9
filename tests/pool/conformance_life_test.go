//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestPoolsClose(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		if err := p.Join(poolCtx(t)); !errors.Is(err, mp.ErrOpen) {
			t.Errorf("Join before Close: %v", err)
		}
		var rs []*mp.Result[int]
		for i := range 300 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformDouble, i))
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		for name, err := range everyCall(poolCtx(t), p, conformTask, []conformIn{{}}) {
			if !errors.Is(err, mp.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if err := p.Resize(3); !errors.Is(err, mp.ErrClosed) {
			t.Errorf("Resize after Close: %v", err)
		}
		for range 2 {
			if err := p.Join(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		for i, r := range rs {
			if v, err := r.Get(poolCtx(t)); !r.Ready() || v != 2*i || err != nil {
				t.Errorf("%d: %d, %v", i, v, err)
			}
		}
		if st := p.Stats(); len(st.Workers) != 0 || st.Done != 300 {
			t.Errorf("%+v", st)
		}
		p.Terminate()
	})
}

// A closed pool whose ctx ends is terminated by Shutdown, and left alone by Join.
func TestPoolsShutdown(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		r := mp.MapAsync(poolCtx(t), p, conformDouble, upTo(1000))
		if err := p.Shutdown(poolCtx(t)); err != nil || !r.Ready() || r.Err() != nil {
			t.Error(err, r.Err())
		}
		p = make(mp.PoolConfig{Workers: 2})
		g := newGate(t)
		hangs := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("deaf", 1))
		g.begun(t)
		p.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := p.Join(ctx); err != context.DeadlineExceeded || hangs.Ready() {
			t.Error(err, hangs.Err())
		}
		ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := p.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if _, err := hangs.Get(poolCtx(t)); !errors.Is(err, mp.ErrTerminated) {
			t.Error(err)
		}
	})
}

// Terminate ends a pool at once, with whatever waits and runs.
func TestPoolsTerminate(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		g := newGate(t)
		running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("deaf", 1))
		var rs []*mp.Result[int]
		for range 10_000 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1)))
		}
		g.begun(t)
		began := time.Now()
		p.Terminate()
		if took := time.Since(began); took > testkit.Within(time.Second) {
			t.Errorf("after %v", took)
		}
		if n := len(p.Stats().Workers); n != 0 {
			t.Errorf("%d workers", n)
		}
		for _, r := range append(rs, running) {
			if _, err := r.Get(poolCtx(t)); !errors.Is(err, mp.ErrTerminated) {
				t.Fatal(err)
			}
		}
		for name, err := range everyCall(poolCtx(t), p, conformTask, []conformIn{{}}) {
			if !errors.Is(err, mp.ErrTerminated) {
				t.Errorf("%s after Terminate: %v", name, err)
			}
		}
		if err := p.Join(poolCtx(t)); err != nil {
			t.Error(err)
		}
		p.Terminate()
	})
}

// Pools that are ended from several sides at once.
func TestPoolsEndAtOnce(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		for range testkit.Times(5, 50) {
			p := make(mp.PoolConfig{Workers: 2})
			var submits sync.WaitGroup
			for range 4 {
				submits.Go(func() {
					for range 100 {
						if _, err := mp.Apply(poolCtx(t), p, conformDouble, 1); err != nil {
							if !errors.Is(err, mp.ErrClosed) && !errors.Is(err, mp.ErrTerminated) {
								t.Error(err)
							}
							return
						}
					}
				})
			}
			submits.Go(func() { p.Close() })
			submits.Go(func() { p.Shutdown(poolCtx(t)) })
			submits.Go(func() { p.Resize(3) })
			submits.Go(p.Terminate)
			submits.Go(func() { p.Stats() })
			submits.Wait()
			if err := p.Join(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPoolsResize(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		for _, n := range []int{4, 2, 5, 1} {
			r := mp.MapAsync(poolCtx(t), p, conformDouble, upTo(2000))
			if err := p.Resize(n); err != nil {
				t.Error(err)
			}
			if out, err := r.Get(poolCtx(t)); err != nil || !slices.Equal(out, doubles(2000)) {
				t.Error(err)
			}
			until(t, fmt.Sprintf("%d workers", n), func() bool { return len(p.Stats().Workers) == n })
		}
		// As many tasks run at once as there are workers.
		if err := p.Resize(3); err != nil {
			t.Error(err)
		}
		g := []gate{newGate(t), newGate(t), newGate(t)}
		var rs []*mp.Result[int]
		for i := range g {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformTask, g[i].task("", i)))
		}
		for i := range g {
			g[i].begun(t)
		}
		if st := p.Stats(); st.Running != 3 || len(st.Workers) != 3 || st.Workers[0].State != mp.WorkerBusy || st.Workers[0].Busy <= 0 {
			t.Errorf("%+v", st)
		}
		for i := range g {
			g[i].open(t)
			if v, err := rs[i].Get(poolCtx(t)); v != i || err != nil {
				t.Error(v, err)
			}
		}
	})
}

func TestPoolsStats(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		mp.Map(poolCtx(t), p, conformTask, conformInputs(100, map[int]string{1: "fails", 50: "panics"}))
		mp.Apply(poolCtx(t), p, conformTask, conformIn{How: "fails until", N: 3}, mp.Retries(2, quickBackoff))
		g := newGate(t)
		r := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		other := newGate(t)
		last := mp.ApplyAsync(poolCtx(t), p, conformTask, other.task("", 1))
		other.begun(t)
		waits := mp.ApplyAsync(poolCtx(t), p, conformDouble, 1)
		st := p.Stats()
		if st.Done != 99 || st.Failed != 2 || st.Retried != 2 || st.Running != 2 || st.Queued != 1 || st.Restarts != 0 || st.Stuck != 0 {
			t.Errorf("%+v", st)
		}
		tasks := 0
		for _, w := range st.Workers {
			tasks += w.Tasks
			if w.PID == 0 || w.State != mp.WorkerBusy {
				t.Errorf("%+v", w)
			}
		}
		if tasks != 103 {
			t.Errorf("%d tasks", tasks)
		}
		waits.Cancel()
		g.open(t)
		other.open(t)
		for _, r := range []*mp.Result[int]{r, last} {
			if v, err := r.Get(poolCtx(t)); v != 1 || err != nil {
				t.Error(v, err)
			}
		}
		until(t, "all is quiet", func() bool { st = p.Stats(); return st.Running == 0 })
		if st.Queued != 0 || st.Done != 101 || st.Failed != 3 {
			t.Errorf("%+v", st)
		}
	})
}

// Each task's events come in order, and each worker's.
func TestPoolsEvents(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		var events []mp.PoolEvent
		p := make(mp.PoolConfig{Workers: 2, TasksPerWorker: 50, Events: func(e mp.PoolEvent) { events = append(events, e) }})
		const n = 300
		kinds := map[int]string{7: "fails", 100: "panics", 200: "exits"}
		mp.Map(poolCtx(t), p, conformTask, conformInputs(n, kinds), mp.Retries(1, quickBackoff))
		if err := p.Shutdown(poolCtx(t)); err != nil {
			t.Fatal(err)
		}
		history := map[int]string{}
		workers := map[int]mp.EventKind{}
		last := time.Time{}
		for _, e := range events {
			if e.Time.Before(last) {
				t.Errorf("%v goes back in time", e)
			}
			last = e.Time
			if e.Index >= 0 {
				if history[e.Index] += fmt.Sprintf("%v %d,", strings.TrimPrefix(e.Kind.String(), "task "), e.Attempt); e.Func != "conform/task" {
					t.Errorf("%+v", e)
				}
				continue
			}
			switch before := workers[e.Worker]; {
			case e.Kind == mp.WorkerStarted && (before == mp.WorkerStarted || before == mp.WorkerReady),
				e.Kind == mp.WorkerReady && before != mp.WorkerStarted, e.Kind == mp.WorkerDied:
				t.Errorf("worker %d: %v after %v", e.Worker, e.Kind, before)
			}
			workers[e.Worker] = e.Kind
		}
		for i := range n {
			want := "queued 1,started 1,done 1,"
			if kinds[i] != "" {
				want = "queued 1,started 1,retried 1,started 2,failed 2,"
			}
			if history[i] != want {
				t.Errorf("task %d: %s", i, history[i])
			}
		}
		for n, kind := range workers {
			if kind != mp.WorkerRecycled {
				t.Errorf("worker %d: at last %v", n, kind)
			}
		}
	})
}

// Workers that have done their part, or were idle for long, are replaced when there is work.
func TestPoolsWorkersComeAndGo(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		var mu sync.Mutex
		count := map[mp.EventKind]int{}
		events := func(e mp.PoolEvent) {
			mu.Lock()
			defer mu.Unlock()
			count[e.Kind]++
		}
		p := make(mp.PoolConfig{Workers: 2, TasksPerWorker: 10, Events: events})
		out, err := mp.Map(poolCtx(t), p, conformDouble, upTo(200))
		if err != nil || !slices.Equal(out, doubles(200)) {
			t.Error(err)
		}
		until(t, "the workers were replaced", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return count[mp.WorkerRecycled] >= 19
		})
		if n := p.Stats().Restarts; n != 0 {
			t.Errorf("%d restarts", n)
		}
		p = make(mp.PoolConfig{Workers: 3, IdleTimeout: 20 * time.Millisecond})
		for range 3 {
			until(t, "the workers have gone", func() bool { return len(p.Stats().Workers) == 0 })
			if out, err := mp.Map(poolCtx(t), p, conformDouble, upTo(50)); err != nil || !slices.Equal(out, doubles(50)) {
				t.Error(err)
			}
		}
	})
}

// ApplyAsync and MapAsync wait for room; what waits for its outcome anyway does not.
func TestPoolsMaxQueued(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, MaxQueued: 3, Grace: 10 * time.Millisecond})
		g := newGate(t)
		running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		var rs []*mp.Result[int]
		for i := range 3 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformDouble, i))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := mp.ApplyAsync(ctx, p, conformDouble, 1).Err(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := mp.MapAsync(ctx, p, conformDouble, upTo(5)).Err(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		more := later(func() *mp.Result[int] { return mp.ApplyAsync(context.Background(), p, conformDouble, 4) })
		waits := later(func() error { _, err := mp.Apply(poolCtx(t), p, conformDouble, 4); return err })
		g.open(t)
		if v, err := (<-more).Get(poolCtx(t)); v != 8 || err != nil {
			t.Error(v, err)
		}
		if err := <-waits; err != nil {
			t.Error(err)
		}
		for _, r := range append(rs, running) {
			if _, err := r.Get(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		// Those that wait for room are let go when the pool ends.
		g = newGate(t)
		mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		for range 3 {
			mp.ApplyAsync(poolCtx(t), p, conformDouble, 1)
		}
		refused := later(func() error { return mp.ApplyAsync(context.Background(), p, conformDouble, 4).Err() })
		p.Terminate()
		if err := <-refused; err != nil && !errors.Is(err, mp.ErrTerminated) {
			t.Error(err)
		}
	})
}

// later has f called on another goroutine, and gives what it returns.
func later[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

// Higher priorities first, equal ones as they came.
func TestPoolsPriority(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		g := newGate(t)
		first := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 0))
		g.begun(t)
		var mu sync.Mutex
		var order []int
		for i := range 30 {
			mp.ApplyAsync(poolCtx(t), p, conformDouble, i, mp.Priority(i%3)).OnDone(func(v int, _ error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, v/2)
			})
		}
		g.open(t)
		p.Close()
		if err := p.Join(poolCtx(t)); err != nil || first.Err() != nil {
			t.Fatal(err, first.Err())
		}
		want := upTo(30)
		slices.SortStableFunc(want, func(a, b int) int { return b%3 - a%3 })
		if !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
	})
}
