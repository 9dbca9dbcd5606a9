//go:build unix

package pool_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var streamWork = mp.Register("stream/work", func(_ context.Context, n int) (int, error) {
	if n%10 == 9 {
		return 0, errors.New("nine")
	}
	return n * 3, nil
})

func streamCount(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestStreamImapInOrder(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	seq := mp.Imap(poolCtx(t), p, streamWork, streamCount(1000))
	for range 2 { // each range is a new call
		i := 0
		for v, err := range seq {
			if i%10 == 9 {
				var task *mp.TaskError
				if !errors.As(err, &task) || task.Index != i {
					t.Fatalf("%d: %v", i, err)
				}
			} else if v != i*3 || err != nil {
				t.Fatalf("%d: %v, %v", i, v, err)
			}
			i++
		}
		if i != 1000 {
			t.Errorf("%d outcomes", i)
		}
	}
}

func TestStreamImapUnorderedHasAll(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	var got []int
	failed := 0
	for v, err := range mp.ImapUnordered(poolCtx(t), p, streamWork, streamCount(1000)) {
		if err != nil {
			failed++
		} else {
			got = append(got, v)
		}
	}
	slices.Sort(got)
	if failed != 100 || len(got) != 900 || got[899] != 998*3 || len(slices.Compact(got)) != 900 {
		t.Errorf("%d failed, %d values", failed, len(got))
	}
}

// No input is taken beyond the window, to which what the loop has not been given belongs.
func TestStreamWindow(t *testing.T) {
	t.Parallel()
	for _, window := range []int{1, 3, 17} {
		p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
		var taken, given atomic.Int64
		in := func(yield func(int) bool) {
			for i := range 500 {
				// The loop is given an item a moment before it can say so.
				if ahead := taken.Add(1) - given.Load(); ahead > int64(window)+1 {
					t.Errorf("window %d: %d ahead", window, ahead)
				}
				if !yield(i) {
					return
				}
			}
		}
		i := 0
		for range mp.Imap(poolCtx(t), p, streamWork, in, mp.Window(window)) {
			given.Add(1)
			if i++; i == 250 { // exactly
				testkit.Until(t, "the window is full", func() bool { return taken.Load() >= given.Load()+int64(window) })
				if n := taken.Load() - given.Load(); n != int64(window) {
					t.Errorf("window %d: %d ahead", window, n)
				}
			}
		}
	}
}

func TestStreamNothingIsTakenBeforeTheLoop(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	var taken atomic.Int64
	_ = mp.Imap(context.Background(), p, streamWork, killStream(10, &taken))
	_ = mp.Outcomes(context.Background(), p, streamWork, killStream(10, &taken))
	if n := taken.Load(); n != 0 {
		t.Errorf("%d taken", n)
	}
}

func TestStreamBreakEarly(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for range testkit.Times(50, 500) {
		var taken atomic.Int64
		n := 0
		for range mp.Imap(poolCtx(t), p, streamWork, killStream(math.MaxInt/4, &taken)) {
			if n++; n == 20 {
				break
			}
		}
		for range mp.Outcomes(poolCtx(t), p, streamWork, killStream(math.MaxInt/4, &taken)) {
			break
		}
	}
	testkit.Until(t, "nothing is left", func() bool { st := p.Stats(); return st.Queued+st.Running == 0 })
}

func TestStreamPanics(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	bad := func(yield func(int) bool) {
		for i := range 30 {
			if !yield(i) {
				return
			}
		}
		panic("iterator")
	}
	n := 0
	if v := testkit.PanicOf(func() {
		for range mp.Imap(poolCtx(t), p, streamWork, bad) {
			n++
		}
	}); v != "iterator" || n != 30 {
		t.Errorf("iterator of Imap: %v after %d", v, n)
	}
	n = 0
	if v := testkit.PanicOf(func() {
		for range mp.Outcomes(poolCtx(t), p, streamWork, bad) {
			n++
		}
	}); v != "iterator" || n != 30 {
		t.Errorf("iterator of Outcomes: %v after %d", v, n)
	}
	if v := testkit.PanicOf(func() {
		for range mp.Imap(poolCtx(t), p, streamWork, streamCount(30)) {
			panic("body")
		}
	}); v != "body" {
		t.Errorf("body: %v", v)
	}
	progress := mp.Progress(func(done, total int) { panic("progress") })
	if v := testkit.PanicOf(func() {
		for range mp.Imap(poolCtx(t), p, streamWork, streamCount(30), progress) {
		}
	}); v != "progress" {
		t.Errorf("Progress of Imap: %v", v)
	}
	if v := testkit.PanicOf(func() { mp.Map(poolCtx(t), p, streamWork, []int{1, 2, 3}, progress) }); v != "progress" {
		t.Errorf("Progress of Map: %v", v)
	}
	if v := testkit.PanicOf(func() {
		for range mp.Imap(poolCtx(t), p, streamWork, func(func(int) bool) { runtime.Goexit() }) {
		}
	}); v == nil {
		t.Error("Goexit in the iterator goes quietly")
	}
	if v, err := mp.Apply(poolCtx(t), p, streamWork, 2); v != 6 || err != nil {
		t.Errorf("then %v, %v", v, err)
	}
}

func TestStreamCtxEnds(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for range testkit.Times(30, 300) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		n, last := 0, error(nil)
		for _, err := range mp.Imap(ctx, p, streamWork, streamCount(math.MaxInt/4)) {
			if n++; n == 15 {
				cancel()
			}
			last = err
		}
		if last != context.Canceled {
			t.Errorf("%v after %d", last, n)
		}
		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		seen := make(map[int]bool)
		ended := 0
		for o := range mp.Outcomes(ctx, p, streamWork, streamCount(math.MaxInt/4)) {
			if o.Index == -1 {
				ended++
				continue
			}
			if seen[o.Index] || o.In != o.Index {
				t.Fatalf("outcome %d again", o.Index)
			}
			if seen[o.Index] = true; len(seen) == 15 {
				cancel()
			}
			if errors.Is(o.Err, context.Canceled) {
				ended++
			}
		}
		if ended == 0 {
			t.Error("no outcome says that the ctx has ended")
		}
		for i := range len(seen) {
			if !seen[i] {
				t.Errorf("input %d was taken and has no outcome", i)
			}
		}
	}
}

