package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

var watchedFunc = thread.Func(func(_ context.Context, n int) (int, error) {
	if n == 3 {
		return 0, errors.New("three")
	}
	return n, nil
})

// A Watch tells what Events tells, of the pool that it watches.
func TestWatchTellsTheEventsOfAPool(t *testing.T) {
	t.Parallel()
	var told []mp.PoolEvent
	p, err := thread.NewPool(mp.PoolConfig{Name: "watched", Workers: 1, Events: func(e mp.PoolEvent) { told = append(told, e) }})
	if err != nil {
		t.Fatal(err)
	}
	w := p.Watch(mp.WatchConfig{})
	mp.Map(t.Context(), p, watchedFunc, []int{1, 2, 3, 4})
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []mp.PoolEvent
	for {
		e, err := w.Next(t.Context())
		if errors.Is(err, mp.ErrClosed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	told = slices.DeleteFunc(told, func(e mp.PoolEvent) bool { return e.Kind == mp.WorkerStarted || e.Kind == mp.WorkerReady }) // before Watch
	if !slices.Equal(got, told) || len(got) != 13 {
		t.Errorf("%d events, want these %d:\n%v\n%v", len(got), len(told), got, told)
	}
	if e := got[len(got)-1]; e.Pool != "watched" || e.Kind != mp.WorkerRecycled {
		t.Errorf("the last is %+v", e)
	}
}

// What a Watch was too slow for is one event with the counts.
func TestWatchTellsWhatItLeftOut(t *testing.T) {
	t.Parallel()
	p, err := thread.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown(t.Context())
	w := p.Watch(mp.WatchConfig{Kinds: []mp.EventKind{mp.TaskStarted}})
	defer w.Close()
	in := make([]int, 10000)
	if _, err := mp.Map(t.Context(), p, watchedFunc, in); err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		e, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == mp.TaskStarted {
			n++
			continue
		}
		var lost *mp.EventsLostError
		if e.Kind != mp.EventsLost || e.Func != "" || e.Index != -1 || !errors.As(e.Err, &lost) || n+lost.Counts[mp.TaskStarted] != 10000 || len(lost.Counts) != 1 {
			t.Fatalf("after %d: %+v", n, e)
		}
		if s := lost.Error(); !strings.HasPrefix(s, "mp: ") || !strings.Contains(s, " task started") {
			t.Error(s)
		}
		if s := slog.AnyValue(e).Resolve().String(); !strings.Contains(s, "events lost") {
			t.Error(s)
		}
		return
	}
}

// A Watch of no pool has nothing to tell.
func TestWatchOfANilPool(t *testing.T) {
	t.Parallel()
	var p *mp.Pool
	w := p.Watch(mp.WatchConfig{})
	if _, err := w.Next(t.Context()); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	w.Close()
}

// Pools has a pool from its start to its end, and does not keep it.
func TestPoolsAreListed(t *testing.T) {
	t.Parallel()
	made := func(name string) *mp.Pool {
		p, err := thread.NewPool(mp.PoolConfig{Name: name, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	listed := func(name string) (n int) {
		for _, p := range mp.Pools() {
			if p.Name() == name {
				n++
			}
		}
		return n
	}
	first, second := made("listed 1"), made("listed 2")
	var names []string
	for _, p := range mp.Pools() {
		names = append(names, p.Name())
	}
	if i, j := slices.Index(names, "listed 1"), slices.Index(names, "listed 2"); i < 0 || j < i {
		t.Errorf("%q", names)
	}
	if err := first.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if listed("listed 1") != 0 || listed("listed 2") != 1 {
		t.Errorf("after the end of the first: %d, %d", listed("listed 1"), listed("listed 2"))
	}
	if err := second.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A Watch that is dropped is closed, and neither it nor Pools keeps a pool from being garbage.
func TestNothingThatLooksKeepsAPool(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	var w *mp.Watch
	func() {
		p, err := thread.NewPool(mp.PoolConfig{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		w = p.Watch(mp.WatchConfig{})
		p.Watch(mp.WatchConfig{}) // dropped
		runtime.AddCleanup(p, func(struct{}) { close(gone) }, struct{}{})
		mp.Pools()
		p.Close() // without it a line on stderr would tell
	}()
	for {
		runtime.GC()
		select {
		case <-gone:
			for {
				if _, err := w.Next(t.Context()); errors.Is(err, mp.ErrClosed) {
					return // the pool has come to its end
				} else if err != nil {
					t.Fatal(err)
				}
			}
		case <-time.After(time.Millisecond):
		}
	}
}
