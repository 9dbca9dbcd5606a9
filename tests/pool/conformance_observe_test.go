//go:build unix

package pool_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

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
		testkit.Until(t, "all is quiet", func() bool { st = p.Stats(); return st.Running == 0 })
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
		testkit.Until(t, "the workers were replaced", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return count[mp.WorkerRecycled] >= 19
		})
		if n := p.Stats().Restarts; n != 0 {
			t.Errorf("%d restarts", n)
		}
		p = make(mp.PoolConfig{Workers: 3, IdleTimeout: 20 * time.Millisecond})
		for range 3 {
			testkit.Until(t, "the workers have gone", func() bool { return len(p.Stats().Workers) == 0 })
			if out, err := mp.Map(poolCtx(t), p, conformDouble, upTo(50)); err != nil || !slices.Equal(out, doubles(50)) {
				t.Error(err)
			}
		}
	})
}
