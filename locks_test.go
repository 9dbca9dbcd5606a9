//go:build linux

package mp_test

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
)

// locksParcel has one of each, at some depth.
type locksParcel struct {
	Lock      *mp.Lock
	RLock     map[string]*mp.RLock
	Semaphore []*mp.Semaphore
	Condition *mp.Condition
	Event     *mp.Event
	Barrier   *mp.Barrier
	None      *mp.Lock
}

func newLocksParcel(t testing.TB) locksParcel {
	return locksParcel{
		Lock: must1(mp.NewLock())(t), RLock: map[string]*mp.RLock{"r": must1(mp.NewRLock())(t)},
		Semaphore: []*mp.Semaphore{must1(mp.NewSemaphore(1))(t), must1(mp.NewBoundedSemaphore(1))(t)},
		Condition: must1(mp.NewCondition(nil))(t), Event: must1(mp.NewEvent())(t), Barrier: must1(mp.NewBarrier(2))(t),
	}
}

func must1[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func locksSoon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Each is acquired in the child while the parent has it or waits, in turn.
var locksTurn = mp.Register("locks/turn", func(ctx context.Context, p locksParcel) (locksParcel, error) {
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
	ctx := locksSoon(t)
	p := newLocksParcel(t)
	pool := must1(mp.NewPool(mp.PoolConfig{Workers: 1}))(t)
	defer pool.Terminate()
	lock := must1(p.Lock.Acquire(ctx))(t)
	_, rlock, err := p.RLock["r"].Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s0, s1 := must1(p.Semaphore[0].Acquire(ctx))(t), must1(p.Semaphore[1].Acquire(ctx))(t)
	cond := must1(p.Condition.Acquire(ctx))(t)
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
	onCarriers(t, func(t *testing.T, c carrier) {
		ctx := locksSoon(t)
		l, s := must1(c.lock())(t), must1(c.semaphore(1))(t)
		r := must1(c.rlock())(t)
		if err := (mp.Hold{}).Release(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error(err)
		}
		acquire := map[string]func() mp.Hold{
			"lock": func() mp.Hold { return must1(l.Acquire(ctx))(t) }, "semaphore": func() mp.Hold { return must1(s.Acquire(ctx))(t) },
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
		if _, err := sendMemory(t, must1(l.Acquire(ctx))(t)); err == nil || !strings.Contains(err.Error(), "send the lock") {
			t.Error("a Hold in a message:", err)
		}
	})
}

func TestLockDo(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		ctx := locksSoon(t)
		l := must1(c.lock())(t)
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
	onCarriers(t, func(t *testing.T, c carrier) {
		r, other := must1(c.rlock())(t), must1(c.rlock())(t)
		base, cancel := context.WithTimeout(context.WithValue(locksSoon(t), rlockCtxKey{}, 7), 10*time.Second)
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
	onCarriers(t, func(t *testing.T, of carrier) {
		ctx := locksSoon(t)
		for _, err := range []error{
			errorOf(of.semaphore(-1)), errorOf(of.boundedSemaphore(-3)), errorOf(of.barrier(0)), errorOf(of.barrier(-1)),
			must1(of.semaphore(0))(t).Release(0),
		} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Error(err)
			}
		}
		for _, err := range []error{
			errorOf((*mp.Lock)(nil).Acquire(ctx)), errorOf((&mp.Lock{}).Acquire(ctx)), errorOf((*mp.Semaphore)(nil).Acquire(ctx)),
			(*mp.Event)(nil).Wait(ctx), errorOf((*mp.Barrier)(nil).Wait(ctx)), errorOf(of.condition(&mp.Lock{})),
			(&mp.Barrier{}).Reset(), errorOf((*mp.Condition)(nil).Acquire(ctx)),
		} {
			if !errors.Is(err, mp.ErrClosed) {
				t.Error(err)
			}
		}
		if _, err := sendMemory(t, &mp.Lock{}); err == nil {
			t.Error("a lock that is none in a message")
		}
		b := must1(of.boundedSemaphore(1))(t)
		h := must1(b.Acquire(ctx))(t)
		if err := b.Release(1); err != nil {
			t.Error(err)
		}
		if err := h.Release(); !errors.Is(err, mp.ErrFull) || b.Available() != 1 {
			t.Error(err)
		}
		l := must1(of.lock())(t)
		c, c2 := must1(of.condition(l))(t), must1(of.condition(nil))(t)
		h = must1(l.Acquire(ctx))(t)
		if err := c.Notify(h, 1); err != nil {
			t.Error(err)
		}
		foreign := must1(c2.Acquire(ctx))(t)
		for _, err := range []error{
			c.Notify(foreign, 1), c.NotifyAll(mp.Hold{}), errorOf(c.Wait(ctx, foreign)), errorOf(c.WaitFor(ctx, mp.Hold{}, func() bool { return true })),
		} {
			if !errors.Is(err, mp.ErrNotOwner) {
				t.Error(err)
			}
		}
		broken := must1(of.barrier(2))(t)
		broken.Abort()
		if _, err := broken.Wait(ctx); !errors.Is(err, mp.ErrBroken) || strings.Contains(err.Error(), "pool") {
			t.Error(err)
		}
	})
}

func errorOf[T any](_ T, err error) error { return err }

func TestLocksOfACtxThatIsDone(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		p := locksOn(t, c)
		h := must1(p.Condition.Acquire(locksSoon(t)))(t)
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_, _, rlocked := p.RLock["r"].Acquire(done)
		for _, err := range []error{
			errorOf(p.Lock.Acquire(done)), rlocked, errorOf(p.Semaphore[0].Acquire(done)), p.Event.Wait(done),
			errorOf(p.Barrier.Wait(done)), errorOf(p.Condition.Wait(done, h)),
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
	onCarriers(t, func(t *testing.T, c carrier) {
		a, b := must1(c.event())(t), must1(c.event())(t)
		time.AfterFunc(10*time.Millisecond, func() { b.Set() })
		ready, err := mp.Select(locksSoon(t), a, b)
		if err != nil || len(ready) != 1 || ready[0] != 1 {
			t.Error(ready, err)
		}
	})
}

// Objects that are dropped leave no descriptors and no goroutines.
func TestLocksThatAreDroppedLeaveNothing(t *testing.T) {
	count := func() int { return len(must1(os.ReadDir("/proc/self/fd"))(t)) }
	goroutines := runtime.NumGoroutine()
	most := 0
	for range 200 {
		p := newLocksParcel(t)
		p.Event.Set()
		passMemory(t, p).Event.Clear()
		if p.Event.IsSet() {
			t.Fatal("what arrived is another event")
		}
		most = max(most, count())
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		if n := count(); n < 100 || n < most/4 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("%d descriptors, at most %d before", n, most)
		}
	}
	if n := runtime.NumGoroutine(); n > goroutines+20 {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}
