//go:build linux

package pool_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

var droppedTask = mp.Register("dropped/task", func(_ context.Context, file string) (string, error) {
	for file != "" {
		if _, err := os.Stat(file); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return "done", nil
})

// Pools that are dropped without Close leave nothing behind. It runs alone: others open files, too.
func TestDroppedPoolsEnd(t *testing.T) {
	goroutines, fds := runtime.NumGoroutine(), testkit.Descriptors("")
	var pids []int
	for i := range testkit.Times(40, 200) {
		p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stdout: io.Discard, Stderr: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, p.Stats().Workers[0].PID)
		if i%2 == 0 {
			if _, err := mp.Apply(poolCtx(t), p, droppedTask, ""); err != nil {
				t.Fatal(err)
			}
		}
		if p, err = thread.NewPool(mp.PoolConfig{Workers: 1}); err != nil {
			t.Fatal(err)
		}
		if err := p.Resize(2); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Until(t, "processes, descriptors and goroutines are gone", func() bool {
		runtime.GC()
		for _, pid := range pids {
			if alive(pid) {
				return false
			}
		}
		return testkit.Descriptors("") <= fds+2 && runtime.NumGoroutine() <= goroutines+5
	})
}

// What was submitted is done before a dropped pool ends, and its Result can be had.
func TestDroppedPoolFinishes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "go on")
	r, pid := dropBusy(t, file)
	testkit.Collect()
	if !alive(pid) || r.Ready() {
		t.Fatal("the pool was ended while a task ran")
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Get(poolCtx(t)); v != "done" || err != nil {
		t.Error(v, err)
	}
	testkit.Until(t, "the worker is gone", func() bool { runtime.GC(); return !alive(pid) })
}

func dropBusy(t *testing.T, file string) (*mp.Result[string], int) {
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := mp.ApplyAsync(context.Background(), p, droppedTask, file)
	testkit.Until(t, "it runs", func() bool { return p.Stats().Workers[0].Busy > 0 })
	return r, p.Stats().Workers[0].PID
}
