//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

type traceKey struct{}

func withTrace(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

func traceOf(ctx context.Context) map[string]string {
	id, _ := ctx.Value(traceKey{}).(string)
	if id == "" {
		return nil
	}
	return map[string]string{"traceparent": id, "tracestate": "x"}
}

var traceTell = mp.Register("trace/tell", func(ctx context.Context, _ int) (string, error) {
	derived, cancel := context.WithCancel(ctx)
	defer cancel()
	m := mp.Propagated(derived)
	m2 := mp.Propagated(ctx)
	if m2 != nil {
		m2["traceparent"] = "changed" // its own copy
	}
	return fmt.Sprint(m["traceparent"], len(mp.Propagated(ctx)), m == nil), nil
})

// What Propagate makes of a call's ctx reaches each of its tasks and attempts, in every kind of call; it is asked once a call.
func TestPoolsPropagate(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		var asked atomic.Int64
		p := make(mp.PoolConfig{Workers: 2, Propagate: func(ctx context.Context) map[string]string {
			asked.Add(1)
			return traceOf(ctx)
		}})
		call := func(name string, f func(ctx context.Context) []string) {
			t.Helper()
			asked.Store(0)
			for _, got := range f(withTrace(poolCtx(t), name)) {
				if got != name+"2 false" && got != name+" 2 false" {
					t.Errorf("%s: %q", name, got)
				}
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("%s: asked %d times", name, n)
			}
			for _, got := range f(poolCtx(t)) {
				if got != " 0 true" && got != "0 true" {
					t.Errorf("%s without: %q", name, got)
				}
			}
		}
		call("Apply", func(ctx context.Context) []string {
			s, err := mp.Apply(ctx, p, traceTell, 1)
			if err != nil {
				t.Error(err)
			}
			return []string{s}
		})
		call("ApplyAsync", func(ctx context.Context) []string {
			s, _ := mp.ApplyAsync(ctx, p, traceTell, 1, mp.Retries(1, mp.Backoff{})).Get(ctx)
			return []string{s}
		})
		call("Map", func(ctx context.Context) []string {
			out, err := mp.Map(ctx, p, traceTell, upTo(500))
			if err != nil {
				t.Error(err)
			}
			return out
		})
		call("Imap", func(ctx context.Context) (out []string) {
			for s := range mp.Imap(ctx, p, traceTell, slices.Values(upTo(20))) {
				out = append(out, s)
			}
			return out
		})
		call("Outcomes", func(ctx context.Context) (out []string) {
			for o := range mp.Outcomes(ctx, p, traceTell, slices.Values(upTo(20))) {
				out = append(out, o.Out)
			}
			return out
		})
		// Calls of several ctxs at once keep theirs.
		var rs []*mp.Result[string]
		for i := range 200 {
			rs = append(rs, mp.ApplyAsync(withTrace(poolCtx(t), fmt.Sprint("t", i)), p, traceTell, 1))
		}
		for i, r := range rs {
			if s, err := r.Get(poolCtx(t)); err != nil || !strings.HasPrefix(s, fmt.Sprint("t", i)) || !strings.HasSuffix(s, "2 false") {
				t.Errorf("%d: %q, %v", i, s, err)
			}
		}
	})
}

// More than 4 KiB is an error that says how much it was.
func TestPoolsPropagateTooMuch(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		size := 4096
		p := make(mp.PoolConfig{Workers: 1, Propagate: func(context.Context) map[string]string {
			return map[string]string{"k": strings.Repeat("x", size-1)}
		}})
		if _, err := mp.Apply(poolCtx(t), p, traceTell, 1); err != nil {
			t.Error(err)
		}
		size++
		wrong := func(err error) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), "PoolConfig.Propagate returned 4097 bytes") {
				t.Error(err)
			}
		}
		_, err := mp.Apply(poolCtx(t), p, traceTell, 1)
		wrong(err)
		_, err = mp.Map(poolCtx(t), p, traceTell, upTo(2))
		wrong(err)
		wrong(mp.ApplyAsync(poolCtx(t), p, traceTell, 1).Err())
		for _, err := range mp.Imap(poolCtx(t), p, traceTell, slices.Values(upTo(2))) {
			wrong(err)
		}
	})
}

func TestStartAndCallPropagate(t *testing.T) {
	t.Parallel()
	ctx := withTrace(poolCtx(t), "call")
	out, err := mp.Call(ctx, traceTell, 1, mp.ProcessConfig{Propagate: traceOf})
	if err != nil || !strings.HasPrefix(out, "call") || !strings.HasSuffix(out, "2 false") {
		t.Errorf("%q, %v", out, err)
	}
	if out, err = mp.Call(ctx, traceTell, 1); err != nil || !strings.HasSuffix(out, "0 true") {
		t.Errorf("%q, %v", out, err)
	}
	_, err = mp.Call(ctx, traceTell, 1, mp.ProcessConfig{Propagate: func(context.Context) map[string]string {
		return map[string]string{strings.Repeat("k", 5000): ""}
	}})
	if err == nil || !strings.Contains(err.Error(), "ProcessConfig.Propagate returned 5000 bytes") {
		t.Error(err)
	}
}

