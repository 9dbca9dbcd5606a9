package pool_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func TestCallbacksRunOneAfterAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		n, at := 0, 0
		for i := range 10 {
			l.s.Callback(func() {
				if n++; n > 1 || i != at {
					t.Error("out of turn")
				}
				at++
				time.Sleep(time.Second)
				n--
				switch i {
				case 3:
					panic("oh no")
				case 5:
					runtime.Goexit()
				}
			})
		}
		l.s.Close()
		err := l.s.Join(context.Background())
		equal(t, "callbacks", at, 10)
		if err == nil || !strings.Contains(err.Error(), "oh no") || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("Join: %v", err)
		}
	})
}

func TestPoolIsUsedFromCallbacks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(2)
		var l *lab
		var events atomic.Int32
		cfg.Events = func(pool.Event) {
			if events.Add(1) == 20 {
				l.s.Close()
				joinInCallback(t, l.s)
			}
		}
		l = newLab(t, cfg)
		k := l.submit(30, lasting(time.Second))
		l.s.Callback(func() {
			time.Sleep(8500 * time.Millisecond)
			joinInCallback(t, l.s)
			l.s.Cancel(&k.job, errFake)
			l.s.Close()
			l.s.Terminate()
			l.s.Terminate()
			joinInCallback(t, l.s)
		})
		is(t, k.wait().cause, errFake)
		l.s.Close()
		l.end()
	})
}

// joinInCallback calls Join from a callback, for which Join itself waits. Join must end with its ctx.
func joinInCallback(t *testing.T, s *pool.Scheduler) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
	defer cancel()
	if err := s.Join(ctx); err == nil {
		t.Error("Join has not waited for the callback that calls it")
	}
}

// Finished may add callbacks. Join waits for them, wherever it is called.
func TestJoinWaitsForFinished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.track(0, trivial)
		k.job.Lazy = true
		called := false
		k.before = func() {
			time.Sleep(time.Second)
			l.s.Callback(func() { time.Sleep(time.Second); called = true })
		}
		is(t, l.s.Submit(context.Background(), &k.job), nil)
		synctest.Wait()
		l.s.Close()
		go l.s.Cancel(&k.job, errFake)
		l.end()
		equal(t, "called", called, true)
	})
}

// When code of the program blocks a Deliver, only its own call waits.
func TestDeliverThatDoesNotReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		stuck := l.track(1, trivial)
		stuck.slow, stuck.job.RunsUserCode = time.Hour, true
		if err := l.s.SubmitNow(&stuck.job); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		l.submit(5, trivial).succeeded()
		died := l.submit(1, func(int, int) act { return act{dies: true} }).wait()
		is(t, died.err(0), errDied)
		equal(t, "the others took", time.Since(start), 0)
		l.s.Terminate()
		equal(t, "Terminate took", time.Since(start), 50*time.Millisecond)
		equal(t, "the call has ended", stuck.isDone(), false)
		time.Sleep(time.Hour)
		equal(t, "the call has ended", stuck.isDone(), true)
	})
}

// Many such outcomes make the worker's reader wait, but only until the worker ends.
func TestManyDeliversThatDoNotReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		for range 20 {
			stuck := l.track(1, trivial)
			stuck.slow, stuck.job.RunsUserCode = time.Hour, true
			if err := l.s.SubmitNow(&stuck.job); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		f := l.worker(0)
		f.Kill()
		synctest.Wait()
		equal(t, "restarts", l.s.Stats().Restarts, 0) // its reader waits
		f.sink.Dead()
		synctest.Wait()
		equal(t, "restarts", l.s.Stats().Restarts, 1)
		l.submit(1, trivial).succeeded()
		l.s.Terminate()
		time.Sleep(2 * time.Hour)
	})
}