func TestStreamTerminated(t *testing.T) {
	t.Parallel()
	for _, end := range []func(*mp.Pool){(*mp.Pool).Terminate, func(p *mp.Pool) { p.Close() }} {
		p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
		var last error
		n := 0
		for _, err := range mp.Imap(poolCtx(t), p, streamWork, streamCount(2000)) {
			if n++; n == 100 {
				end(p)
			}
			last = err
		}
		if n != 2000 && !errors.Is(last, mp.ErrTerminated) {
			t.Errorf("%v after %d", last, n)
		}
		n = 0
		for _, err := range mp.Imap(poolCtx(t), p, streamWork, streamCount(2000)) {
			n++
			if !errors.Is(err, mp.ErrClosed) && !errors.Is(err, mp.ErrTerminated) {
				t.Errorf("after the end: %v", err)
			}
		}
		if n != 1 {
			t.Errorf("after the end: %d outcomes", n)
		}
	}
}

func TestStreamFailFast(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	var first error
	n := 0
	for _, err := range mp.Imap(poolCtx(t), p, streamWork, streamCount(math.MaxInt/4), mp.FailFast()) {
		if n++; first != nil {
			t.Errorf("an outcome after the failure: %v", err)
		}
		first = err
	}
	var task *mp.TaskError
	if !errors.As(first, &task) || task.Index%10 != 9 {
		t.Errorf("%v after %d", first, n)
	}
	out, err := mp.Map(poolCtx(t), p, streamWork, slices.Collect(streamCount(10000)), mp.FailFast())
	var all *mp.MapError
	if !errors.As(err, &all) || len(all.Errs) == 0 || len(all.Errs) > 500 || len(out) != 10000 {
		t.Errorf("Map: %v", err)
	}
}

func TestStreamProgress(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	last, calls := 0, 0
	tell := mp.Progress(func(done, total int) {
		if done <= last || total != 500 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last, calls = done, calls+1
	})
	mp.Map(poolCtx(t), p, streamWork, slices.Collect(streamCount(500)), tell)
	if last != 500 {
		t.Errorf("the last call said %d", last)
	}
	last = 0
	r := mp.MapAsync(poolCtx(t), p, streamWork, slices.Collect(streamCount(500)), tell)
	r.Get(poolCtx(t))
	p.Close()
	if err := p.Join(poolCtx(t)); err != nil || last != 500 {
		t.Errorf("MapAsync: %d, %v", last, err)
	}
}

func TestStreamBlockedIterator(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	gate := make(chan int)
	defer close(gate)
	in := func(yield func(int) bool) {
		for v := range gate {
			if !yield(v) {
				return
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	for _, err := range mp.Imap(ctx, p, streamWork, in) {
		if err != context.DeadlineExceeded {
			t.Error(err)
		}
	}
	if d := time.Since(start); d > testkit.Within(time.Second) {
		t.Errorf("left after %v", d)
	}
}
