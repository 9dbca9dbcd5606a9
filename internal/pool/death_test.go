package pool_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func TestOnlyTheRunningItemIsBlamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(500, each(func(i int) act { return act{takes: time.Microsecond, dies: i == 77} })).wait()
		for i := range 500 {
			if i == 77 {
				is(t, k.err(i), errDied)
			} else {
				is(t, k.err(i), nil)
			}
		}
		equal(t, "begins", len(l.seen()), 500)
		l.end()
	})
}

func TestEachTaskKillsItsWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		start := time.Now()
		k := l.submit(50, func(int, int) act { return act{dies: true} }).wait()
		for i := range 50 {
			is(t, k.err(i), errDied)
		}
		equal(t, "begins", len(l.seen()), 50)
		equal(t, "restarts", l.s.Stats().Restarts, 50)
		if d := time.Since(start); d > 0 {
			t.Errorf("replacing the dead took %v", d)
		}
		l.end()
	})
}

func TestKilledFromOutside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.worker(0).Kill() // idle
		l.worker(1).Kill()
		synctest.Wait()
		k := l.submit(4, lasting(time.Second))
		time.Sleep(100 * time.Millisecond)
		l.seen()[0].worker.Kill() // running
		k.wait()
		is(t, k.err(l.seen()[0].index), errDied)
		for i := range 4 {
			if i != l.seen()[0].index {
				is(t, k.err(i), nil)
			}
		}
		l.end()
	})
}

func TestDeathDuringSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.dieInSend.Store(true)
		l.submit(20, trivial, func(j *pool.Job) { j.Chunk = 5 }).succeeded()
		equal(t, "begins", len(l.seen()), 20)
		l.end()
	})
}

func TestKilledDuringSlowSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.slowSend.Store(int64(time.Minute))
		k := l.submit(3, trivial)
		synctest.Wait()
		l.slowSend.Store(0)
		l.worker(0).Kill()
		k.succeeded()
		equal(t, "begins", len(l.seen()), 3)
		l.end()
	})
}

// A slow Send that makes progress is allowed to finish.
func TestSlowSendIsGivenTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.slowSend.Store(int64(30 * time.Second))
		l.submit(2, trivial, func(j *pool.Job) { j.Timeout = time.Second }).succeeded()
		l.end()
	})
}

func TestStoppedWorkersTasksGoElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.worker(0).stop()
		start := time.Now()
		l.submit(10, trivial).succeeded()
		for range 10 {
			l.submit(1, trivial).succeeded()
		}
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("it took %v", d)
		}
		equal(t, "begins", len(l.seen()), 20)
		l.worker(0).cont()
		synctest.Wait()
		k := l.submit(2, lasting(time.Second)).wait()
		equal(t, "the worker that goes on has tasks", k.get(0).pid != k.get(1).pid, true)
		l.worker(0).stop()
		l.end() // and one that does not close is killed
	})
}

func TestStoppedWithBlockedSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.slowSend.Store(int64(time.Hour))
		k := l.submit(1, trivial)
		synctest.Wait()
		l.slowSend.Store(0)
		start := time.Now()
		k.succeeded()
		if d := time.Since(start); d > 200*time.Millisecond {
			t.Errorf("the task waited for %v", d)
		}
		l.s.Terminate()
	})
}

func TestTheOnlyWorkerIsStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.worker(0).stop()
		start := time.Now()
		k := l.submit(3, trivial, func(j *pool.Job) { j.Timeout = 3 * time.Second })
		k.succeeded()
		equal(t, "time", time.Since(start), 3*time.Second)
		equal(t, "attempts", k.get(0).attempts, 1)
		equal(t, "begins", len(l.seen()), 3)
		l.end()
	})
}

