package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestNewResultIsSetOnce(t *testing.T) {
	t.Parallel()
	r, set := mp.NewResult[int]()
	if r.Ready() || r.Running() || r.Err() != nil {
		t.Error("it has an outcome from the start")
	}
	if _, err := r.Get(testkit.Cancelled()); !errors.Is(err, context.Canceled) {
		t.Errorf("Get before there is an outcome: %v", err)
	}
	var sets atomic.Int64
	var setters sync.WaitGroup
	for i := range 20 {
		setters.Go(func() {
			if set(i, nil) {
				sets.Add(1)
			}
		})
	}
	v, err := r.Get(t.Context())
	setters.Wait()
	if again, _ := r.Get(testkit.Cancelled()); err != nil || again != v || sets.Load() != 1 {
		t.Errorf("%d and then %d, %v; %d set it", v, again, err, sets.Load())
	}
	if r.Cancel(); r.TryCancel() || r.Err() != nil {
		t.Error("cancelled after it was set:", r.Err())
	}
}

func TestNewResultCancel(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(*mp.Result[int]){
		"Cancel":    func(r *mp.Result[int]) { r.Cancel() },
		"TryCancel": func(r *mp.Result[int]) { r.TryCancel() },
	} {
		r, set := mp.NewResult[int]()
		cancel(r)
		<-r.Done() // what a producer waits for
		if set(1, nil) || !errors.Is(r.Err(), mp.ErrCancelled) {
			t.Errorf("%s: %v", name, r.Err())
		}
	}
}

// Callbacks run one after another, also those that come later and those behind one that ends its goroutine.
func TestNewResultCallbacks(t *testing.T) {
	t.Parallel()
	r, set := mp.NewResult[string]()
	var in atomic.Int64
	calls := make(chan int, 200)
	callback := func(i int) func(string, error) {
		return func(v string, err error) {
			defer in.Add(-1)
			if in.Add(1) != 1 || v != "set" || err != nil {
				t.Errorf("callback %d: %d at once, %q, %v", i, in.Load(), v, err)
			}
			calls <- i
			if i%7 == 0 {
				runtime.Goexit()
			}
		}
	}
	for i := range 100 {
		r.OnDone(callback(i))
	}
	set("set", nil)
	for i := range 100 {
		r.OnDone(callback(100 + i))
	}
	for want := range 200 {
		if got := <-calls; got != want {
			t.Fatalf("callback %d came as number %d", got, want)
		}
	}
}

func TestAsCompletedYieldsAllThatIsDone(t *testing.T) {
	t.Parallel()
	var rs []*mp.Result[int]
	var sets []func(int, error) bool
	for range 4 {
		r, set := mp.NewResult[int]()
		rs, sets = append(rs, r), append(sets, set)
	}
	for i := range 3 {
		sets[i](i, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var places []int
	for i := range mp.AsCompleted(ctx, rs...) {
		places = append(places, i)
		cancel() // the body is slow, and meanwhile the ctx ends
	}
	if !slices.Equal(places, []int{0, 1, 2}) {
		t.Errorf("with a ctx that ends in the body: %d", places)
	}
	places = nil
	for i := range mp.AsCompleted(testkit.Cancelled(), rs...) {
		places = append(places, i)
	}
	if !slices.Equal(places, []int{0, 1, 2}) {
		t.Errorf("with a ctx that had ended: %d", places)
	}
	done, pending := mp.Wait(testkit.Cancelled(), mp.AllDone, rs...)
	if len(done) != 3 || len(pending) != 1 {
		t.Errorf("Wait with a ctx that had ended: %d and %d", len(done), len(pending))
	}
}

func TestAsCompletedInTheOrderOfCompletion(t *testing.T) {
	t.Parallel()
	const n = 1000
	var rs []*mp.Result[int]
	var sets []func(int, error) bool
	for range n {
		r, set := mp.NewResult[int]()
		rs, sets = append(rs, r), append(sets, set)
	}
	next := n - 1
	sets[next](0, nil)
	for i, r := range mp.AsCompleted(t.Context(), append(rs, rs[0])...) {
		if !r.Ready() || i != next && !(i == n && next == 0) {
			t.Fatalf("result %d comes, want %d", i, next)
		}
		if next > 0 {
			next--
			sets[next](0, nil)
		}
	}
	if next != 0 {
		t.Errorf("it ended before %d", next)
	}
}

// A loop that was left leaves nothing at the results: they may be kept for long. It runs alone, since it counts the
// objects of the process.
func TestAsCompletedLeavesNothing(t *testing.T) {
	done, set := mp.NewResult[int]()
	set(0, nil)
	pending, _ := mp.NewResult[int]()
	var before, after runtime.MemStats
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	mp.Wait(ctx, mp.AllDone, pending) // until ctx ends
	loop := func() {
		for range 50_000 {
			for range mp.AsCompleted(t.Context(), done, pending) {
				break
			}
		}
	}
	loop()
	runtime.GC()
	runtime.ReadMemStats(&before)
	loop()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapObjects) - int64(before.HeapObjects); grown > 50_000 {
		t.Errorf("%d objects are left of 50,000 loops", grown)
	}
	runtime.KeepAlive(pending)
}
