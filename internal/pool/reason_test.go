package pool_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// ends collects the last events of a lab's workers.
type ends struct{ all []pool.Event }

func (e *ends) note(ev pool.Event) {
	if ev.Kind == pool.WorkerDied || ev.Kind == pool.WorkerRecycled {
		e.all = append(e.all, ev)
	}
}

// one checks that there is exactly one end so far, of this kind and reason.
func (e *ends) one(t *testing.T, kind pool.EventKind, why error) {
	t.Helper()
	synctest.Wait()
	if len(e.all) != 1 || e.all[0].Kind != kind || !errors.Is(e.all[0].Err, why) {
		t.Errorf("%+v, want one of kind %v: %v", e.all, kind, why)
	}
	e.all = nil
}

// The pool reports each worker that it ends, with the reason.
func TestReasonsOfEnds(t *testing.T) {
	type setting struct {
		name string
		cfg  pool.Config
		kind pool.EventKind
		why  error
		act  func(l *lab)
	}
	deadline := errors.New("the deadline of the caller's ctx")
	for _, c := range []setting{
		{"cancelled", pool.Config{}, pool.WorkerDied, pool.ErrCancelled, func(l *lab) {
			k := l.submit(1, lasting(time.Hour))
			time.Sleep(time.Second)
			l.s.Cancel(&k.job, pool.ErrCancelled)
			time.Sleep(2 * time.Second)
		}},
		{"the call's ctx", pool.Config{}, pool.WorkerDied, deadline, func(l *lab) {
			k := l.submit(1, lasting(time.Hour))
			time.Sleep(time.Second)
			l.s.Cancel(&k.job, deadline)
			time.Sleep(2 * time.Second)
		}},
		{"spent", pool.Config{TasksPerWorker: 2}, pool.WorkerRecycled, pool.ErrRecycled, func(l *lab) { l.submit(2, trivial).wait() }},
		{"resized", pool.Config{Workers: 2}, pool.WorkerRecycled, pool.ErrResized, func(l *lab) { l.s.Resize(1) }},
		{"idle", pool.Config{IdleTimeout: time.Second}, pool.WorkerRecycled, pool.ErrIdle, func(l *lab) { time.Sleep(3 * time.Second) }},
		{"closed", pool.Config{}, pool.WorkerRecycled, pool.ErrClosed, func(l *lab) { l.s.Close() }},
		{"terminated", pool.Config{}, pool.WorkerDied, pool.ErrTerminated, func(l *lab) { l.s.Terminate() }},
		{"by itself", pool.Config{}, pool.WorkerDied, errDied, func(l *lab) { l.submit(1, each(func(int) act { return act{dies: true} })).wait() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var e ends
				c.cfg.Events = e.note
				c.cfg.Workers = max(1, c.cfg.Workers)
				l := newLab(t, c.cfg)
				c.act(l)
				e.one(t, c.kind, c.why)
				l.end()
			})
		})
	}
}

// A task that passes its deadline and one that passes the memory limit end with their workers.
func TestReasonsOfKills(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var e ends
		cfg := config(1)
		cfg.Events, cfg.MaxMemory = e.note, 100
		l := newLab(t, cfg)
		l.submit(1, lasting(time.Hour), timeout(time.Second)).wait()
		var late *errTimedOut
		if synctest.Wait(); len(e.all) != 1 || !errors.As(e.all[0].Err, &late) || !errors.Is(e.all[0].Err, errDied) {
			t.Errorf("%+v", e.all)
		}
		e.all = nil
		l.submit(1, func(int, int) act { return act{takes: time.Hour, grows: 1000} }).wait()
		var big *errTooBig
		if synctest.Wait(); len(e.all) != 1 || !errors.As(e.all[0].Err, &big) {
			t.Errorf("%+v", e.all)
		}
		l.end()
	})
}

// A worker that was told to end and does not is killed. The pool reports both.
func TestReasonsOfOneThatDoesNotLeave(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var e ends
		cfg := config(2)
		cfg.Events = e.note
		l := newLab(t, cfg)
		l.worker(0).stop()
		l.worker(1).stop()
		if err := l.s.Resize(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		e.one(t, pool.WorkerDied, pool.ErrResized)
		l.worker(0).cont()
		l.end()
	})
}

// Task numbers are unique in the process, also those of lazy jobs and retries.
func TestTaskNumbers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ids := map[uint64][]pool.EventKind{}
		cfg := config(2)
		cfg.Events = func(e pool.Event) {
			if e.Func != "" {
				ids[e.ID] = append(ids[e.ID], e.Kind)
			}
		}
		l := newLab(t, cfg)
		k := l.submit(0, func(i, attempt int) act {
			if attempt == 1 && i%5 == 0 {
				return act{err: errFake}
			}
			return act{}
		}, func(j *pool.Job) { j.Lazy, j.Retries = true, 1 })
		for range 10 {
			l.submit(3, trivial)
			l.s.Extend(&k.job, 5)
		}
		l.s.Seal(&k.job)
		k.wait()
		l.end()
		if len(ids) != 80 || ids[0] != nil {
			t.Errorf("%d numbers", len(ids))
		}
		retried := 0
		for id, kinds := range ids {
			if !slices.Contains(kinds, pool.TaskDone) || kinds[0] != pool.TaskQueued {
				t.Errorf("%d: %v", id, kinds)
			}
			if slices.Contains(kinds, pool.TaskRetried) {
				retried++
			}
		}
		equal(t, "retried", retried, 10)
		if err := l.s.Join(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
