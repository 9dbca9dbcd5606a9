//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// A call whose ctx ends returns at once, whatever its tasks do.
func TestStopCtxEnds(t *testing.T) {
	testkit.Beside(t)
	calls := map[string]func(ctx context.Context, p *mp.Pool, in stopIn) error{
		"Apply": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.Apply(ctx, p, stopTask, in)
			return err
		},
		"Map": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.Map(ctx, p, stopTask, []stopIn{in, in, in})
			return err
		},
		"Imap": func(ctx context.Context, p *mp.Pool, in stopIn) (err error) {
			for _, err = range mp.Imap(ctx, p, stopTask, forEver(in)) {
			}
			return err
		},
		"Outcomes": func(ctx context.Context, p *mp.Pool, in stopIn) (err error) {
			for o := range mp.Outcomes(ctx, p, stopTask, forEver(in)) {
				err = o.Err
			}
			return err
		},
		"ApplyAsync": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.ApplyAsync(ctx, p, stopTask, in).Get(context.Background())
			return err
		},
		"MapAsync": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.MapAsync(ctx, p, stopTask, []stopIn{in, in, in}).Get(context.Background())
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			testkit.Beside(t)
			p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 100 * time.Millisecond})
			late, err := stopCtx(t, func(ctx context.Context, in stopIn) error { return call(ctx, p, in) }, "loops")
			if !errors.Is(err, context.Canceled) || late > testkit.Within(100*time.Millisecond) {
				t.Errorf("%v, %v late", err, late)
			}
			// Nor does it wait for the end of the grace.
			patient := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: time.Hour})
			late, err = stopCtx(t, func(ctx context.Context, in stopIn) error { return call(ctx, patient, in) }, "sleeps")
			if !errors.Is(err, context.Canceled) || late > testkit.Within(100*time.Millisecond) {
				t.Errorf("%v, %v late", err, late)
			}
			if v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{N: 5}); v != 5 || err != nil {
				t.Errorf("then %v, %v", v, err)
			}
		})
	}
}

// stopCtx ends the ctx of a call when its task is begun, and says how much later it returned.
func stopCtx(t *testing.T, call func(context.Context, stopIn) error, how string) (late time.Duration, err error) {
	t.Helper()
	in := stopIn{How: how, File: stopFile(t)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	returned := make(chan error, 1)
	go func() { returned <- call(ctx, in) }()
	stopBegun(t, in)
	ended := time.Now()
	cancel()
	select {
	case err = <-returned:
	case <-time.After(time.Minute):
		t.Fatal("the call does not return")
	}
	return time.Since(ended), err
}

func forEver[T any](v T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for yield(v) {
		}
	}
}

func TestStopCtxDoneAtEntry(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := stopIn{File: stopFile(t)}
	if _, err := mp.Apply(ctx, p, stopTask, in); err != context.Canceled {
		t.Error(err)
	}
	if _, err := mp.Map(ctx, p, stopTask, []stopIn{in}); err != context.Canceled {
		t.Error(err)
	}
	if err := mp.ApplyAsync(ctx, p, stopTask, in).Err(); err != context.Canceled {
		t.Error(err)
	}
	n := 0
	for _, err := range mp.Imap(ctx, p, stopTask, forEver(in)) {
		if n++; err != context.Canceled {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d yields", n)
	}
	if _, err := os.Stat(in.File); err == nil {
		t.Error("a task was begun")
	}
	if st := p.Stats(); st.Done+st.Failed != 0 {
		t.Errorf("%+v", st)
	}
}

type stopSeen struct {
	Deadline time.Duration // from now
	Has      bool
	Value    bool
	Info     mp.TaskInfo
	InTask   bool
}

type stopKey struct{}

var stopLook = mp.Register("stop/look", func(ctx context.Context, _ int) (stopSeen, error) {
	var s stopSeen
	var d time.Time
	if d, s.Has = ctx.Deadline(); s.Has {
		s.Deadline = time.Until(d)
	}
	s.Value = ctx.Value(stopKey{}) != nil
	s.Info, s.InTask = mp.CurrentTask(context.WithValue(ctx, stopKey{}, 1))
	return s, nil
})

func TestStopTaskCtx(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	parent := context.WithValue(context.Background(), stopKey{}, 1)
	s, err := mp.Apply(parent, p, stopLook, 0)
	if err != nil || s.Has || s.Value || !s.InTask || s.Info != (mp.TaskInfo{Func: "stop/look", Index: 0, Attempt: 1, Worker: 1}) {
		t.Errorf("%+v, %v", s, err)
	}
	near := func(d, want time.Duration) bool { return d <= want && d > want-30*time.Second }
	hour, cancel := context.WithTimeout(parent, time.Hour)
	defer cancel()
	if s, err := mp.Apply(hour, p, stopLook, 0); err != nil || !near(s.Deadline, time.Hour) {
		t.Errorf("ctx: %+v, %v", s, err)
	}
	if s, err := mp.Apply(hour, p, stopLook, 0, mp.Timeout(time.Minute)); err != nil || !near(s.Deadline, time.Minute) {
		t.Errorf("Timeout is earlier: %+v, %v", s, err)
	}
	if s, err := mp.Apply(hour, p, stopLook, 0, mp.Timeout(2*time.Hour)); err != nil || !near(s.Deadline, time.Hour) {
		t.Errorf("ctx is earlier: %+v, %v", s, err)
	}
	all, err := mp.Map(parent, p, stopLook, make([]int, 100))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		if s.Info.Index != i {
			t.Errorf("task %d: %+v", i, s.Info)
		}
	}
	if _, ok := mp.CurrentTask(context.Background()); ok {
		t.Error("this is no task")
	}
}

// A cancel is for one task: the next ones in the same worker do not see it.
func TestStopCancelHitsOneTask(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	for i := range testkit.Times(80, 800) {
		r := mp.ApplyAsync(context.Background(), p, stopTask, stopIn{How: "waits", For: time.Duration(i%5) * 20 * time.Microsecond})
		next := mp.ApplyAsync(context.Background(), p, stopCtxErr, i)
		third := mp.ApplyAsync(context.Background(), p, stopCtxErr, i)
		r.Cancel()
		for _, r := range []*mp.Result[int]{next, third} {
			if v, err := r.Get(poolCtx(t)); v != i || err != nil {
				t.Fatalf("round %d: %v, %v", i, v, err)
			}
		}
	}
}

var stopCtxErr = mp.Register("stop/ctxerr", func(ctx context.Context, n int) (int, error) {
	for range 20 {
		if ctx.Err() != nil {
			return 0, fmt.Errorf("my ctx: %w", ctx.Err())
		}
		time.Sleep(5 * time.Microsecond)
	}
	return n, nil
})
