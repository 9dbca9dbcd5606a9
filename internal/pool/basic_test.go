package pool_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func TestEveryTaskHasOneOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(3))
		k := l.submit(1000, trivial)
		one := l.submit(1, trivial)
		none := l.submit(0, trivial)
		k.succeeded()
		one.succeeded()
		none.succeeded()
		l.end()
		equal(t, "begins", len(l.seen()), 1001)
	})
}

func TestShortTasksAreNotStuckBehindALongOne(t *testing.T) {
	tasks := func(i int) act {
		if i == 0 {
			return act{takes: 10 * time.Second}
		}
		return act{}
	}
	short := func(t *testing.T, at time.Duration) {
		if at > 100*time.Millisecond {
			t.Errorf("a short task was done after %v", at)
		}
	}
	t.Run("four jobs", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			l := newLab(t, config(2))
			start := time.Now()
			long := l.submit(1, each(tasks))
			for range 3 {
				l.submit(1, trivial).wait()
				short(t, time.Since(start))
			}
			long.wait()
			l.end()
		})
	})
	t.Run("one job", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			l := newLab(t, config(2))
			start := time.Now()
			k := l.submit(4, each(tasks)).wait()
			for i := 1; i < 4; i++ {
				short(t, k.get(i).at.Sub(start))
			}
			l.end()
		})
	})
	t.Run("one chunk", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			l := newLab(t, config(2))
			start := time.Now()
			k := l.submit(4, each(tasks), func(j *pool.Job) { j.Chunk = 4 }).wait()
			for i := 1; i < 4; i++ {
				short(t, k.get(i).at.Sub(start))
			}
			l.end()
		})
	})
}

func TestUnevenTasksUseAllWorkers(t *testing.T) {
	const workers = 4
	durations := make([]time.Duration, 1000)
	for i := range durations {
		durations[i] = 100 * time.Microsecond
		if i >= 900 {
			durations[i] = 50 * time.Millisecond
		}
	}
	check := func(d []time.Duration) func(t *testing.T) {
		return func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := newLab(t, config(workers))
				var sum time.Duration
				for _, x := range d {
					sum += x
				}
				start := time.Now()
				l.submit(len(d), each(func(i int) act { return act{takes: d[i]} })).succeeded()
				ideal := float64(sum) / workers
				if share := ideal / float64(time.Since(start)); share < 0.85 {
					t.Errorf("%.0f %% of the ideal time", 100*share)
				}
				l.end()
			})
		}
	}
	random := append([]time.Duration{}, durations...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(random), func(i, k int) { random[i], random[k] = random[k], random[i] })
	first := append([]time.Duration{}, durations[900:]...)
	first = append(first, durations[:900]...)
	t.Run("long ones last", check(durations))
	t.Run("random", check(random))
	t.Run("long ones first", check(first))
}

func TestChunksAdapt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2), func(l *lab) { l.quiet = true })
		l.submit(1e6, trivial).wait()
		if l.batches > 2000 {
			t.Errorf("a million trivial tasks went in %d batches", l.batches)
		}
		l.end()
	})
}

func TestChunkIsHonoured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.submit(100, trivial, func(j *pool.Job) { j.Chunk = 1 }).succeeded()
		equal(t, "largest span", l.largest, 1)
		l.submit(100, trivial, func(j *pool.Job) { j.Chunk = 7 }).succeeded()
		equal(t, "largest span", l.largest, 7)
		l.end()
	})
}

func TestPriority(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.submit(1, lasting(time.Second))
		synctest.Wait()
		var ks []*track
		for _, p := range []int{0, 5, 0, -1, 5, 7} {
			ks = append(ks, l.submit(1, trivial, func(j *pool.Job) { j.Priority = p }))
		}
		for _, k := range ks {
			k.succeeded()
		}
		var got []*pool.Job
		for _, b := range l.seen()[1:] {
			if len(got) == 0 || got[len(got)-1] != b.job {
				got = append(got, b.job)
			}
		}
		for i, at := range []int{5, 1, 4, 0, 2, 3} {
			if len(got) != 6 || got[i] != &ks[at].job {
				t.Fatalf("place %d: wrong order", i)
			}
		}
		l.end()
	})
}

func TestPriorityOvertakesWhatWasSentAhead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		low := l.submit(1000, lasting(20*time.Microsecond))
		time.Sleep(5 * time.Millisecond)
		before := time.Now()
		l.submit(1, trivial, func(j *pool.Job) { j.Priority = 1 }).succeeded()
		if d := time.Since(before); d > 50*time.Microsecond {
			t.Errorf("it waited for %v", d)
		}
		low.succeeded()
		for i, b := range l.beginsOf(low) {
			if b.index != i {
				t.Fatalf("begin %d was of task %d", i, b.index)
			}
		}
		l.end()
	})
}

// Tasks that were sent ahead and taken back keep their order.
func TestCallingBackKeepsTheOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.submit(100, lasting(10*time.Microsecond)).wait()
		var ks []*track
		for range 300 {
			ks = append(ks, l.submit(1, lasting(10*time.Microsecond)))
		}
		synctest.Wait()
		for range 5 {
			l.submit(1, trivial, func(j *pool.Job) { j.Priority = 1 }).wait()
		}
		for _, k := range ks {
			k.succeeded()
		}
		at := 0
		for _, b := range l.seen() {
			if at < len(ks) && b.job == &ks[at].job {
				at++
			}
		}
		equal(t, "jobs begun in order", at, len(ks))
		l.end()
	})
}

func TestLazyJob(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(0, trivial, func(j *pool.Job) { j.Lazy = true })
		for range 10 {
			l.s.Extend(&k.job, 3)
			synctest.Wait()
		}
		l.s.Close() // jobs that were submitted go on
		l.s.Extend(&k.job, 5)
		synctest.Wait()
		equal(t, "done before Seal", k.isDone(), false)
		l.s.Seal(&k.job)
		l.s.Seal(&k.job)
		k.succeeded()
		equal(t, "outcomes", len(k.outcomes), 35)
		l.s.Extend(&k.job, 1)
		l.end()
	})
}

func TestStats(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.submit(3, trivial).wait()
		l.submit(1, func(int, int) act { return act{err: errFake} }).wait()
		k := l.submit(5, lasting(time.Minute))
		time.Sleep(time.Second)
		st := l.s.Stats()
		equal(t, "queued", st.Queued, 3)
		equal(t, "running", st.Running, 2)
		equal(t, "done", st.Done, 3)
		equal(t, "failed", st.Failed, 1)
		// Tasks were sent ahead as if they were short. Spreading them takes a few checks.
		if busy := st.Workers[0].Busy; busy > time.Second || busy < 900*time.Millisecond {
			t.Errorf("busy for %v", busy)
		}
		equal(t, "state", st.Workers[0].State, pool.Busy)
		l.s.Cancel(&k.job, errFake)
		st = l.s.Stats()
		equal(t, "queued", st.Queued, 0)
		equal(t, "stuck", st.Stuck, 2)
		equal(t, "failed", st.Failed, 6)
		time.Sleep(2 * time.Second)
		st = l.s.Stats()
		equal(t, "running", st.Running, 0)
		equal(t, "restarts", st.Restarts, 2)
		l.end()
	})
}
