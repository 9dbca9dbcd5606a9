//go:build linux

package locks_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func newLocksParcel(t testing.TB) testkit.LocksParcel {
	return testkit.LocksParcel{
		Lock: testkit.Must(mp.NewLock())(t), RLock: map[string]*mp.RLock{"r": testkit.Must(mp.NewRLock())(t)},
		Semaphore: []*mp.Semaphore{testkit.Must(mp.NewSemaphore(1))(t), testkit.Must(mp.NewBoundedSemaphore(1))(t)},
		Condition: testkit.Must(mp.NewCondition(nil))(t), Event: testkit.Must(mp.NewEvent())(t), Barrier: testkit.Must(mp.NewBarrier(2))(t),
	}
}

// Each is acquired in the child while the parent has it or waits, in turn.
var locksTurn = mp.Register("locks/turn", func(ctx context.Context, p testkit.LocksParcel) (testkit.LocksParcel, error) {
	if p.None != nil || !p.Lock.Locked() || !p.RLock["r"].Locked() || p.Semaphore[0].Available() != 0 || p.Semaphore[1].Available() != 0 {
		return p, errors.New("it is not the parent that has them")
	}
	p.Event.Set()
	if _, err := p.Barrier.Wait(ctx); err != nil { // the parent has released
		return p, err
	}
	if err := p.Lock.Do(ctx, func(mp.Hold) error { return nil }); err != nil {
		return p, err
	}
	_, h, err := p.RLock["r"].Acquire(ctx)
	if err != nil {
		return p, err
	}
	h.Release()
	for _, s := range p.Semaphore {
		if _, err := s.Acquire(ctx); err != nil {
			return p, err
		}
	}
	if h, err = p.Condition.Acquire(ctx); err != nil {
		return p, err
	}
	p.Condition.NotifyAll(h)
	h.Release()
	return p, nil
})

func TestLocksTravel(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	p := newLocksParcel(t)
	pool := testkit.Must(mp.NewPool(mp.PoolConfig{Workers: 1}))(t)
	defer pool.Terminate()
	lock := testkit.Must(p.Lock.Acquire(ctx))(t)
	_, rlock, err := p.RLock["r"].Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s0, s1 := testkit.Must(p.Semaphore[0].Acquire(ctx))(t), testkit.Must(p.Semaphore[1].Acquire(ctx))(t)
	cond := testkit.Must(p.Condition.Acquire(ctx))(t)
	result := mp.ApplyAsync(ctx, pool, locksTurn, p)
	if err := p.Event.Wait(ctx); err != nil {
		t.Fatal(err, result)
	}
	for _, h := range []mp.Hold{lock, rlock, s0, s1} {
		if err := h.Release(); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Barrier.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if cond, err = p.Condition.Wait(ctx, cond); err != nil {
		t.Fatal(err)
	}
	cond.Release()
	back, err := result.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	back.Event.Clear()
	if p.Event.IsSet() || p.Semaphore[0].Available() != 0 {
		t.Error("what came back is not what was sent, or the worker lost its permit")
	}
	pool.Terminate()
	if err := pool.Join(ctx); err != nil && !errors.Is(err, mp.ErrTerminated) {
		t.Fatal(err)
	}
	if n := p.Semaphore[0].Available(); n != 1 {
		t.Errorf("the dead worker has kept its permit: %d", n)
	}
}

func TestHold(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l, s := testkit.Must(c.Lock())(t), testkit.Must(c.Semaphore(1))(t)
		r := testkit.Must(c.Rlock())(t)
		if err := (mp.Hold{}).Release(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error(err)
		}
		acquire := map[string]func() mp.Hold{
			"lock": func() mp.Hold { return testkit.Must(l.Acquire(ctx))(t) }, "semaphore": func() mp.Hold { return testkit.Must(s.Acquire(ctx))(t) },
			"rlock": func() mp.Hold {
				_, h, err := r.Acquire(ctx)
				if err != nil {
					t.Fatal(err)
				}
				return h
			},
		}
		for name, acquire := range acquire {
			last := uint64(0)
			for range 100 {
				h := acquire()
				if h.Token() <= last || h.Abandoned() {
					t.Errorf("%s: token %d after %d, abandoned: %v", name, h.Token(), last, h.Abandoned())
				}
				last = h.Token()
				var released atomic.Int32
				var wait sync.WaitGroup
				for range 2 {
					wait.Go(func() {
						if err := h.Release(); err == nil {
							released.Add(1)
						} else if !errors.Is(err, mp.ErrNotOwner) {
							t.Error(name, err)
						}
					})
				}
				wait.Wait()
				if released.Load() != 1 {
					t.Fatalf("%s: released by %d of two goroutines", name, released.Load())
				}
			}
		}
		if _, err := testkit.Send(t, testkit.Must(l.Acquire(ctx))(t)); err == nil || !strings.Contains(err.Error(), "send the lock") {
			t.Error("a Hold in a message:", err)
		}
	})
}

