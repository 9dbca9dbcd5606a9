//go:build linux

package locks_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// How long it takes to free many goroutines that wait for one thing grows with their
// number, not with its square: the bound is some ten times what it takes here, and a
// tenth of what the square would be.

var crowd = func() int {
	if testkit.Race { // the race detector allows some 8,000 goroutines
		return 4_000
	}
	return 16_000
}()

// gather has a crowd of goroutines wait, frees them, and says how long it took until all
// were through. Some may not wait yet when they are freed: that is right, too.
func gather(t *testing.T, what string, wait func() error, free func()) {
	t.Helper()
	var in, out sync.WaitGroup
	in.Add(crowd)
	var failed sync.Once
	for range crowd {
		out.Go(func() {
			in.Done()
			if err := wait(); err != nil {
				failed.Do(func() { t.Errorf("%s: %v", what, err) })
			}
		})
	}
	in.Wait()
	testkit.UntilIdle(t, crowd)
	began := time.Now()
	free()
	out.Wait()
	d := time.Since(began)
	t.Log(what, "frees", crowd, "in", d)
	if d > crowdTime() {
		t.Errorf("%s: it took %v to free %d", what, d, crowd)
	}
}

func crowdTime() time.Duration {
	if testkit.Strict {
		return 500 * time.Millisecond
	}
	return 4 * time.Second
}

func crowdCtx(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// onCrowds is onCarriers, one after the other: they take all processors there are.
func onCrowds(t *testing.T, test func(t *testing.T, c testkit.Carrier)) {
	for name, c := range testkit.Carriers {
		t.Run(name, func(t *testing.T) { test(t, c) })
	}
}

func TestCrowdOfACondition(t *testing.T) {
	ctx := crowdCtx(t)
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		notify := map[string]func(cond *mp.Condition, h mp.Hold) error{
			"Condition.NotifyAll": func(cond *mp.Condition, h mp.Hold) error { return cond.NotifyAll(h) },
			"Condition.Notify, one by one": func(cond *mp.Condition, h mp.Hold) (err error) {
				for range crowd {
					err = errors.Join(err, cond.Notify(h, 1))
				}
				return err
			},
		}
		for what, notify := range notify {
			cond := testkit.Must(c.Condition(nil))(t)
			waiting := 0 // guarded by the lock
			gather(t, what, func() error {
				h, err := cond.Acquire(ctx)
				if err != nil {
					return err
				}
				waiting++
				if h, err = cond.Wait(ctx, h); err != nil {
					return err
				}
				return h.Release()
			}, func() {
				for {
					h := testkit.Must(cond.Acquire(ctx))(t)
					all := waiting == crowd
					if all {
						if err := notify(cond, h); err != nil {
							t.Error(err)
						}
					}
					if err := h.Release(); err != nil {
						t.Error(err)
					}
					if all {
						return
					}
				}
			})
		}
	})
}

// Those that are notified and do not come back pass it on, each to the next.
func TestCrowdThatGivesUp(t *testing.T) {
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		cond := testkit.Must(c.Condition(nil))(t)
		ctx, cancel := context.WithCancel(crowdCtx(t))
		gather(t, "a crowd that gives up", func() error {
			h, err := cond.Acquire(ctx)
			if err == nil {
				h, err = cond.Wait(ctx, h)
			}
			if err == nil { // it had the lock just before
				return h.Release()
			}
			if !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}, func() {
			h := testkit.Must(cond.Acquire(crowdCtx(t)))(t)
			if err := cond.Notify(h, crowd/2); err != nil {
				t.Error(err)
			}
			cancel()
			if err := h.Release(); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestCrowdOfAnEvent(t *testing.T) {
	ctx := crowdCtx(t)
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		e := testkit.Must(c.Event())(t)
		gather(t, "Event.Set", func() error { return e.Wait(ctx) }, func() { e.Set() })
	})
}

func TestCrowdOfABarrier(t *testing.T) {
	ctx := crowdCtx(t)
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		b := testkit.Must(c.Barrier(crowd + 1))(t)
		gather(t, "Barrier.Wait", func() error { return testkit.ErrorOf(b.Wait(ctx)) }, func() {
			if _, err := b.Wait(ctx); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestCrowdOfALock(t *testing.T) {
	ctx := crowdCtx(t)
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		l := testkit.Must(c.Lock())(t)
		h := testkit.Must(l.Acquire(ctx))(t)
		gather(t, "Hold.Release", func() error {
			return l.Do(ctx, func(mp.Hold) error { return nil })
		}, func() { h.Release() })
	})
}

func TestCrowdOfASemaphore(t *testing.T) {
	ctx := crowdCtx(t)
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		s := testkit.Must(c.Semaphore(0))(t)
		wait := func() error { return testkit.ErrorOf(s.Acquire(ctx)) }
		gather(t, "Semaphore.Release(n)", wait, func() {
			if err := s.Release(crowd); err != nil {
				t.Error(err)
			}
		})
		gather(t, "Semaphore.Release(1), again and again", wait, func() {
			for range crowd {
				if err := s.Release(1); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

func TestCrowdOfAQueue(t *testing.T) {
	ctx := crowdCtx(t)
	makers := map[string]func(int) (*mp.Queue[int], error){"processes": mp.NewQueue[int], "goroutines": thread.NewQueue[int]}
	for name, make := range makers {
		t.Run(name, func(t *testing.T) {
			closed := func(err error) error {
				if !errors.Is(err, mp.ErrClosed) {
					return errors.Join(err, errors.New("not closed"))
				}
				return nil
			}
			q := testkit.Must(make(0))(t)
			gather(t, "Queue.Put, again and again", func() error { return testkit.ErrorOf(q.Get(ctx)) }, func() {
				for i := range crowd {
					if err := q.Put(ctx, i); err != nil {
						t.Error(err)
					}
				}
			})
			gather(t, "Queue.TaskDone", func() error { return q.Join(ctx) }, func() {
				for range crowd {
					if err := q.TaskDone(); err != nil {
						t.Error(err)
					}
				}
			})
			gather(t, "Queue.Close, to get", func() error { return closed(testkit.ErrorOf(q.Get(ctx))) }, func() { q.Close() })
			full := testkit.Must(make(1))(t)
			testkit.MustPut(t, full, 1)
			gather(t, "Queue.CloseNow, to put", func() error { return closed(full.Put(ctx, 2)) }, func() { full.CloseNow() })
		})
	}
}

func TestCrowdOfAPipe(t *testing.T) {
	ctx := crowdCtx(t)
	onCrowds(t, func(t *testing.T, c testkit.Carrier) {
		a, b := testkit.PipeOn[int](t, c)
		gather(t, "Conn.Close", func() error {
			if err := testkit.ErrorOf(b.Recv(ctx)); err == nil {
				return errors.New("received something")
			}
			return nil
		}, func() { a.Close() })
	})
}
