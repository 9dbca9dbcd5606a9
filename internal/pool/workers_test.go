package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func TestStartFailsAtNew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l, err := tryLab(t, config(4), func(l *lab) {
			l.onStart = func(start int) (time.Duration, error) {
				switch start {
				case 2:
					return time.Second, errStart
				case 3:
					return time.Hour, nil
				}
				return 0, nil
			}
		})
		is(t, err, errStart)
		equal(t, "workers", l.alive(), 0)
	})
}

func TestLaterStartFailuresBreakThePool(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2), func(l *lab) {
			l.onStart = func(start int) (time.Duration, error) {
				if start > 2 {
					return 0, errStart
				}
				return 0, nil
			}
		})
		k := l.submit(3, lasting(time.Second))
		lazy := l.submit(0, trivial, func(j *pool.Job) { j.Lazy = true })
		synctest.Wait()
		start := time.Now()
		l.worker(1).Kill()
		l.worker(0).Kill()
		k.wait()
		lazy.wait()
		is(t, k.cause, pool.ErrBroken)
		is(t, k.cause, errStart)
		is(t, lazy.cause, pool.ErrBroken)
		is(t, l.s.Submit(context.Background(), &l.track(1, trivial).job), errStart)
		equal(t, "back-offs", time.Since(start), 150*time.Millisecond)
		l.end()
	})
}

func TestStartFailuresAreSurvived(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2), func(l *lab) {
			l.onStart = func(start int) (time.Duration, error) {
				if start > 2 && start < 8 {
					return 0, errStart
				}
				return 0, nil
			}
		})
		k := l.submit(3, func(i, attempt int) act { return act{takes: time.Second, dies: attempt == 1} }, func(j *pool.Job) { j.Retries = 1 })
		k.succeeded()
		l.end()
	})
}

// Workers that repeatedly die as soon as they are ready also break the pool.
func TestWorkersThatDieWhenReadyBreakThePool(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.mu.Lock()
		l.onStart = func(int) (time.Duration, error) {
			time.AfterFunc(time.Millisecond, func() { l.worker(0).Kill() })
			return 0, nil
		}
		l.mu.Unlock()
		time.Sleep(time.Second)
		l.worker(0).Kill()
		time.Sleep(time.Minute)
		err := l.s.Submit(context.Background(), &l.track(1, trivial).job)
		is(t, err, pool.ErrBroken)
		is(t, err, errDied)
		l.end()
	})
}

// Workers that are killed from outside do not break the pool, unless that never
// ends.
func TestWorkersKilledFromOutsideDoNotBreakThePool(t *testing.T) {
	for _, c := range []struct {
		name   string
		shots  int
		broken bool
	}{{"for a while", 100, false}, {"for ever", 1 << 30, true}} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := config(1)
				cfg.KilledOutside = func(err error) bool { return errors.Is(err, errStart) }
				l := newLab(t, cfg, func(l *lab) {
					l.onStart = func(start int) (time.Duration, error) {
						if start > 1 && start <= 1+c.shots {
							return 0, errStart
						}
						return 0, nil
					}
				})
				l.worker(0).Kill()
				k := l.submit(1, trivial)
				k.wait()
				if c.broken {
					is(t, k.cause, pool.ErrBroken)
				} else {
					k.succeeded()
				}
				l.end()
			})
		})
	}
}

func TestTasksPerWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(3)
		cfg.TasksPerWorker = 7
		l := newLab(t, cfg)
		l.submit(500, trivial).succeeded()
		for range 50 {
			l.submit(1, trivial).succeeded()
		}
		l.submit(40, trivial, func(j *pool.Job) { j.Chunk = 10 }).succeeded()
		per := make(map[*fake]int)
		for _, b := range l.seen() {
			per[b.worker]++
		}
		for _, n := range per {
			if n > 7 {
				t.Errorf("a worker began %d tasks", n)
			}
		}
		if most := 590/7 + 3; len(per) > most {
			t.Errorf("%d workers for 590 tasks", len(per))
		}
		equal(t, "restarts", l.s.Stats().Restarts, 0)
		l.end()
	})
}

func TestIdleWorkersEndAndComeBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(4)
		cfg.IdleTimeout = time.Minute
		l := newLab(t, cfg)
		time.Sleep(30 * time.Second)
		l.submit(1, trivial).succeeded()
		time.Sleep(31 * time.Second)
		equal(t, "workers after a minute", l.alive(), 1)
		time.Sleep(30 * time.Second)
		equal(t, "workers after another", l.alive(), 0)
		l.submit(1, trivial).succeeded()
		equal(t, "workers on demand", l.alive(), 1)
		l.submit(10, lasting(10*time.Second)).succeeded()
		equal(t, "workers on more demand", l.alive(), 4)
		l.end()
	})
}

func TestMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(1)
		cfg.MaxMemory = 1000
		l := newLab(t, cfg)
		start := time.Now()
		k := l.submit(3, each(func(i int) act {
			if i == 1 {
				return act{takes: time.Hour, grows: 2000}
			}
			return act{takes: time.Millisecond}
		})).wait()
		is(t, k.err(0), nil)
		is(t, k.err(2), nil)
		var big *errTooBig
		if !errors.As(k.err(1), &big) || big.used != 2000 || big.limit != 1000 {
			t.Errorf("error %v", k.err(1))
		}
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("it took %v", d)
		}
		// A task is not blamed for memory that the one before it left.
		k = l.submit(20, func(int, int) act { return act{takes: 5 * time.Millisecond, grows: 950} })
		k.succeeded()
		workers := make(map[*fake]bool)
		for _, b := range l.beginsOf(k) {
			workers[b.worker] = true
		}
		if len(workers) < 10 {
			t.Errorf("%d workers for 20 tasks that leave much", len(workers))
		}
		equal(t, "restarts", l.s.Stats().Restarts, 1)
		l.end()
	})
}

func TestResize(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(100, lasting(time.Second))
		time.Sleep(1500 * time.Millisecond)
		equal(t, "running", l.s.Stats().Running, 2)
		is(t, l.s.Resize(5), nil)
		time.Sleep(time.Millisecond)
		equal(t, "running", l.s.Stats().Running, 5)
		is(t, l.s.Resize(1), nil)
		time.Sleep(time.Second)
		equal(t, "running", l.s.Stats().Running, 1)
		equal(t, "workers", l.alive(), 1)
		if l.s.Resize(0) == nil {
			t.Error("Resize(0) did something")
		}
		is(t, l.s.Resize(4), nil)
		k.succeeded()
		equal(t, "workers", l.alive(), 4)
		is(t, l.s.Resize(2), nil)
		synctest.Wait()
		equal(t, "workers", l.alive(), 2)
		equal(t, "begins", len(l.seen()), 100)
		l.end()
		is(t, l.s.Resize(2), pool.ErrClosed)
	})
}

// A task that is taken back does not count as one of the worker's tasks.
func TestTasksPerWorkerCountsWhatWasBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(1)
		cfg.TasksPerWorker = 100
		l := newLab(t, cfg)
		low := l.submit(95, lasting(20*time.Microsecond))
		for range 5 {
			time.Sleep(150 * time.Microsecond)
			l.submit(1, trivial, func(j *pool.Job) { j.Priority = 1 }).succeeded()
		}
		low.succeeded()
		equal(t, "begins", len(l.seen()), 100)
		for _, b := range l.seen() {
			equal(t, "the worker", b.worker, l.seen()[0].worker)
		}
		l.end()
	})
}

func TestResizeWhileWorkersStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.mu.Lock()
		l.onStart = func(int) (time.Duration, error) { return time.Second, nil }
		l.mu.Unlock()
		is(t, l.s.Resize(4), nil)
		is(t, l.s.Resize(2), nil)
		l.submit(10, lasting(time.Second)).succeeded()
		equal(t, "workers", l.alive(), 2)
		l.end()
	})
}

func TestIdleWorkerThatIsTooBigIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(1)
		cfg.MaxMemory = 1000
		l := newLab(t, cfg)
		f := l.worker(0)
		l.submit(1, trivial).succeeded()
		synctest.Wait()
		f.mu.Lock()
		f.memory = 5000 // as a finalizer or another thread could use
		f.mu.Unlock()
		time.Sleep(time.Second)
		equal(t, "the worker is another one", l.worker(0) != f, true)
		l.end()
	})
}