func TestLockDo(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l := testkit.Must(c.Lock())(t)
		func() {
			defer func() { recover() }()
			l.Do(ctx, func(mp.Hold) error { panic("inside") })
		}()
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.Do(ctx, func(mp.Hold) error { runtime.Goexit(); return nil })
		}()
		<-done
		inside := errors.New("inside")
		err := l.Do(ctx, func(mp.Hold) error {
			if pid, held := l.Owner(); pid != os.Getpid() || !held {
				t.Error(pid, held)
			}
			return inside
		})
		if err != inside || l.Locked() {
			t.Error(err, l.Locked())
		}
		k := l.Locker()
		sum := 0
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range 500 {
					k.Lock()
					sum++
					k.Unlock()
				}
			})
		}
		wait.Wait()
		if sum != 2000 {
			t.Error(sum)
		}
		defer func() {
			if recover() == nil {
				t.Error("Unlock of what is not locked")
			}
		}()
		k.Unlock()
	})
}

type rlockCtxKey struct{}

func TestRLockNests(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		r, other := testkit.Must(c.Rlock())(t), testkit.Must(c.Rlock())(t)
		base, cancel := context.WithTimeout(context.WithValue(testkit.Ctx(t), rlockCtxKey{}, 7), 10*time.Second)
		defer cancel()
		ctx, outer, err := r.Acquire(base)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := ctx.Deadline(); !ok || time.Until(d) > 10*time.Second || ctx.Value(rlockCtxKey{}) != 7 {
			t.Error("the ctx is not the one that was given")
		}
		ctx, inner, err := r.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := r.TryAcquire(base); ok {
			t.Error("another ctx is another owner")
		}
		octx, second, ok := other.TryAcquire(ctx)
		if !ok || second.Release() != nil || other.Locked() || !r.Locked() {
			t.Error("one lock is mixed up with another")
		}
		if err := outer.Release(); err != nil || !r.Locked() {
			t.Error("the outer before the inner:", err)
		}
		if err := outer.Release(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error(err)
		}
		if err := inner.Release(); err != nil || r.Locked() {
			t.Error(err)
		}
		again, h, ok := r.TryAcquire(octx) // its hold is over
		if !ok || h.Token() <= outer.Token() {
			t.Error("not acquired anew")
		}
		if _, _, ok := r.TryAcquire(ctx); ok {
			t.Error("under a ctx whose hold is over another's hold was shared")
		}
		if _, h2, ok := r.TryAcquire(again); !ok || h2.Release() != nil || h.Release() != nil || r.Locked() {
			t.Error("not nested")
		}
		cancel()
		if back, _, err := r.Acquire(base); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) || back != base || r.Locked() {
			t.Error(err)
		}
	})
}

