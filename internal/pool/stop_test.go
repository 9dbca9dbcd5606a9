package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func timeout(d time.Duration) func(*pool.Job) { return func(j *pool.Job) { j.Timeout = d } }

func TestTimeoutKillsAfterTheGrace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		start := time.Now()
		k := l.submit(3, each(func(i int) act {
			if i == 1 {
				return act{takes: time.Hour}
			}
			return act{takes: 30 * time.Millisecond}
		}), timeout(2*time.Second)).wait()
		is(t, k.err(0), nil)
		is(t, k.err(2), nil)
		var late *errTimedOut
		if !errors.As(k.err(1), &late) || late.after != 2*time.Second || late.stack != "stack of worker 1" {
			t.Errorf("error %+v", k.err(1))
		}
		equal(t, "killed", k.get(1).at.Sub(start), 3030*time.Millisecond)
		equal(t, "begins", len(l.seen()), 3)
		l.end()
	})
}

func TestTimeoutIsToldToTheTask(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		start := time.Now()
		k := l.submit(10, each(func(i int) act { return act{takes: time.Duration(i) * 10 * time.Millisecond, obeys: true} }),
			timeout(75*time.Millisecond)).wait()
		at := start
		for i := range 10 {
			d := time.Duration(i) * 10 * time.Millisecond
			if d < 75*time.Millisecond {
				is(t, k.err(i), nil)
			} else {
				is(t, k.err(i), errCancel)
				d = 75 * time.Millisecond
			}
			at = at.Add(d)
			equal(t, "end", k.get(i).at, at)
		}
		equal(t, "restarts", l.s.Stats().Restarts, 0)
		l.end()
	})
}

func TestWhatEndsWithinTheGraceIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.submit(4, lasting(1500*time.Millisecond), timeout(time.Second)).succeeded()
		equal(t, "restarts", l.s.Stats().Restarts, 0)
		equal(t, "workers", l.alive(), 1)
		l.end()
	})
}

// A task with a long timeout does not hide the shorter timeout of a later one.
func TestShorterTimeoutAfterALongerOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.submit(1, trivial, timeout(time.Hour)).succeeded()
		start := time.Now()
		k := l.submit(1, func(int, int) act { return act{takes: time.Hour, obeys: true} }, timeout(100*time.Millisecond)).wait()
		is(t, k.err(0), errCancel)
		equal(t, "time", time.Since(start), 100*time.Millisecond)
		l.end()
	})
}

func TestNeighboursOfATimeoutGoElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(1000, each(func(i int) act {
			if i == 333 {
				return act{takes: time.Hour}
			}
			return act{takes: 20 * time.Microsecond}
		}), timeout(50*time.Millisecond)).wait()
		for i := range 1000 {
			if i != 333 {
				is(t, k.err(i), nil)
				equal(t, "attempts", k.get(i).attempts, 1)
			}
		}
		if k.err(333) == nil {
			t.Error("the late one succeeded")
		}
		equal(t, "begins", len(l.seen()), 1000)
		l.end()
	})
}

func TestRetryAfterATimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(1, func(_, attempt int) act { return act{takes: time.Hour * time.Duration(2-attempt)} }, timeout(time.Second),
			func(j *pool.Job) { j.Retries = 1 })
		k.succeeded()
		equal(t, "attempts", k.get(0).attempts, 2)
		l.end()
	})
}

func TestCancelQueuedAndRunning(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		start := time.Now()
		k := l.submit(100, each(func(i int) act { return act{takes: time.Hour, obeys: i == 0} }))
		synctest.Wait() // until both workers have one of them
		other := l.submit(2, lasting(time.Second))
		synctest.Wait()
		l.s.Cancel(&k.job, errFake)
		k.wait() // at once
		equal(t, "time", time.Since(start), 0)
		is(t, k.cause, errFake)
		equal(t, "outcomes", len(k.outcomes), 0)
		other.succeeded()
		equal(t, "the one that obeys frees its worker", time.Since(start), 2*time.Second)
		equal(t, "restarts", l.s.Stats().Restarts, 1)
		l.s.Cancel(&k.job, nil)
		l.s.Cancel(&other.job, nil)
		is(t, other.cause, nil)
		l.end()
	})
}