func TestRetries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		script := func(i, attempt int) act {
			switch {
			case attempt > i:
				return act{}
			case i%2 == 0:
				return act{dies: true}
			}
			return act{err: errFake}
		}
		k := l.submit(5, script, func(j *pool.Job) {
			j.Retries = 3
			j.Backoff = pool.Backoff{Min: 10 * time.Millisecond, Max: time.Second, Factor: 2}
		}).wait()
		for i := range 4 {
			is(t, k.err(i), nil)
			equal(t, "attempts", k.get(i).attempts, i+1)
		}
		is(t, k.err(4), errDied)
		equal(t, "attempts", k.get(4).attempts, 4)
		equal(t, "retried", l.s.Stats().Retried, 0+1+2+3+3)
		l.end()
	})
}

func TestFinalErrorsAreNotRetried(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(1, func(int, int) act { return act{err: errFake, final: true} }, func(j *pool.Job) { j.Retries = 9 }).wait()
		is(t, k.err(0), errFake)
		equal(t, "begins", len(l.seen()), 1)
		l.end()
	})
}

func TestBackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		fails := func(int, int) act { return act{err: errFake} }
		gaps := func(jitter float64) (out []time.Duration) {
			k := l.submit(1, fails, func(j *pool.Job) {
				j.Retries = 6
				j.Backoff = pool.Backoff{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond, Factor: 2, Jitter: jitter}
			}).wait()
			bs := l.beginsOf(k)
			for i := 1; i < len(bs); i++ {
				out = append(out, bs[i].at.Sub(bs[i-1].at))
			}
			return out
		}
		want := []time.Duration{10, 20, 40, 80, 100, 100}
		for i, d := range gaps(0) {
			equal(t, "gap", d, want[i]*time.Millisecond)
		}
		differ := false
		for i, d := range gaps(0.5) {
			full := want[i] * time.Millisecond
			if d < full/2 || d > full {
				t.Errorf("gap %v", d)
			}
			differ = differ || d != full
		}
		equal(t, "jitter", differ, true)
		l.end()
	})
}

// When a worker dies and the results of ended tasks are lost with it, tasks of a chunk
// begin again. Tasks that are handed over one at a time fail.
func TestResultsThatAreLostWithTheirWorker(t *testing.T) {
	lossy := func(l *lab) { l.lossy, l.hold = true, true }
	script := func(index, _ int) act { return act{takes: time.Microsecond, dies: index == 16} }
	run := func(t *testing.T, chunk int) (l *lab, k *track) {
		l = newLab(t, config(1), lossy)
		l.submit(200, lasting(time.Microsecond)).succeeded()
		k = l.submit(20, script, func(j *pool.Job) { j.Chunk = chunk }).wait()
		is(t, k.err(16), errDied)
		for i := 17; i < 20; i++ {
			is(t, k.err(i), nil)
		}
		l.end()
		return l, k
	}
	t.Run("one at a time", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			l, k := run(t, 1)
			is(t, k.err(15), errDied)
			equal(t, "begins", len(l.beginsOf(k)), 20)
		})
	})
	t.Run("in a chunk", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			l, k := run(t, 20)
			is(t, k.err(15), nil)
			equal(t, "begins", len(l.beginsOf(k)), 36)
		})
	})
}

func TestTheIdleTakeWhatADeadWorkerHad(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.mu.Lock()
		l.onStart = func(int) (time.Duration, error) { return time.Hour, nil }
		l.mu.Unlock()
		start := time.Now()
		l.slowSend.Store(int64(time.Hour))
		k := l.submit(1, trivial)
		synctest.Wait()
		l.slowSend.Store(0)
		for _, ws := range l.s.Stats().Workers {
			for i := range 2 {
				if f := l.worker(i); ws.State == pool.Busy && f.PID() == ws.PID {
					f.Kill()
				}
			}
		}
		k.succeeded()
		equal(t, "time", time.Since(start), 0)
		l.s.Terminate()
	})
}

// A worker that reports a task that it was not sent is killed, and nothing else happens.
func TestResultsThatCannotBe(t *testing.T) {
	for _, count := range []int{-1, 0, 2, math.MaxInt} {
		t.Run("", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := newLab(t, config(1))
				k := l.submit(1, func(int, int) act { return act{takes: time.Second, lies: []int{count}} }).wait()
				is(t, k.err(0), errDied)
				l.end()
			})
		})
	}
}
