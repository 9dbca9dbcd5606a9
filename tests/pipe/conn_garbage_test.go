//go:build linux

package pipe_test

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// Pipes that are garbage use up nothing.
func TestConnManyDropped(t *testing.T) {
	ctx := testkit.Ctx(t)
	runtime.GC()
	before := testkit.Descriptors("socket:")
	way, back := newConns[*mp.Conn[int]](t)
	for i := range testkit.Times(5_000, 100_000) {
		a, b, err := mp.NewPipe[int]()
		if err != nil {
			t.Fatalf("pipe %d: %v", i, err)
		}
		if i%10 == 0 {
			if err := way.Send(ctx, b); err != nil {
				t.Fatal(err)
			}
			if b, err = back.Recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Send(ctx, i); err != nil {
			t.Fatal(err)
		}
		runtime.KeepAlive(b)
	}
	way.Close()
	back.Close()
	testkit.Until(t, "the pipes' sockets are closed", func() bool {
		runtime.GC()
		return testkit.Descriptors("socket:") <= before
	})
}

// A waiter takes no thread.
func TestConnWaitersTakeNoThreads(t *testing.T) {
	ctx, cancel := context.WithCancel(testkit.Ctx(t))
	threads := func() int {
		tasks, _ := filepath.Glob("/proc/self/task/*")
		return len(tasks)
	}
	before := threads()
	var wg sync.WaitGroup
	for range 300 {
		a, b := newConns[int](t)
		wg.Go(func() { a.Recv(ctx) })
		wg.Go(func() { mp.Select(ctx, b) })
	}
	testkit.UntilBlocked(t, 300, "Recv")
	testkit.UntilBlocked(t, 300, "Select")
	if now := threads(); now > before+20 {
		t.Errorf("%d threads, before %d", now, before)
	}
	began := time.Now()
	cancel()
	wg.Wait()
	if d := time.Since(began); d > testkit.Within(50*time.Millisecond) {
		t.Error("it took", d)
	}
}