func TestCancelLazy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(5, lasting(time.Second), func(j *pool.Job) { j.Lazy = true })
		time.Sleep(2500 * time.Millisecond)
		l.s.Cancel(&k.job, errFake)
		is(t, k.wait().cause, errFake)
		equal(t, "outcomes", len(k.outcomes), 4)
		l.s.Extend(&k.job, 3)
		l.s.Seal(&k.job)
		l.end()
		equal(t, "begins", len(l.seen()), 5)
	})
}

func TestCancelWhileATaskWaitsForItsBackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(2, func(int, int) act { return act{err: errFake} }, func(j *pool.Job) {
			j.Retries = 5
			j.Backoff = pool.Backoff{Min: time.Minute, Max: time.Minute, Factor: 1}
		})
		synctest.Wait()
		equal(t, "queued", l.s.Stats().Queued, 2)
		l.s.Cancel(&k.job, errFake)
		k.wait()
		equal(t, "queued", l.s.Stats().Queued, 0)
		l.end()
		time.Sleep(2 * time.Minute)
		equal(t, "begins", len(l.seen()), 2)
	})
}

// A call does not end while its inputs are read, because its caller may change them after that.
func TestNoEndWhileInputsAreRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(1, trivial)
		k.wait()
		equal(t, "nothing is being read", l.s.EncodingDone(&k.job) == nil, true)
		l.slowRead.Store(int64(time.Second))
		ends := map[string]func(k *track){
			"cancelled":  func(k *track) { l.s.Cancel(&k.job, errFake) },
			"terminated": func(k *track) { go l.s.Terminate() },
		}
		for _, how := range []string{"cancelled", "terminated"} {
			start := time.Now()
			k = l.submit(1, trivial)
			synctest.Wait()
			ends[how](k)
			synctest.Wait()
			equal(t, how+" at once", k.isDone(), false)
			released := l.s.EncodingDone(&k.job)
			k.wait()
			<-released
			equal(t, how, time.Since(start), time.Second)
			equal(t, "nothing is being read", l.s.EncodingDone(&k.job) == nil, true)
		}
	})
}

func TestReadingThatDoesNotEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.slowRead.Store(int64(time.Hour))
		k := l.submit(1, trivial)
		synctest.Wait()
		start := time.Now()
		l.s.Cancel(&k.job, errFake)
		<-l.s.EncodingDone(&k.job)
		k.wait()
		equal(t, "given up after", time.Since(start), 5*time.Second)
		is(t, k.cause, errFake)
		start = time.Now()
		l.s.Terminate()
		equal(t, "Terminate took", time.Since(start), 0)
		time.Sleep(time.Hour) // for the goroutine that reads
	})
}

// Inputs of a cancelled call that are still being sent do not delay other calls.
func TestSendOfACancelledCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.slowSend.Store(int64(time.Hour))
		k := l.submit(1, trivial)
		synctest.Wait()
		start := time.Now()
		l.s.Cancel(&k.job, errFake)
		k.wait()
		equal(t, "ended after", time.Since(start), 0)
		l.slowSend.Store(0)
		l.submit(1, trivial).succeeded()
		equal(t, "the next one after", time.Since(start), 20*time.Millisecond)
		l.end()
	})
}

// A task that runs while a cancelled call's input is sent behind it is not blamed for the slow send.
func TestSendBesideAnInnocentTask(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.submit(100, lasting(10*time.Microsecond)).wait()
		innocent := l.submit(1, lasting(500*time.Millisecond))
		synctest.Wait()
		l.slowSend.Store(int64(300 * time.Millisecond))
		k := l.submit(1, trivial)
		synctest.Wait()
		l.s.Cancel(&k.job, errFake)
		k.wait()
		l.slowSend.Store(0)
		innocent.succeeded()
		l.end()
	})
}

