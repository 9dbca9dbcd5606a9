package thread_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

func TestLocalIsOneValueAThread(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	l := thread.NewLocal(func() []int { return []int{int(made.Add(1))} })
	var ths []*thread.Thread
	for i := range 10 {
		ths = append(ths, startThread(t, t.Context(), "", func(ctx context.Context) error {
			first := l.Get(ctx)[0]
			l.Set(ctx, append(l.Get(ctx), i))
			runtime.Gosched()
			if v := l.Get(ctx); len(v) != 2 || v[0] != first || v[1] != i {
				return fmt.Errorf("%v in thread %d", v, i)
			}
			return nil
		}))
	}
	for _, th := range ths {
		if err := th.Join(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if made.Load() != 10 {
		t.Errorf("init was called %d times", made.Load())
	}
	if v := l.Get(t.Context()); len(v) != 1 || v[0] != 11 {
		t.Error("MainThread has", v)
	}
}

func TestLocalOfMainThread(t *testing.T) {
	t.Parallel()
	l := thread.NewLocal(func() string { return "first" })
	if v := l.Get(context.Background()); v != "first" {
		t.Error(v)
	}
	l.Set(t.Context(), "second")
	seen := make(chan string)
	go func() { seen <- l.Get(context.Background()) }() // a goroutine that is no thread
	if v := <-seen; v != "second" {
		t.Error(v)
	}
}

func TestLocalWithoutInit(t *testing.T) {
	t.Parallel()
	var zero thread.Local[int]
	for _, l := range []*thread.Local[int]{thread.NewLocal[int](nil), &zero} {
		if v := l.Get(t.Context()); v != 0 {
			t.Error(v)
		}
		l.Set(t.Context(), 7)
		if v := l.Get(t.Context()); v != 7 {
			t.Error(v)
		}
	}
}

// global is a Local that no allocation made.
var global thread.Local[string]

func TestLocalInAPackageVariable(t *testing.T) {
	t.Parallel()
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		global.Set(ctx, "the thread's")
		if v := global.Get(ctx); v != "the thread's" {
			return fmt.Errorf("%q", v)
		}
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	if v := global.Get(t.Context()); v != "" {
		t.Error(v)
	}
}

func TestLocalsAreApart(t *testing.T) {
	t.Parallel()
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		a, b := thread.NewLocal[int](nil), thread.NewLocal[int](nil)
		a.Set(ctx, 1)
		b.Set(ctx, 2)
		if a.Get(ctx) != 1 || b.Get(ctx) != 2 {
			t.Error(a.Get(ctx), b.Get(ctx))
		}
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLocalIsMadeOnceForGoroutinesOfOneThread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int32
		l := thread.NewLocal(func() int32 {
			time.Sleep(time.Second) // slow, while others come
			return made.Add(1)
		})
		began := time.Now()
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			var gets sync.WaitGroup
			for range 20 {
				gets.Go(func() {
					if v := l.Get(ctx); v != 1 {
						t.Error(v)
					}
				})
			}
			gets.Wait()
			return nil
		})
		if err := th.Join(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
	})
}

func TestLocalSetWhileInitRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := thread.NewLocal(func() string {
			time.Sleep(time.Second)
			return "made"
		})
		got := make(chan string)
		go func() { got <- l.Get(t.Context()) }()
		synctest.Wait()
		l.Set(t.Context(), "set")
		if v := l.Get(t.Context()); v != "set" {
			t.Error(v)
		}
		if v := <-got; v != "set" {
			t.Error(v)
		}
	})
}

func TestLocalSlowInitHoldsUpNoOtherThread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := thread.NewLocal(func() int {
			time.Sleep(time.Second)
			return 1
		})
		began := time.Now()
		get := func(ctx context.Context) error { l.Get(ctx); return nil }
		a, b := startThread(t, t.Context(), "", get), startThread(t, t.Context(), "", get)
		if err := a.Join(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.Join(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
	})
}

func TestLocalWhoseInitPanicsKeepsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		l := thread.NewLocal(func() int {
			time.Sleep(time.Second)
			if calls++; calls == 1 {
				panic("not yet")
			}
			if calls == 2 {
				runtime.Goexit()
			}
			return calls
		})
		ends := make(chan any)
		for range 3 { // the others wait for the first, and then try by themselves
			go func() {
				var end any = "Goexit"
				defer func() {
					if v := recover(); v != nil {
						end = v
					}
					ends <- end
				}()
				end = l.Get(t.Context())
			}()
		}
		seen := map[any]bool{<-ends: true, <-ends: true, <-ends: true}
		if !seen["not yet"] || !seen["Goexit"] || !seen[3] {
			t.Error(seen)
		}
		if v := l.Get(t.Context()); v != 3 {
			t.Error(v)
		}
	})
}

func TestLocalOfAThreadThatHasEnded(t *testing.T) {
	t.Parallel()
	calls := 0
	l := thread.NewLocal(func() int { calls++; return calls })
	var own context.Context
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		own = ctx
		l.Set(ctx, 100)
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	l.Set(own, 200)
	if a, b := l.Get(own), l.Get(own); a != 1 || b != 2 {
		t.Error(a, b)
	}
}

// collected makes a value and a channel that is closed when that is garbage.
func collected() (*[64]byte, <-chan struct{}) {
	v, gone := new([64]byte), make(chan struct{})
	runtime.AddCleanup(v, func(gone chan struct{}) { close(gone) }, gone)
	return v, gone
}

// untilGone collects garbage until something is found to be such.
func untilGone(t *testing.T, gone <-chan struct{}) {
	t.Helper()
	for range 1000 {
		runtime.GC()
		select {
		case <-gone:
			return
		default:
		}
	}
	t.Error("the value is kept")
}

func TestLocalValuesGoWithTheirThread(t *testing.T) {
	t.Parallel()
	l := thread.NewLocal[any](nil)
	value, gone := collected()
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		l.Set(ctx, []any{value, ctx}) // which leads to the thread
		value = nil
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	untilGone(t, gone)
	runtime.KeepAlive(th)
	runtime.KeepAlive(l)
}

func TestLocalValuesGoWithTheirLocal(t *testing.T) {
	t.Parallel()
	var ofThread, ofMain <-chan struct{}
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		func() {
			l := thread.NewLocal[any](nil)
			var a, b *[64]byte
			a, ofThread = collected()
			b, ofMain = collected()
			l.Set(ctx, []any{a, l})
			l.Set(context.Background(), []any{b, l})
		}()
		untilGone(t, ofThread)
		untilGone(t, ofMain)
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestManyLocalsOfOneThreadLeaveNothing(t *testing.T) {
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		round := func() {
			for i := range 20_000 {
				l := thread.NewLocal[int](nil)
				l.Set(ctx, i)
				if i%2000 == 0 {
					runtime.GC()
				}
			}
		}
		round()
		before := memory()
		for range 4 {
			round()
		}
		if after := memory(); after > before+1<<20 {
			return fmt.Errorf("%d bytes were left", after-before)
		}
		return nil
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
}

func BenchmarkLocalGet(b *testing.B) {
	l := thread.NewLocal[int](nil)
	for b.Loop() {
		l.Get(b.Context())
	}
}

func BenchmarkStartJoin(b *testing.B) {
	ctx := context.Background()
	for b.Loop() {
		th, err := thread.Start(ctx, "bench", func(context.Context) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		if err := th.Join(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
