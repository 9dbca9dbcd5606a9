//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

var operateWorker = mp.Register("operate/worker", func(ctx context.Context, in conformIn) (string, error) {
	if _, err := conformTask.Do(ctx, in); err != nil {
		return "", err
	}
	info, _ := mp.CurrentTask(ctx)
	return fmt.Sprint(info.Worker, os.Getpid(), info.Attempt), nil
})

// What waits is cancelled, what runs finishes.
func TestPoolsDrain(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2, Grace: 10 * time.Millisecond})
		g := newGate(t)
		running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 7))
		g.begun(t)
		// The second worker runs the first of these.
		g2 := newGate(t)
		some := mp.MapAsync(poolCtx(t), p, conformTask, []conformIn{g2.task("", 1), {N: 2}, {N: 3}}, mp.Chunk(1))
		g2.begun(t)
		waiting := mp.ApplyAsync(poolCtx(t), p, conformTask, conformIn{N: 8})
		p.Drain()
		if _, err := waiting.Get(poolCtx(t)); !errors.Is(err, mp.ErrCancelled) {
			t.Error(err)
		}
		if running.Ready() {
			t.Error("what runs was not left alone")
		}
		if _, err := mp.Apply(poolCtx(t), p, conformTask, conformIn{}); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		g.open(t)
		g2.open(t)
		if v, err := running.Get(poolCtx(t)); v != 7 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		out, err := some.Get(poolCtx(t))
		var m *mp.MapError
		if !errors.As(err, &m) || len(m.Errs) != 2 || m.Errs[0].Index != 1 || m.Errs[1].Index != 2 || !errors.Is(err, mp.ErrCancelled) || out[0] != 1 {
			t.Errorf("%v, %v", out, err)
		}
		if err := p.Join(poolCtx(t)); err != nil {
			t.Error(err)
		}
		p.Drain()
	})
}

// A loop gets what runs, takes nothing more and ends, also one over inputs without end.
func TestPoolsDrainLoops(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		for name, loop := range map[string]func(p *mp.Pool, in func(func(conformIn) bool)) (last error){
			"Imap": func(p *mp.Pool, in func(func(conformIn) bool)) (last error) {
				for _, err := range mp.Imap(poolCtx(t), p, conformTask, in) {
					last = err
				}
				return last
			},
			"Outcomes": func(p *mp.Pool, in func(func(conformIn) bool)) (last error) {
				for o := range mp.Outcomes(poolCtx(t), p, conformTask, in) {
					last = o.Err
				}
				return last
			},
		} {
			p := make(mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond})
			g := newGate(t)
			go func() {
				g.begun(t)
				p.Drain()
				g.open(t)
			}()
			if err := loop(p, func(yield func(conformIn) bool) {
				for yield(g.task("", 1)) {
				}
			}); !errors.Is(err, mp.ErrCancelled) {
				t.Errorf("%s: %v", name, err)
			}
			if err := p.Join(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		var none *mp.Pool
		none.Drain()
	})
}

// A busy worker is replaced when it is free, the others at once.
func TestPoolsRecycle(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		var events eventLog
		p := make(mp.PoolConfig{Workers: 3, Events: events.note})
		g := newGate(t)
		busy := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		done := goDo(func() error { return p.Recycle(poolCtx(t)) })
		testkit.Until(t, "two are replaced", func() bool { return len(events.of(mp.WorkerRecycled)) == 2 })
		if out, err := mp.Map(poolCtx(t), p, conformDouble, upTo(100)); err != nil || !slices.Equal(out, doubles(100)) {
			t.Error(err)
		}
		select {
		case err := <-done:
			t.Errorf("it has not waited: %v", err)
		default:
		}
		g.open(t)
		if _, err := busy.Get(poolCtx(t)); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if st := p.Stats(); len(st.Workers) != 3 || st.Restarts != 0 {
			t.Errorf("%+v", st)
		}
		if err := p.Recycle(poolCtx(t)); err != nil {
			t.Error(err)
		}
		testkit.Until(t, "six are told of", func() bool { return len(events.of(mp.WorkerRecycled)) == 6 })
		for _, e := range events.of(mp.WorkerRecycled) {
			if !errors.Is(e.Err, mp.ErrRecycled) {
				t.Error(e.Err)
			}
		}
		p.Close()
		if err := p.Recycle(poolCtx(t)); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		var none *mp.Pool
		if err := none.Recycle(poolCtx(t)); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
	})
}

