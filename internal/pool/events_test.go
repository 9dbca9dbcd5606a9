package pool_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// order checks each task's and each worker's events.
func order(t testingT, events []pool.Event) {
	type task struct {
		f     string
		index int
	}
	tasks := make(map[task]pool.Event)
	workers := make(map[int]pool.EventKind)
	for i, ev := range events {
		if i > 0 && ev.Time.Before(events[i-1].Time) {
			t.Errorf("event %d is older than the one before", i)
		}
		if ev.Kind >= pool.WorkerStarted {
			before := workers[ev.Worker]
			ok := map[pool.EventKind]bool{
				pool.WorkerStarted:  before == 0 || before == pool.WorkerDied || before == pool.WorkerRecycled,
				pool.WorkerReady:    before == pool.WorkerStarted,
				pool.WorkerDied:     before == pool.WorkerReady || before == pool.WorkerStarted,
				pool.WorkerRecycled: before == pool.WorkerReady || before == pool.WorkerStarted,
			}[ev.Kind]
			if !ok {
				t.Errorf("worker %d: %d after %d", ev.Worker, ev.Kind, before)
			}
			workers[ev.Worker] = ev.Kind
			continue
		}
		last := tasks[task{ev.Func, ev.Index}]
		before, attempt := last.Kind, last.Attempt
		ok := map[pool.EventKind]bool{
			pool.TaskQueued:  before == 0 && ev.Attempt == 1,
			pool.TaskStarted: before == pool.TaskQueued && ev.Attempt == 1 || before == pool.TaskRetried && ev.Attempt == attempt+1,
			pool.TaskDone:    before == pool.TaskStarted && ev.Attempt == attempt,
			pool.TaskRetried: before == pool.TaskStarted && ev.Attempt == attempt,
			pool.TaskFailed:  before != 0 && before != pool.TaskDone && before != pool.TaskFailed,
		}[ev.Kind]
		if !ok {
			t.Errorf("task %d: %d after %d, attempt %d after %d", ev.Index, ev.Kind, before, ev.Attempt, attempt)
		}
		tasks[task{ev.Func, ev.Index}] = ev
	}
	for at, ev := range tasks {
		if ev.Kind != pool.TaskDone && ev.Kind != pool.TaskFailed {
			t.Errorf("task %v ends with %d", at, ev.Kind)
		}
	}
	for n, kind := range workers {
		if kind != pool.WorkerDied && kind != pool.WorkerRecycled {
			t.Errorf("worker %d ends with %d", n, kind)
		}
	}
}

func TestEventsAreInOrder(t *testing.T) {
	script := func(i, attempt int) act {
		a := act{takes: time.Duration(i%7) * 30 * time.Microsecond, obeys: true}
		switch {
		case i == 1500:
			a.takes = time.Second
		case i%100 == 7 && attempt < 3:
			a.dies = true
		case i%10 == 3:
			a.err = errFake
		}
		return a
	}
	for _, end := range []string{"close", "cancel", "terminate", "fail fast"} {
		t.Run(end, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := config(3)
				var l *lab
				var events []pool.Event
				cfg.Events = func(ev pool.Event) { events = append(events, ev) }
				l = newLab(t, cfg)
				k := l.submit(2000, script, func(j *pool.Job) {
					j.Retries = 2
					j.FailFast = end == "fail fast"
					j.Backoff = pool.Backoff{Min: time.Millisecond, Max: time.Millisecond, Factor: 1}
				})
				time.Sleep(20 * time.Millisecond)
				switch end {
				case "cancel":
					l.s.Cancel(&k.job, errFake)
				case "terminate":
					l.s.Terminate()
				}
				k.wait()
				l.end()
				order(t, events)
			})
		})
	}
}

func TestBlockedEventsHoldTheTasks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(4)
		block := make(chan struct{})
		told := 0
		var l *lab
		cfg.Events = func(ev pool.Event) {
			if ev.Kind == pool.TaskStarted {
				if told++; told == 1 {
					<-block
				}
			}
			if told%1000 == 999 {
				runtime.Goexit()
			}
		}
		l = newLab(t, cfg)
		k := l.submit(20000, trivial)
		time.Sleep(time.Minute)
		n := len(l.seen())
		if n < 1000 || 2*n > 4096+8 {
			t.Errorf("%d tasks were begun", n)
		}
		time.Sleep(time.Minute)
		equal(t, "begun while the callback is blocked", len(l.seen()), n)
		close(block)
		k.succeeded()
		l.s.Close()
		if err := l.s.Join(context.Background()); err == nil {
			t.Error("Join does not tell of Goexit")
		}
		equal(t, "started", told, 20000)
	})
}
