package pool_test

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// known lets the scheduler learn how long tasks of a function take.
func known(l *lab, takes time.Duration) {
	for range 4 {
		l.submit(500, lasting(takes)).wait()
	}
	synctest.Wait()
}

// workersOf counts the workers of all begins but the first ones, from in number.
func workersOf(l *lab, from int) int {
	used := make(map[*fake]bool)
	for _, b := range l.seen()[from:] {
		used[b.worker] = true
	}
	return len(used)
}

// Callers of short tasks share the worker that is awake. The others stay asleep.
func TestShortTasksGoToTheWorkerThatIsAwake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(64), func(l *lab) { l.computes = true })
		known(l, 5*time.Microsecond)
		before := len(l.seen())
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for range 100 {
					l.submit(1, lasting(5*time.Microsecond)).wait()
				}
			})
		}
		callers.Wait()
		if n := workersOf(l, before); n > 2 {
			t.Errorf("8 callers of tasks of 5us woke %d workers", n)
		}
		l.end()
	})
}

// Short tasks that compute, however many, wake no more workers than there are processors.
func TestTasksThatComputeUseTheProcessors(t *testing.T) {
	for name, chunk := range map[string]int{"map": 0, "chunks of one": 1} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := newLab(t, config(runtime.NumCPU()+30), func(l *lab) { l.computes = true })
				known(l, 10*time.Microsecond)
				before := len(l.seen())
				l.submit(20_000, lasting(10*time.Microsecond), func(j *pool.Job) { j.Chunk = chunk }).wait()
				if n := workersOf(l, before); n > runtime.NumCPU() {
					t.Errorf("%d workers were used on %d processors", n, runtime.NumCPU())
				}
				l.end()
			})
		})
	}
}

// Short tasks that wait instead of computing use all workers.
func TestShortTasksThatWaitUseAllWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(32))
		known(l, 40*time.Microsecond)
		start := time.Now()
		l.submit(32*1000, lasting(40*time.Microsecond)).wait()
		if d := time.Since(start); d > 60*time.Millisecond {
			t.Errorf("1,000 tasks of 40us on each of 32 workers took %v", d)
		}
		l.end()
	})
}

// Calls of one short task each, which wait instead of computing, use all workers too.
func TestSingleTasksThatWaitUseAllWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(32))
		known(l, 40*time.Microsecond)
		start := time.Now()
		var ks []*track
		for range 32 * 100 {
			ks = append(ks, l.submit(1, lasting(40*time.Microsecond)))
		}
		for _, k := range ks {
			k.wait()
		}
		if d := time.Since(start); d > 8*time.Millisecond {
			t.Errorf("100 tasks of 40us on each of 32 workers took %v", d)
		}
		l.end()
	})
}

// Long tasks after short ones get all workers at once.
func TestTasksThatBecomeLongUseAllWorkers(t *testing.T) {
	for _, takes := range []time.Duration{200 * time.Microsecond, time.Millisecond, 10 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := newLab(t, config(64), func(l *lab) { l.computes = true })
				known(l, 5*time.Microsecond)
				start := time.Now()
				var ks []*track
				for range 64 {
					ks = append(ks, l.submit(1, lasting(takes)))
				}
				for _, k := range ks {
					k.succeeded()
				}
				if d := time.Since(start); d > takes*5/4+10*time.Millisecond {
					t.Errorf("64 tasks of %v on 64 workers took %v", takes, d)
				}
				l.end()
			})
		})
	}
}

// A short task does not wait behind a task that was wrongly expected to be short.
func TestShortTaskBehindOneThatWasThoughtToBeShort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(8), func(l *lab) { l.computes = true })
		known(l, 5*time.Microsecond)
		for i := range 7 {
			long := l.submit(1, lasting(time.Hour))
			for range 20 {
				start := time.Now()
				l.submit(1, lasting(5*time.Microsecond)).succeeded()
				if d := time.Since(start); d > 6*time.Millisecond {
					t.Errorf("behind %d long tasks one of 5us took %v", i+1, d)
				}
			}
			if long.isDone() {
				t.Error("it was not long")
			}
		}
		l.s.Terminate()
	})
}

