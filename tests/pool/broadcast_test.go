//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// Each worker calls the function once, as soon as it is free.
func TestPoolsBroadcast(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 3, Grace: 10 * time.Millisecond})
		g := newGate(t)
		busy := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		var out map[int]string
		done := goDo(func() (err error) {
			out, err = mp.Broadcast(poolCtx(t), p, operateWorker, conformIn{})
			return err
		})
		if _, err := mp.Map(poolCtx(t), p, conformDouble, upTo(100)); err != nil {
			t.Error(err)
		}
		select {
		case err := <-done:
			t.Errorf("it has not waited: %v", err)
		default:
		}
		g.open(t)
		if err := <-done; err != nil || len(out) != 3 {
			t.Fatalf("%v, %v", out, err)
		}
		busy.Get(poolCtx(t))
		for _, w := range p.Stats().Workers {
			if want := fmt.Sprint(w.Worker, w.PID, 1); out[w.Worker] != want {
				t.Errorf("worker %d: %q, want %q", w.Worker, out[w.Worker], want)
			}
		}
		some, err := mp.Broadcast(poolCtx(t), p, operateWorker, conformIn{How: "fails"})
		var m *mp.MapError
		if len(some) != 0 || !errors.As(err, &m) || m.Total != 3 || len(m.Errs) != 3 || m.Errs[2].Index != 3 || !errors.Is(err, errConform) {
			t.Errorf("%v, %v", some, err)
		}
		g = newGate(t)
		busy = mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		ctx, cancel := context.WithTimeout(poolCtx(t), 100*time.Millisecond)
		defer cancel()
		if _, err := mp.Broadcast(ctx, p, operateWorker, conformIn{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		g.open(t)
		busy.Get(poolCtx(t))
		p.Close()
		if _, err := mp.Broadcast(poolCtx(t), p, operateWorker, conformIn{}); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		var none *mp.Pool
		if _, err := mp.Broadcast(poolCtx(t), none, operateWorker, conformIn{}); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
	})
}

// A worker that is killed before it has come to it, or while it runs it, has an error and no output.
func TestBroadcastAndKills(t *testing.T) {
	t.Parallel()
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 2, Grace: 10 * time.Millisecond})
	g := newGate(t)
	mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
	g.begun(t)
	g2 := newGate(t)
	var out map[int]string
	done := goDo(func() (err error) {
		out, err = mp.Broadcast(poolCtx(t), p, operateWorker, g2.task("", 1))
		return err
	})
	g2.begun(t)
	for _, w := range p.Stats().Workers {
		syscall.Kill(w.PID, syscall.SIGKILL)
	}
	err := <-done
	var m *mp.MapError
	if len(out) != 0 || !errors.As(err, &m) || len(m.Errs) != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	for _, e := range m.Errs {
		var died *mp.WorkerDiedError
		if !errors.As(e, &died) || died.Signal != syscall.SIGKILL {
			t.Errorf("%v", e)
		}
	}
	testkit.Until(t, "both are replaced", func() bool { return len(p.Stats().Workers) == 2 })
	if out, err := mp.Broadcast(poolCtx(t), p, operateWorker, conformIn{}); err != nil || len(out) != 2 {
		t.Errorf("%v, %v", out, err)
	}
}

// What one process alone can have does not go to every worker.
func TestBroadcastOfAnEnd(t *testing.T) {
	t.Parallel()
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 2})
	a, b, err := mp.NewPipe[int]()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := mp.Broadcast(poolCtx(t), p, operateEnd, b); err == nil || !strings.Contains(err.Error(), "one process") {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("it has left: %v", err)
	}
}

var operateEnd = mp.Register("operate/end", func(context.Context, *mp.Conn[int]) (int, error) { return 0, nil })

// Tasks that broadcast in their own pool, all at once, do not wait for themselves or each other.
func TestBroadcastInTasks(t *testing.T) {
	t.Parallel()
	p := made(t, thread.NewPool, mp.PoolConfig{Workers: 3})
	f := thread.Func(func(ctx context.Context, _ int) (int, error) {
		out, err := mp.Broadcast(ctx, p, operateWorker, conformIn{})
		return len(out), err
	})
	ctx, cancel := context.WithTimeout(poolCtx(t), testkit.Within(time.Second))
	defer cancel()
	out, err := mp.Map(ctx, p, f, upTo(9), mp.Chunk(1))
	if err != nil || !slices.Equal(out, []int{3, 3, 3, 3, 3, 3, 3, 3, 3}) {
		t.Errorf("%v, %v", out, err)
	}
}
