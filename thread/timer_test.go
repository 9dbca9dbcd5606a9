package thread_test

import (
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// The tests here are not parallel: a Timer is a thread that nobody joins, and the hook is one.

func isDone(tm *thread.Timer) bool {
	select {
	case <-tm.Done():
		return true
	default:
		return false
	}
}

func TestTimerCallsFOnceAfterD(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var calls atomic.Int32
		tm := thread.After(time.Minute, func() { calls.Add(1) })
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if calls.Load() != 0 || isDone(tm) {
			t.Error("too early")
		}
		<-tm.Done()
		if calls.Load() != 1 || time.Since(began) != time.Minute {
			t.Error(calls.Load(), time.Since(began))
		}
		time.Sleep(time.Hour)
		if calls.Load() != 1 {
			t.Error("it was called again")
		}
		if tm.Cancel() {
			t.Error("Cancel stopped what has run")
		}
	})
}

func TestTimerWithoutAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		for _, d := range []time.Duration{0, -time.Hour} {
			ran := make(chan struct{})
			<-thread.After(d, func() { close(ran) }).Done()
			<-ran
		}
		if time.Since(began) != 0 {
			t.Error(time.Since(began))
		}
	})
}

func TestTimerCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tm := thread.After(time.Minute, func() { t.Error("it was called") })
		if !tm.Cancel() {
			t.Error("it was not stopped")
		}
		if !isDone(tm) || len(thread.Enumerate()) != 1 {
			t.Error("it is not done at once")
		}
		if tm.Cancel() {
			t.Error("it was stopped twice")
		}
		time.Sleep(time.Hour)
	})
}

func TestTimerCancelledWhileFRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tm := thread.After(time.Second, func() { time.Sleep(time.Minute) })
		time.Sleep(2 * time.Second)
		if tm.Cancel() || isDone(tm) {
			t.Error("Cancel had an effect")
		}
		began := time.Now()
		<-tm.Done()
		if time.Since(began) != time.Minute-time.Second {
			t.Error(time.Since(began))
		}
	})
}

func TestTimerCancelledInF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tm *thread.Timer
		set, stopped := make(chan struct{}), true
		tm = thread.After(0, func() {
			<-set
			stopped = tm.Cancel()
		})
		close(set)
		<-tm.Done()
		if stopped {
			t.Error("it stopped itself")
		}
	})
}

func TestOneCancelStopsATimer(t *testing.T) {
	for range 200 {
		var calls, stops atomic.Int32
		tm := thread.After(time.Microsecond, func() { calls.Add(1) })
		var cancels sync.WaitGroup
		for range 4 {
			cancels.Go(func() {
				if tm.Cancel() {
					stops.Add(1)
				}
			})
		}
		cancels.Wait()
		<-tm.Done()
		if calls.Load()+stops.Load() != 1 {
			t.Fatalf("called %d times, stopped %d times", calls.Load(), stops.Load())
		}
	}
}

func TestTimerIsAThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		tm := thread.After(time.Minute, func() {})
		all := thread.Enumerate()
		if len(all) != 2 || !regexp.MustCompile(`^Timer-\d+$`).MatchString(all[1].Name()) || !all[1].Alive() {
			t.Fatal(all)
		}
		if err := thread.JoinAll(t.Context()); err != nil || time.Since(began) != time.Minute || !isDone(tm) {
			t.Error(err, time.Since(began))
		}
		if err := all[1].Join(t.Context()); err != nil || all[1].Alive() {
			t.Error(err, all[1])
		}
	})
}

func TestTimerCancelledAsAThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tm := thread.After(time.Minute, func() { t.Error("it was called") })
		thread.Enumerate()[1].Cancel()
		if !isDone(tm) || tm.Cancel() {
			t.Error("it waits still")
		}
		time.Sleep(time.Hour)
	})
}

func TestTimerWhoseFPanics(t *testing.T) {
	calls := hookInto(t)
	tm := thread.After(0, func() { panicWith("too late") })
	<-tm.Done()
	if len(*calls) != 1 || !strings.HasPrefix((*calls)[0].thread.Name(), "Timer-") || !strings.Contains((*calls)[0].err.Error(), "too late") {
		t.Error(*calls)
	}
}

func TestTimerWhoseFCallsGoexit(t *testing.T) {
	calls := hookInto(t)
	<-thread.After(0, runtime.Goexit).Done()
	if len(*calls) != 1 || len(thread.Enumerate()) != 1 {
		t.Error(*calls, thread.Enumerate())
	}
}

func TestTimerThatWasNotMade(t *testing.T) {
	var tm thread.Timer
	<-tm.Done()
	if tm.Cancel() {
		t.Error("there was something to stop")
	}
}

func TestTimerOfANilFunction(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.Contains(v.(string), "nil") {
			t.Error(v)
		}
		if all := thread.Enumerate(); len(all) != 1 {
			t.Error(all)
		}
	}()
	thread.After(time.Second, nil)
}