// A worker that is killed takes nothing of it along: the next attempt has it too.
func TestPropagateAfterAKill(t *testing.T) {
	t.Parallel()
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Propagate: traceOf})
	out, err := mp.Apply(withTrace(poolCtx(t), "again"), p, traceDie, mp.None{}, mp.Retries(2, quickBackoff))
	if err != nil || out != "again" {
		t.Errorf("%q, %v", out, err)
	}
}

var traceDie = mp.Register("trace/die", func(ctx context.Context, _ mp.None) (string, error) {
	if info, _ := mp.CurrentTask(ctx); info.Attempt == 1 {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return mp.Propagated(ctx)["traceparent"], nil
})

// Tasks on goroutines see the values of their caller's ctx, whatever the kind of call, also where they call others.
func TestValuesReachGoroutines(t *testing.T) {
	t.Parallel()
	p := made(t, thread.NewPool, mp.PoolConfig{Workers: 2})
	inner := thread.Func(func(ctx context.Context, n int) (string, error) {
		id, _ := ctx.Value(traceKey{}).(string)
		return id, ctx.Err()
	})
	outer := thread.Func(func(ctx context.Context, n int) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return mp.Apply(ctx, p, inner, n)
	})
	ctx := withTrace(poolCtx(t), "mine")
	for _, f := range []*mp.Func[int, string]{inner, outer} {
		if s, err := mp.Apply(ctx, p, f, 1); s != "mine" || err != nil {
			t.Errorf("%q, %v", s, err)
		}
		out, err := mp.Map(ctx, p, f, upTo(100))
		if err != nil || len(slices.Compact(out)) != 1 || out[0] != "mine" {
			t.Errorf("%q, %v", out, err)
		}
		for s, err := range mp.Imap(ctx, p, f, slices.Values(upTo(10))) {
			if s != "mine" || err != nil {
				t.Errorf("%q, %v", s, err)
			}
		}
		if s, err := mp.Apply(poolCtx(t), p, f, 1); s != "" || err != nil {
			t.Errorf("%q, %v", s, err)
		}
	}
	// Values are all that comes along: the call's ctx may end in another way.
	cause, cancel := context.WithCancelCause(ctx)
	r := mp.ApplyAsync(cause, p, thread.Func(func(ctx context.Context, _ int) (string, error) {
		return fmt.Sprint(context.Cause(ctx)), nil
	}), 1)
	if s, err := r.Get(poolCtx(t)); s != "<nil>" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	cancel(nil)
}

// What mp itself keeps in a ctx is of that task, thread or holder, and not of those that it calls.
func TestValuesOfMPStay(t *testing.T) {
	t.Parallel()
	p := made(t, thread.NewPool, mp.PoolConfig{Workers: 2})
	q := made(t, thread.NewPool, mp.PoolConfig{Workers: 1})
	lock, err := thread.NewRLock()
	if err != nil {
		t.Fatal(err)
	}
	local := thread.NewLocal(func() int { return 0 })
	seen := thread.Func(func(ctx context.Context, _ int) (string, error) {
		_, _, has := lock.TryAcquire(ctx)
		info, ok := mp.CurrentTask(ctx)
		return fmt.Sprint(thread.Current(ctx).Name(), " ", has, " ", info.Index, " ", ok, " ", local.Get(ctx)), nil
	})
	th, err := thread.Start(poolCtx(t), "starter", func(ctx context.Context) error {
		ctx, h, err := lock.Acquire(ctx)
		if err != nil {
			return err
		}
		defer h.Release()
		local.Set(ctx, 7)
		call := thread.Func(func(ctx context.Context, n int) (string, error) {
			local.Set(ctx, 8)
			return mp.Apply(ctx, q, seen, n)
		})
		out, err := mp.Map(withTrace(ctx, "x"), p, call, upTo(3), mp.Chunk(1))
		if want := "MainThread false 0 true 0"; err != nil || out[2] != want {
			t.Errorf("%q, %v", out, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := th.Join(poolCtx(t)); err != nil {
		t.Error(err)
	}
}

// A pool of goroutines inside a task hands on what was propagated to the task, unless it has a Propagate of its own.
func TestPropagatedIsHandedOn(t *testing.T) {
	t.Parallel()
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Propagate: traceOf})
	out, err := mp.Apply(withTrace(poolCtx(t), "far"), p, traceNest, mp.None{})
	if err != nil || out != "far far! map[]" {
		t.Errorf("%q, %v", out, err)
	}
}

var traceNest = mp.Register("trace/nest", func(ctx context.Context, _ mp.None) (string, error) {
	tell := thread.Func(func(ctx context.Context, _ int) (string, error) { return mp.Propagated(ctx)["traceparent"], nil })
	var all []string
	for _, propagate := range []func(context.Context) map[string]string{nil, func(ctx context.Context) map[string]string {
		m := maps.Clone(mp.Propagated(ctx))
		m["traceparent"] += "!"
		return m
	}} {
		p, err := thread.NewPool(mp.PoolConfig{Workers: 1, Propagate: propagate})
		if err != nil {
			return "", err
		}
		s, err := mp.Apply(ctx, p, tell, 1)
		if err != nil {
			return "", err
		}
		all = append(all, s)
		p.Close()
	}
	return fmt.Sprint(all[0], " ", all[1], " ", mp.Propagated(context.Background())), nil
})
