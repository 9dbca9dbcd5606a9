//go:build linux

package pool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// patienceInit fails while there is such a file.
var patienceInit = mp.Register("patience/init", func(_ context.Context, file string) (mp.None, error) {
	if _, err := os.Stat(file); err == nil {
		return mp.None{}, errors.New("database: connection refused")
	}
	return mp.None{}, nil
})

// breakPool kills the only worker of a pool whose Init fails from now on.
func breakPool(t *testing.T, cfg mp.PoolConfig) (p *mp.Pool, down string) {
	t.Helper()
	down = filepath.Join(t.TempDir(), "down")
	cfg.Workers, cfg.Init = 1, mp.Bind(patienceInit, down)
	p = testkit.NewPool(t, cfg)
	if v, err := mp.Apply(poolCtx(t), p, killNth, 1); v != 1 || err != nil {
		t.Fatal(v, err)
	}
	if err := os.WriteFile(down, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mp.Apply(poolCtx(t), p, killNth, -1); err == nil {
		t.Fatal("the worker lives")
	}
	return p, down
}

// Init fails for longer than the first tries take: what waits is kept and done afterwards.
func TestPatienceKeepsTheQueue(t *testing.T) {
	t.Parallel()
	var failed = make(chan struct{}, 1000)
	p, down := breakPool(t, mp.PoolConfig{Events: func(e mp.PoolEvent) {
		if e.Kind == mp.WorkerDied && e.PID == 0 {
			failed <- struct{}{}
		}
	}})
	r := mp.ApplyAsync(poolCtx(t), p, killNth, 5)
	for range 7 { // five were too many
		select {
		case <-failed:
		case <-r.Done():
			t.Fatal(r.Err())
		case <-poolCtx(t).Done():
			t.Fatal("no more starts")
		}
	}
	if err := os.Remove(down); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Get(poolCtx(t)); v != 5 || err != nil {
		t.Error(v, err)
	}
}

// When the patience is over, the error says what was tried, how often and for how long.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	p, _ := breakPool(t, mp.PoolConfig{StartPatience: 300 * time.Millisecond})
	_, err := mp.Apply(poolCtx(t), p, killNth, 5)
	if !errors.Is(err, mp.ErrBroken) || !strings.Contains(err.Error(), "attempts within") || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
}

func TestPatienceNegative(t *testing.T) {
	t.Parallel()
	if _, err := mp.NewPool(mp.PoolConfig{StartPatience: -1}); err == nil || !strings.Contains(err.Error(), "StartPatience") {
		t.Error(err)
	}
}

// A pool of goroutines whose Init fails for a while.
func TestPatienceGoroutines(t *testing.T) {
	t.Parallel()
	n := 0
	init := thread.Func(func(context.Context, int) (int, error) {
		if n++; n > 1 && n < 9 {
			return 0, errors.New("not now")
		}
		return 0, nil
	})
	p, err := thread.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(init, 0), TasksPerWorker: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	double := thread.Func(func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	for i := range 3 {
		if v, err := mp.Apply(poolCtx(t), p, double, i); v != 2*i || err != nil {
			t.Error(v, err)
		}
	}
}
