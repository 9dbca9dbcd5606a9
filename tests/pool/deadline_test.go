//go:build linux

package pool_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var (
	deadlineErr = mp.Register("deadline/err", func(ctx context.Context, _ int) (string, error) {
		if err := ctx.Err(); err != nil {
			return err.Error(), nil
		}
		return "", nil
	})
	deadlineAwait = mp.Register("deadline/await", func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
)

// A timeout of zero or less means no timeout.
func TestDeadlineBeyondAllTime(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	long, cancel := context.WithTimeout(testkit.Ctx(t), math.MaxInt64)
	defer cancel()
	distant, cancel := context.WithDeadline(context.Background(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	defer cancel()
	for name, call := range map[string]func() (string, error){
		"Timeout": func() (string, error) {
			return mp.Apply(testkit.Ctx(t), p, deadlineErr, 0, mp.Timeout(math.MaxInt64))
		},
		"ctx":  func() (string, error) { return mp.Apply(long, p, deadlineErr, 0) },
		"both": func() (string, error) { return mp.Apply(distant, p, deadlineErr, 0, mp.Timeout(math.MaxInt64)) },
		"Call": func() (string, error) { return mp.Call(distant, deadlineErr, 0) },
	} {
		if out, err := call(); out != "" || err != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

// A ctx that ends is the call's error, whoever sees it first: this process, or the task
// whose own ctx ends at the same time.
func TestDeadlineIsTheCallsError(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	for range 30 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_, err := mp.Apply(ctx, p, deadlineAwait, 0, mp.Timeout(time.Hour))
		var task *mp.TaskError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &task) {
			t.Errorf("Apply: %v", err)
		}
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), 5*time.Millisecond)
		_, err = mp.Map(ctx, p, deadlineAwait, []int{1, 2}, mp.Timeout(time.Hour))
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &task) {
			t.Errorf("Map: %v", err)
		}
		cancel()
	}
}

// When ctx ends the tasks of a loop are stopped, also while its body works.
func TestImapCtxEndsInTheBody(t *testing.T) {
	t.Parallel()
	ended := make(chan mp.PoolEvent, 100)
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Events: func(e mp.PoolEvent) {
		if e.Kind == mp.TaskFailed {
			ended <- e
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	ctx, cancel := context.WithCancel(testkit.Ctx(t))
	defer cancel()
	first := true
	for _, err := range mp.Imap(ctx, p, deadlineFirst, slices.Values([]int{0, 1})) {
		if !first {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("after ctx: %v", err)
			}
			break
		}
		first = false
		cancel()
		select {
		case <-ended:
		case <-testkit.Ctx(t).Done():
			t.Error("the task goes on")
		}
	}
}

// deadlineFirst answers its first input and waits for its ctx with the others.
var deadlineFirst = mp.Register("deadline/first", func(ctx context.Context, n int) (int, error) {
	if n > 0 {
		<-ctx.Done()
	}
	return n, ctx.Err()
})

func TestResizeTooLarge(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	if err := p.Resize(math.MaxInt); err == nil {
		t.Error("no error")
	}
}

// A ctx that ends cancels what was submitted with it, or with one that has its end, and
// nothing else.
func TestCtxCancelsItsOwnCalls(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	type key struct{}
	var ctxs []context.Context
	var cancels []context.CancelFunc
	for range 3 {
		ctx, cancel := context.WithCancel(testkit.Ctx(t))
		defer cancel()
		ctxs, cancels = append(ctxs, ctx), append(cancels, cancel)
	}
	results := make([][]*mp.Result[int], len(ctxs))
	for i := range 300 {
		ctx := ctxs[i%3]
		if i%2 == 0 {
			ctx = context.WithValue(ctx, key{}, i)
		}
		results[i%3] = append(results[i%3], mp.ApplyAsync(ctx, p, deadlineAwait, i))
	}
	for _, ended := range []int{1, 0, 2} {
		results[ended][50].Cancel() // by itself, before
		cancels[ended]()
		for i, r := range results[ended] {
			want := context.Canceled
			if i == 50 {
				want = mp.ErrCancelled
			}
			if _, err := r.Get(testkit.Ctx(t)); err != want {
				t.Errorf("call %d of ctx %d: %v", i, ended, err)
			}
		}
		for i, rs := range results {
			if ctxs[i].Err() == nil && slices.ContainsFunc(rs, func(r *mp.Result[int]) bool { return r.Ready() }) {
				t.Errorf("ctx %d has ended calls of ctx %d", ended, i)
			}
		}
	}
}