func goDo(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// Workers that are killed meanwhile do not keep Recycle from its end, nor does one that is stopped: its ctx ends it.
func TestPoolRecycleAndKills(t *testing.T) {
	t.Parallel()
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 3, Grace: 10 * time.Millisecond})
	g := newGate(t)
	busy := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
	g.begun(t)
	done := goDo(func() error { return p.Recycle(poolCtx(t)) })
	for _, w := range p.Stats().Workers {
		if w.State == mp.WorkerBusy {
			syscall.Kill(w.PID, syscall.SIGKILL)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := busy.Get(poolCtx(t)); err == nil {
		t.Error("the task has survived its worker")
	}
	g = newGate(t)
	mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
	g.begun(t)
	for _, w := range p.Stats().Workers {
		if w.State == mp.WorkerBusy {
			syscall.Kill(w.PID, syscall.SIGSTOP)
			defer syscall.Kill(w.PID, syscall.SIGCONT)
		}
	}
	ctx, cancel := context.WithTimeout(poolCtx(t), 50*time.Millisecond)
	defer cancel()
	if err := p.Recycle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// In a task of the same pool it would wait for itself.
func TestRecycleInATask(t *testing.T) {
	t.Parallel()
	p := made(t, thread.NewPool, mp.PoolConfig{Workers: 2})
	f := thread.Func(func(ctx context.Context, _ mp.None) (mp.None, error) { return mp.None{}, p.Recycle(ctx) })
	if _, err := mp.Apply(poolCtx(t), p, f, mp.None{}); err == nil || !strings.Contains(err.Error(), "wait for itself") {
		t.Error(err)
	}
}

// Every kind of call says that there is no room rather than wait or queue.
func TestPoolsNoWait(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, MaxQueued: 2, Grace: 10 * time.Millisecond})
		ctx := poolCtx(t)
		g := newGate(t)
		if _, err := mp.Map(ctx, p, conformTask, []conformIn{{}, {}, {}, {}}, mp.NoWait()); !errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		var rs []*mp.Result[int]
		for i := range 3 {
			rs = append(rs, mp.ApplyAsync(ctx, p, conformTask, g.task("", i), mp.NoWait()))
		}
		g.begun(t)
		for name, err := range map[string]error{
			"ApplyAsync": mp.ApplyAsync(ctx, p, conformTask, conformIn{}, mp.NoWait()).Err(),
			"MapAsync":   mp.MapAsync(ctx, p, conformTask, []conformIn{{}}, mp.NoWait()).Err(),
		} {
			if !errors.Is(err, mp.ErrFull) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := mp.Apply(ctx, p, conformTask, conformIn{}, mp.NoWait()); !errors.Is(err, mp.ErrFull) || !strings.Contains(err.Error(), "MaxQueued is 2") {
			t.Error(err)
		}
		for _, err := range mp.Imap(ctx, p, conformTask, slices.Values([]conformIn{{}}), mp.NoWait()) {
			if !errors.Is(err, mp.ErrFull) {
				t.Error(err)
			}
		}
		g.open(t)
		for i, r := range rs {
			if v, err := r.Get(ctx); v != i || err != nil {
				t.Errorf("%d: %d, %v", i, v, err)
			}
		}
		if _, err := mp.Map(ctx, p, conformTask, []conformIn{{}, {}, {}}, mp.NoWait()); err != nil {
			t.Error(err)
		}
		if _, err := mp.Map(ctx, make(mp.PoolConfig{Workers: 1}), conformDouble, upTo(1000), mp.NoWait()); err != nil {
			t.Error(err)
		}
	})
}
