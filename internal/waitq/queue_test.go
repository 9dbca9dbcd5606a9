//go:build linux

package waitq_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/waitq"
)

// tokens is an object in which goroutines wait for tokens that others give.
type tokens struct {
	word  *atomic.Uint64
	queue *waitq.Queue
}

func newTokens(t *testing.T) *tokens {
	t.Helper()
	o, err := waitq.NewObject(waitq.Shape{Name: "tokens", Kind: 99}, func(o *waitq.Object) any {
		k := &tokens{word: o.Word(waitq.StateAt)}
		k.queue = waitq.NewQueue(o, 0, func(bool) int { return int(k.word.Load()) })
		return k
	})
	if err != nil {
		t.Fatal(err)
	}
	return o.Core().(*tokens)
}

func (k *tokens) take(ctx context.Context) error {
	return k.queue.Wait(ctx, func(bool) bool {
		for n := k.word.Load(); n > 0; n = k.word.Load() {
			if k.word.CompareAndSwap(n, n-1) {
				return true
			}
		}
		return false
	})
}

func (k *tokens) give(n int) {
	for range n {
		k.word.Add(1)
		k.queue.Wake(1)
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestNoWakeUpIsLost(t *testing.T) {
	t.Parallel()
	k := newTokens(t)
	const takers, each = 20, 2000
	var wait sync.WaitGroup
	for range takers {
		wait.Go(func() {
			for range each {
				if err := k.take(soon(t)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 4 {
		wait.Go(func() {
			for range takers * each / 4 {
				k.give(1)
			}
		})
	}
	wait.Wait()
	if n := k.word.Load(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestCancelledWaiterPassesItsWakeUpOn(t *testing.T) {
	t.Parallel()
	k := newTokens(t)
	for range 300 {
		ctx, cancel := context.WithCancel(soon(t))
		quit, stays := make(chan error, 1), make(chan error, 1)
		go func() { quit <- k.take(ctx) }()
		go func() { stays <- k.take(soon(t)) }()
		go cancel()
		k.give(1)
		err := <-quit
		if err == nil {
			k.give(1)
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := <-stays; err != nil {
			t.Fatal(err)
		}
	}
}

func TestAThousandWaitersCostNoThreads(t *testing.T) {
	k := newTokens(t)
	one := newTokens(t)
	const n = 1000
	for name, of := range map[string]func(i int) *tokens{
		"in one queue":       func(int) *tokens { return one },
		"in separate queues": func(int) *tokens { return newTokens(t) },
	} {
		before := threads(t)
		ctx, cancel := context.WithCancel(soon(t))
		ended := make(chan error, n)
		for i := range n {
			k := of(i)
			go func() { ended <- k.take(ctx) }()
		}
		time.Sleep(100 * time.Millisecond) // let them park
		if more := threads(t) - before; more > 10 {
			t.Errorf("%s: %d more threads", name, more)
		}
		begin := processorTime(t)
		time.Sleep(time.Second) // what is measured
		if used := processorTime(t) - begin; used > 50*time.Millisecond {
			t.Errorf("%s: %v of processor time in a second", name, used)
		}
		start := time.Now()
		cancel()
		for range n {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		t.Logf("%s: cancelled in %v", name, time.Since(start))
	}
	runtime.KeepAlive(k)
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

func TestWatchNotifies(t *testing.T) {
	t.Parallel()
	k := newTokens(t)
	notified := make(chan struct{}, 1)
	for range 100 {
		stop := k.queue.Watch(func() bool { return k.word.Load() > 0 }, func() {
			select {
			case notified <- struct{}{}:
			default:
			}
		})
		go k.give(1)
		select {
		case <-notified:
		case <-soon(t).Done():
			t.Fatal("not notified")
		}
		stop()
		if err := k.take(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGarbageIsUnmapped(t *testing.T) {
	for range 30000 {
		newTokens(t)
	}
	left := func() int {
		text, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "mp-tokens")
	}
	for end := time.Now().Add(10 * time.Second); left() > 100 && time.Now().Before(end); {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	if n := left(); n > 100 {
		t.Errorf("%d mappings are left", n)
	}
}
