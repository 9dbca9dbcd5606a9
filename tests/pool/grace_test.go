//go:build linux

package pool_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

var graceSpins = mp.Register("grace/spins", func(context.Context, int) (int, error) {
	//lint:ignore SA5002 that is the point
	for {
	}
})

var graceHeeds = mp.Register("grace/heeds", func(ctx context.Context, _ int) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
})

// soonest is the shortest of some tries, each in a pool of its own: other load makes any one longer.
func soonest(t *testing.T, cfg mp.PoolConfig, try func(p *mp.Pool)) time.Duration {
	t.Helper()
	least := time.Hour
	for range 5 {
		p := testkit.NewPool(t, cfg)
		start := time.Now()
		try(p)
		least = min(least, time.Since(start))
		p.Terminate()
	}
	return least
}

// An endless loop is heard of a grace of 100 ms after its deadline, with the place where it was.
func TestGraceByDefault(t *testing.T) {
	t.Parallel()
	took := soonest(t, mp.PoolConfig{Workers: 1}, func(p *mp.Pool) {
		_, err := mp.Apply(poolCtx(t), p, graceSpins, 0, mp.Timeout(100*time.Millisecond))
		var late *mp.TimeoutError
		if !errors.As(err, &late) || late.After != 100*time.Millisecond || !strings.Contains(late.Stack, "grace_test.go") {
			t.Errorf("%v", err)
		}
	})
	if took < 190*time.Millisecond || took > 600*time.Millisecond { // it was 1,100
		t.Errorf("it took %v", took)
	}
}

// Without a grace it is killed at its deadline.
func TestGraceNone(t *testing.T) {
	t.Parallel()
	took := soonest(t, mp.PoolConfig{Workers: 1, Grace: mp.NoGrace}, func(p *mp.Pool) {
		_, err := mp.Apply(poolCtx(t), p, graceSpins, 0, mp.Timeout(100*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	if took < 100*time.Millisecond || took > 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

// One that heeds its ctx is heard of at once, whatever the grace.
func TestGraceIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: time.Hour})
	_, err := mp.Apply(poolCtx(t), p, graceHeeds, 0, mp.Timeout(50*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if n := p.Stats().Restarts; n != 0 {
		t.Errorf("%d restarts", n)
	}
}

// Cancel and the end of a ctx kill at once without a grace: the worker is free for the next.
func TestGraceNoneCancel(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: mp.NoGrace})
	for _, end := range []string{"Cancel", "ctx"} {
		ctx, cancel := context.WithCancel(poolCtx(t))
		r := mp.ApplyAsync(ctx, p, graceSpins, 0)
		testkit.Until(t, "it runs", func() bool { return p.Stats().Workers[0].Busy > 0 })
		start := time.Now()
		if end == "ctx" {
			cancel()
		} else {
			r.Cancel()
		}
		if v, err := mp.Apply(poolCtx(t), p, killNth, 3); v != 3 || err != nil {
			t.Error(v, err)
		}
		if took := time.Since(start); took > testkit.Within(500*time.Millisecond) {
			t.Errorf("%s: the worker was free after %v", end, took)
		}
		cancel()
	}
}

// A process without a grace is killed when its ctx ends.
func TestGraceNoneProcess(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(poolCtx(t))
	p, err := mp.Start(ctx, graceSpins, 0, mp.ProcessConfig{Grace: mp.NoGrace})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cancel()
	var exit *mp.ExitError
	if err := p.Join(poolCtx(t)); !errors.As(err, &exit) || exit.Code != -9 || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(start); took > testkit.Within(500*time.Millisecond) {
		t.Errorf("it took %v", took)
	}
}

// Goroutines cannot be killed: without a grace their tasks are given up at the deadline.
func TestGraceNoneGoroutines(t *testing.T) {
	t.Parallel()
	p, err := thread.NewPool(mp.PoolConfig{Workers: 1, Grace: mp.NoGrace})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	release := make(chan struct{})
	defer close(release)
	f := thread.Func(func(context.Context, int) (int, error) { <-release; return 0, nil })
	_, err = mp.Apply(poolCtx(t), p, f, 0, mp.Timeout(20*time.Millisecond))
	var late *mp.TimeoutError
	if !errors.As(err, &late) || !strings.Contains(late.Stack, "grace_test.go") {
		t.Errorf("%v", err)
	}
}

func TestGraceNegative(t *testing.T) {
	t.Parallel()
	_, err := mp.NewPool(mp.PoolConfig{Grace: -2})
	_, err2 := mp.Start(poolCtx(t), graceSpins, 0, mp.ProcessConfig{Grace: -time.Second})
	_, err3 := thread.NewPool(mp.PoolConfig{Grace: -time.Second})
	for _, err := range []error{err, err2, err3} {
		if err == nil || !strings.Contains(err.Error(), "Grace is negative") || !strings.Contains(err.Error(), "NoGrace") {
			t.Error(err)
		}
	}
}
