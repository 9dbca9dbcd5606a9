package pool_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/gomultiprocessing/mp/internal/pool"
)

var allKinds = pool.Kinds(1<<31 - 1)

// drained returns the events of a watch of a pool that has ended.
func drained(t *testing.T, w *pool.Watch) (events []pool.Event) {
	t.Helper()
	for {
		ev, err := w.Next(context.Background())
		if errors.Is(err, pool.ErrClosed) {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
}

// Each watch gets all events in order, and so does Config.Events.
func TestEachWatchHasAllEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []pool.Event
		cfg := config(2)
		cfg.Events = func(ev pool.Event) { told = append(told, ev) }
		l := newLab(t, cfg)
		synctest.Wait()
		before := len(told)
		first, second := l.s.Watch(allKinds), l.s.Watch(allKinds)
		l.submit(500, func(index, attempt int) act {
			return act{err: map[bool]error{true: errFake}[index%10 == 0], dies: index%77 == 3 && attempt == 1}
		}, func(j *pool.Job) { j.Retries = 1 }).wait()
		l.s.Close()
		if err := l.s.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		told = told[before:]
		order(t, slices.DeleteFunc(slices.Clone(told), func(ev pool.Event) bool { return ev.Kind >= pool.WorkerStarted }))
		for _, w := range []*pool.Watch{first, second} {
			got := drained(t, w)
			if len(got) != len(told) {
				t.Fatalf("%d events, want %d", len(got), len(told))
			}
			for i, ev := range got {
				same := told[i]
				if ev.Kind != same.Kind || ev.Func != same.Func || ev.Index != same.Index || ev.ID != same.ID || ev.Attempt != same.Attempt ||
					ev.Worker != same.Worker || ev.PID != same.PID || !errors.Is(ev.Err, same.Err) || ev.Wall != same.Wall || ev.Lost != nil {
					t.Fatalf("event %d is %+v, want %+v", i, ev, same)
				}
			}
		}
	})
}

// A watch that is not read does not block the pool, and no count is lost: an event tells how many were left out.
func TestSlowWatchLosesNoCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		w := l.s.Watch(allKinds)
		const n, jobs = 1000, 10
		want := map[pool.EventKind]int{}
		counts := map[pool.EventKind]int{}
		read := func(events ...pool.Event) {
			for _, ev := range events {
				if ev.Kind != pool.EventsLost {
					counts[ev.Kind]++
					continue
				}
				for k, n := range ev.Lost {
					counts[k] += n
				}
			}
		}
		for range jobs {
			l.submit(n, short).wait()
			for range 3000 { // reads, but too slowly
				ev, err := w.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				read(ev)
			}
		}
		l.s.Close()
		if err := l.s.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		read(drained(t, w)...)
		want[pool.TaskQueued], want[pool.TaskStarted], want[pool.TaskDone], want[pool.WorkerRecycled] = n*jobs, n*jobs, n*jobs, 2
		if !maps.Equal(counts, want) {
			t.Errorf("%v, want %v", counts, want)
		}
	})
}

// If a watch is never read, its queue fills up, and one event stands for the rest.
func TestUnreadWatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		w := l.s.Watch(allKinds)
		l.submit(20000, short).wait()
		l.s.Close()
		if err := l.s.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		events := drained(t, w)
		last := events[len(events)-1]
		if last.Kind != pool.EventsLost {
			t.Fatalf("the last event is %+v", last)
		}
		counts := maps.Clone(last.Lost)
		for i, ev := range events[:len(events)-1] {
			if ev.Kind == pool.EventsLost || i > 0 && ev.Time.Before(events[i-1].Time) {
				t.Fatalf("event %d of %d is %+v", i, len(events), ev)
			}
			counts[ev.Kind]++
		}
		if counts[pool.TaskQueued] != 20000 || counts[pool.TaskStarted] != 20000 || counts[pool.TaskDone] != 20000 || counts[pool.WorkerRecycled] != 2 {
			t.Errorf("%v", counts)
		}
	})
}

// A watch gets the kinds that it asked for. Workers report each task only while a watch asks for kinds about tasks.
func TestWatchOfSomeKinds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		w := l.s.Watch(pool.KindsOf(pool.WorkerDied, pool.WorkerReady))
		dies := func(index, _ int) act { return act{dies: index == 1} }
		k := l.submit(3, dies)
		k.wait()
		synctest.Wait()
		if l.reports.Load() != 0 {
			t.Errorf("workers have told of %d begins", l.reports.Load())
		}
		tasks := l.s.Watch(pool.KindsOf(pool.TaskDone))
		l.submit(3, trivial).wait()
		if l.reports.Load() != 3 {
			t.Errorf("workers have told of %d begins, want 3", l.reports.Load())
		}
		tasks.Close()
		tasks.Close()
		l.submit(3, trivial).wait()
		if l.reports.Load() != 3 {
			t.Errorf("workers tell of begins that nobody watches")
		}
		if _, err := tasks.Next(t.Context()); !errors.Is(err, pool.ErrClosed) {
			t.Errorf("Next of a closed watch: %v", err)
		}
		l.s.Terminate()
		var kinds []pool.EventKind
		for _, ev := range drained(t, w) {
			kinds = append(kinds, ev.Kind)
		}
		if want := []pool.EventKind{pool.WorkerDied, pool.WorkerReady, pool.WorkerDied}; !slices.Equal(kinds, want) {
			t.Errorf("%v, want %v", kinds, want)
		}
	})
}

// Next waits, and ends with its ctx, with Close and with the pool.
func TestWatchNextWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		w, other := l.s.Watch(allKinds), l.s.Watch(allKinds)
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 3)
		go func() { _, err := w.Next(ctx); errs <- err }()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("after its ctx: %v", err)
		}
		go func() { _, err := w.Next(t.Context()); errs <- err }()
		synctest.Wait()
		w.Close()
		if err := <-errs; !errors.Is(err, pool.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		got := make(chan int)
		for range 3 { // each event goes to one of them
			go func() {
				n := 0
				for {
					if _, err := other.Next(context.Background()); err != nil {
						got <- n
						return
					}
					n++
				}
			}()
		}
		l.submit(100, trivial).wait()
		l.s.Close()
		if err := l.s.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := <-got + <-got + <-got; n != 301 {
			t.Errorf("%d events, want 301", n)
		}
	})
}