func TestLocksMisuse(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, of testkit.Carrier) {
		ctx := testkit.Ctx(t)
		for _, err := range []error{
			testkit.ErrorOf(of.Semaphore(-1)), testkit.ErrorOf(of.BoundedSemaphore(-3)), testkit.ErrorOf(of.Barrier(0)), testkit.ErrorOf(of.Barrier(-1)),
			testkit.Must(of.Semaphore(0))(t).Release(0),
		} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Error(err)
			}
		}
		for _, err := range []error{
			testkit.ErrorOf((*mp.Lock)(nil).Acquire(ctx)), testkit.ErrorOf((&mp.Lock{}).Acquire(ctx)), testkit.ErrorOf((*mp.Semaphore)(nil).Acquire(ctx)),
			(*mp.Event)(nil).Wait(ctx), testkit.ErrorOf((*mp.Barrier)(nil).Wait(ctx)), testkit.ErrorOf(of.Condition(&mp.Lock{})),
			(&mp.Barrier{}).Reset(), testkit.ErrorOf((*mp.Condition)(nil).Acquire(ctx)),
		} {
			if !errors.Is(err, mp.ErrClosed) {
				t.Error(err)
			}
		}
		if _, err := testkit.Send(t, &mp.Lock{}); err == nil {
			t.Error("a lock that is none in a message")
		}
		b := testkit.Must(of.BoundedSemaphore(1))(t)
		h := testkit.Must(b.Acquire(ctx))(t)
		if err := b.Release(1); err != nil {
			t.Error(err)
		}
		if err := h.Release(); !errors.Is(err, mp.ErrFull) || b.Available() != 1 {
			t.Error(err)
		}
		l := testkit.Must(of.Lock())(t)
		c, c2 := testkit.Must(of.Condition(l))(t), testkit.Must(of.Condition(nil))(t)
		h = testkit.Must(l.Acquire(ctx))(t)
		if err := c.Notify(h, 1); err != nil {
			t.Error(err)
		}
		foreign := testkit.Must(c2.Acquire(ctx))(t)
		for _, err := range []error{
			c.Notify(foreign, 1), c.NotifyAll(mp.Hold{}), testkit.ErrorOf(c.Wait(ctx, foreign)), testkit.ErrorOf(c.WaitFor(ctx, mp.Hold{}, func() bool { return true })),
		} {
			if !errors.Is(err, mp.ErrNotOwner) {
				t.Error(err)
			}
		}
		broken := testkit.Must(of.Barrier(2))(t)
		broken.Abort()
		if _, err := broken.Wait(ctx); !errors.Is(err, mp.ErrBroken) || strings.Contains(err.Error(), "pool") {
			t.Error(err)
		}
	})
}

func TestLocksOfACtxThatIsDone(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		p := testkit.LocksOn(t, c)
		h := testkit.Must(p.Condition.Acquire(testkit.Ctx(t)))(t)
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_, _, rlocked := p.RLock["r"].Acquire(done)
		for _, err := range []error{
			testkit.ErrorOf(p.Lock.Acquire(done)), rlocked, testkit.ErrorOf(p.Semaphore[0].Acquire(done)), p.Event.Wait(done),
			testkit.ErrorOf(p.Barrier.Wait(done)), testkit.ErrorOf(p.Condition.Wait(done, h)),
		} {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if p.Lock.Locked() || p.RLock["r"].Locked() || p.Semaphore[0].Available() != 1 || p.Barrier.Broken() {
			t.Error("something happened")
		}
	})
}

func TestEventInSelect(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		a, b := testkit.Must(c.Event())(t), testkit.Must(c.Event())(t)
		selected := make(chan []int, 1)
		go func() {
			ready, err := mp.Select(testkit.Ctx(t), a, b)
			if err != nil {
				t.Error(err)
			}
			selected <- ready
		}()
		testkit.UntilBlocked(t, 1, "Select")
		b.Set()
		if ready := <-selected; len(ready) != 1 || ready[0] != 1 {
			t.Error(ready)
		}
	})
}

// Objects that are dropped leave no descriptors and no goroutines.
func TestLocksThatAreDroppedLeaveNothing(t *testing.T) {
	count := func() int { return len(testkit.Must(os.ReadDir("/proc/self/fd"))(t)) }
	goroutines := runtime.NumGoroutine()
	most := 0
	for range 200 {
		p := newLocksParcel(t)
		p.Event.Set()
		testkit.Pass(t, p).Event.Clear()
		if p.Event.IsSet() {
			t.Fatal("what arrived is another event")
		}
		most = max(most, count())
	}
	testkit.Until(t, "the descriptors of garbage are closed", func() bool {
		runtime.GC()
		n := count()
		return n < 100 || n < most/4
	})
	if n := runtime.NumGoroutine(); n > goroutines+20 {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}