// A stopped worker does not keep the calls that rely on it from the other workers.
func TestShortTasksBesideAStoppedWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(4), func(l *lab) { l.computes = true })
		known(l, 5*time.Microsecond)
		for i := range 3 {
			l.worker(i).stop()
		}
		start := time.Now()
		var ks []*track
		for range 30 {
			ks = append(ks, l.submit(1, lasting(5*time.Microsecond)))
		}
		for _, k := range ks {
			k.succeeded()
		}
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("it took %v", d)
		}
		for i := range 3 {
			l.worker(i).cont()
		}
		l.end()
	})
}

// patience is how long a task may wait while a worker is idle: a few checks, each of which takes back half of
// the tasks behind a slow one. A stuck task waits for all of the 400 ms that a task takes here.
const patience = 100 * time.Millisecond

// No task waits for long while a worker is idle, whatever is submitted.
func TestRandomTasksDoNotWaitWhileAWorkerIsIdle(t *testing.T) {
	type step struct{ items, takes, fn, chunk, pause int }
	steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
		n := rapid.IntRange(0, 1<<16)
		return step{n.Draw(rt, "items"), n.Draw(rt, "takes"), n.Draw(rt, "fn"), n.Draw(rt, "chunk"), n.Draw(rt, "pause")}
	}), 1, 15)
	rapid.Check(t, func(rt *rapid.T) {
		workers, computes := rapid.IntRange(2, 8).Draw(rt, "workers"), rapid.Bool().Draw(rt, "computes")
		program := steps.Draw(rt, "steps")
		var c complaints
		synctest.Test(t, func(*testing.T) {
			l := newLab(&c, config(workers), func(l *lab) { l.computes = computes })
			var ks []*track
			submitted := make(map[*pool.Job]time.Time)
			for _, st := range program {
				takes := pick([]time.Duration{2 * time.Microsecond, 2 * time.Microsecond, 30 * time.Microsecond, 3 * time.Millisecond, 400 * time.Millisecond}, st.takes)
				k := l.track(pick([]int{1, 1, 1, 3, 50}, st.items), lasting(takes))
				k.job.Func, k.job.Chunk = pick([]string{"f", "f", "g"}, st.fn), pick([]int{0, 0, 0, 1, 20}, st.chunk)
				submitted[&k.job] = time.Now()
				if err := l.s.SubmitNow(&k.job); err != nil {
					c.Errorf("%v", err)
				}
				ks = append(ks, k)
				time.Sleep(pick([]time.Duration{0, time.Microsecond, 100 * time.Microsecond, 2 * time.Millisecond, 60 * time.Millisecond}, st.pause))
			}
			for _, k := range ks {
				k.succeeded()
			}
			waits(&c, l, workers, submitted)
			l.end()
		})
		if len(c.all) > 0 {
			rt.Fatalf("%v", c.all)
		}
	})
}

// waits reports tasks that have waited too long while a worker was idle.
func waits(c *complaints, l *lab, workers int, submitted map[*pool.Job]time.Time) {
	begins := l.seen()
	busy := func(at time.Time) int {
		n := 0
		for _, b := range begins {
			ends := b.at.Add(b.job.Client.(*track).script(b.index, b.attempt).takes)
			if !b.at.After(at) && ends.After(at) {
				n++
			}
		}
		return n
	}
	for _, b := range begins {
		idle := time.Duration(0)
		for at := submitted[b.job]; at.Before(b.at); at = at.Add(time.Millisecond) {
			if busy(at) == workers {
				idle = 0
			} else if idle += time.Millisecond; idle > patience {
				c.Errorf("task %d of %s waited for %v while a worker was idle", b.index, b.job.Func, b.at.Sub(submitted[b.job]))
				return
			}
		}
	}
}
