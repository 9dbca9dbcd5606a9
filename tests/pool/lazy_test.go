package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var lazyAct = mp.Register("lazy/act", func(ctx context.Context, what string) (int, error) {
	switch what {
	case "fail":
		return 0, errors.New("failed")
	case "wait":
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return len(what), nil
})

func lazyPool(t *testing.T, workers int) *mp.Pool {
	t.Helper()
	p, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Terminate)
	return p
}

// lazyList yields the words, and then waits for end.
func lazyList(end <-chan struct{}, words ...string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, w := range words {
			if !yield(w) {
				return
			}
		}
		if end != nil {
			<-end
		}
	}
}

// With FailFast what is in turn and had ended is yielded before the failure, and what had not is not.
func TestImapAfterFailFast(t *testing.T) {
	t.Parallel()
	p := lazyPool(t, 2)
	var got []string
	for v, err := range mp.Imap(t.Context(), p, lazyAct, lazyList(nil, "a", "bb", "wait", "fail", "ccc"), mp.FailFast(), mp.Chunk(1)) {
		if got = append(got, fmt.Sprint(v)); err != nil {
			got[len(got)-1] = "failed"
		}
	}
	if !slices.Equal(got, []string{"1", "2", "failed"}) {
		t.Errorf("yielded %q", got)
	}
}

// With FailFast every input that was taken has an Outcome: the rest were cancelled.
func TestOutcomesAfterFailFast(t *testing.T) {
	t.Parallel()
	p := lazyPool(t, 2)
	seen := make(map[int]error)
	for o := range mp.Outcomes(t.Context(), p, lazyAct, lazyList(nil, "wait", "fail", "wait", "wait"), mp.FailFast(), mp.Window(4)) {
		if _, twice := seen[o.Index]; twice || o.Index < 0 {
			t.Errorf("outcome %d: %v", o.Index, o.Err)
		}
		seen[o.Index] = o.Err
	}
	for i, err := range seen {
		if cancelled := errors.Is(err, mp.ErrCancelled); err == nil || cancelled == (i == 1) {
			t.Errorf("task %d: %v", i, err)
		}
	}
	if seen[1] == nil || len(seen) < 2 {
		t.Errorf("%d outcomes: %v", len(seen), seen)
	}
}

// The last call of Progress knows the total, also when the iterator ends late.
func TestLazyProgressTellsTheTotal(t *testing.T) {
	t.Parallel()
	p := lazyPool(t, 2)
	end := make(chan struct{})
	calls, last := 0, [2]int{}
	for _, err := range mp.Imap(t.Context(), p, lazyAct, lazyList(end, "a", "b", "c"), mp.Progress(func(done, total int) {
		last = [2]int{done, total}
	})) {
		if err != nil {
			t.Fatal(err)
		}
		if calls++; calls == 3 {
			close(end)
		}
	}
	if last != [2]int{3, 3} {
		t.Errorf("the last call said %v", last)
	}
}

// Join in Progress waits for the loop that it is called from, as long as tasks of that are open.
func TestJoinInLazyProgress(t *testing.T) {
	t.Parallel()
	p := lazyPool(t, 1)
	end := make(chan struct{})
	var once sync.Once
	var err error
	for range mp.Imap(t.Context(), p, lazyAct, lazyList(end, "a", "b"), mp.Progress(func(int, int) {
		once.Do(func() {
			p.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			err = p.Join(ctx)
			close(end)
		})
	})) {
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Join said %v", err)
	}
}

// A lazy call keeps all workers busy, however many there are by now.
func TestLazyWindowFollowsResize(t *testing.T) {
	t.Parallel()
	p := lazyPool(t, 1)
	if err := p.Resize(3); err != nil {
		t.Fatal(err)
	}
	words := make([]string, 50)
	for i := range words {
		words[i] = "wait"
	}
	ctx, cancel := context.WithCancel(t.Context())
	taken := 0
	go func() {
		defer cancel()
		testkit.Until(t, "the window is full", func() bool { st := p.Stats(); return st.Queued+st.Running >= 24 })
	}()
	for range mp.ImapUnordered(ctx, p, lazyAct, func(yield func(string) bool) {
		for _, w := range words {
			if taken++; !yield(w) {
				return
			}
		}
	}) {
	}
	if taken != 24 {
		t.Errorf("%d inputs were taken for 3 workers, want 24", taken)
	}
}

func TestChunkWithoutBounds(t *testing.T) {
	t.Parallel()
	p := lazyPool(t, 2)
	n := 0
	for v, err := range mp.Imap(t.Context(), p, lazyAct, lazyList(nil, "a", "bb"), mp.Chunk(math.MaxInt/4)) {
		if n++; err != nil || v != n {
			t.Errorf("%d, %v", v, err)
		}
	}
	if n != 2 {
		t.Errorf("%d outputs", n)
	}
	if _, err := mp.NewPool(mp.PoolConfig{Workers: math.MaxInt / 4}); err == nil || !strings.Contains(err.Error(), "Workers") {
		t.Errorf("NewPool with 1<<50 workers: %v", err)
	}
}