func TestFailFast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(100, each(func(i int) act {
			a := act{takes: time.Second, obeys: true}
			if i == 10 {
				a.err = errFake
			}
			return a
		}), func(j *pool.Job) { j.FailFast = true }).wait()
		is(t, k.cause, pool.ErrCancelled)
		is(t, k.err(10), errFake)
		if n := len(k.outcomes); n < 11 || n > 12 {
			t.Errorf("%d outcomes", n)
		}
		st := l.s.Stats()
		equal(t, "done and failed", st.Done+st.Failed, 100)
		l.end()
	})
}

// When the last task fails, nothing is left to cancel.
func TestFailFastOfTheLastTask(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(2, each(func(i int) act { return act{dies: i == 1} }), func(j *pool.Job) { j.FailFast = true }).wait()
		is(t, k.cause, nil)
		is(t, k.err(1), errDied)
		l.end()
	})
}

// When a worker's death ends a job by a failure, the neighbouring tasks are not given back twice.
func TestFailFastByADeath(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.submit(200, lasting(time.Microsecond)).wait()
		var others []*track
		bad := l.submit(1, func(int, int) act { return act{takes: time.Millisecond, dies: true} }, func(j *pool.Job) { j.FailFast = true })
		more := l.submit(50, trivial, func(j *pool.Job) { j.FailFast = true })
		for range 100 {
			others = append(others, l.submit(1, trivial))
		}
		bad.wait()
		more.succeeded()
		for _, k := range others {
			k.succeeded()
		}
		equal(t, "begins", len(l.seen()), 351)
		equal(t, "queued", l.s.Stats().Queued, 0)
		l.end()
	})
}

func TestMaxQueued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(2)
		cfg.MaxQueued = 2
		l := newLab(t, cfg)
		start := time.Now()
		var ks []*track
		for range 8 {
			ks = append(ks, l.submit(1, lasting(time.Second)))
			synctest.Wait() // until all tasks that can be sent are sent
		}
		equal(t, "submitted", time.Since(start), 2*time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		is(t, l.s.Submit(ctx, &l.track(1, trivial).job), context.DeadlineExceeded)
		is(t, l.s.Submit(ctx, &l.track(1, trivial).job), context.DeadlineExceeded)
		for _, k := range ks {
			k.succeeded()
		}
		l.end()
	})
}

func TestMaxQueuedEndsWithThePool(t *testing.T) {
	for _, end := range []func(l *lab){func(l *lab) { l.s.Close() }, func(l *lab) { l.s.Terminate() }} {
		t.Run("", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := config(1)
				cfg.MaxQueued = 1
				l := newLab(t, cfg)
				l.submit(2, lasting(time.Hour))
				errs := make(chan error)
				for range 3 {
					go func() { errs <- l.s.Submit(context.Background(), &l.track(1, trivial).job) }()
				}
				synctest.Wait()
				end(l)
				for range 3 {
					if err := <-errs; !errors.Is(err, pool.ErrClosed) && !errors.Is(err, pool.ErrTerminated) {
						t.Errorf("error %v", err)
					}
				}
				l.s.Terminate()
			})
		})
	}
}

// A death also makes room in the queue: the replacement takes queued tasks.
func TestMaxQueuedAfterADeath(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(1)
		cfg.MaxQueued = 1
		l := newLab(t, cfg)
		l.submit(1, lasting(time.Hour))
		synctest.Wait()
		l.submit(1, lasting(time.Hour))
		start := time.Now()
		time.AfterFunc(time.Second, l.worker(0).Kill)
		l.submit(1, trivial)
		equal(t, "time", time.Since(start), time.Second)
		l.s.Terminate()
	})
}

// Cancelling while the last outcome is being delivered is too late: the task stays done.
func TestCancelAfterTheLastOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(1, each(func(int) act { return act{takes: time.Second} }), func(j *pool.Job) {
			j.Client.(*track).slow = time.Second
		})
		time.Sleep(1500 * time.Millisecond) // the outcome is being delivered
		l.s.Cancel(&k.job, pool.ErrCancelled)
		k.wait()
		is(t, k.err(0), nil)
		is(t, k.cause, nil)
		st := l.s.Stats()
		equal(t, "done", st.Done, 1)
		equal(t, "failed", st.Failed, 0)
		l.end()
	})
}
