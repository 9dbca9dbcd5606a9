package pool_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// combinations returns all combinations of capabilities.
func combinations() (all []pool.Capabilities) {
	for _, prefetch := range []int{pool.AnyNumber, 0, 1, 3} {
		for n := range 8 {
			all = append(all, pool.Capabilities{Prefetch: prefetch, Revocable: n&1 == 0, Kills: n&2 == 0, Sleeps: n&4 == 0})
		}
	}
	return all
}

// eachCombination runs a test with workers of every combination that choose accepts.
func eachCombination(t *testing.T, choose func(pool.Capabilities) bool, test func(t *testing.T, caps func(*lab), c pool.Capabilities)) {
	t.Parallel()
	for _, c := range combinations() {
		if !choose(c) {
			continue
		}
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				test(t, func(l *lab) { l.caps = c }, c)
				time.Sleep(untilAllReturn)
			})
		})
	}
}

// untilAllReturn is how long tasks of workers that were given up may run on.
const untilAllReturn = 2000 * time.Hour

func whatever(pool.Capabilities) bool { return true }

func short(int, int) act { return act{takes: 20 * time.Microsecond} }

// A worker is sent as many tasks ahead as its capabilities allow, and one if they cannot be taken back.
func TestWorkersAreSentAsFarAheadAsTheySay(t *testing.T) {
	eachCombination(t, whatever, func(t *testing.T, caps func(*lab), c pool.Capabilities) {
		l := newLab(t, config(2), caps)
		defer l.s.Terminate()
		k := l.submit(2000, short)
		k.wait()
		if begins := l.beginsOf(k); len(begins) != 2000 || len(k.outcomes) != 2000 || k.cause != nil {
			t.Errorf("%d begun, %d outcomes: %v", len(begins), len(k.outcomes), k.cause)
		}
		want := 1 + min(c.Prefetch, 3)
		if !c.Revocable {
			want = min(want, 2)
		}
		if most := int(l.most.Load()); most < want { // Open reports a worker that has too many
			t.Errorf("a worker had %d tasks at most, want %d", most, want)
		}
	})
}

// Chunk does not send a worker more than it may have.
func TestChunksAreNoLongerThanAWorkerMayHave(t *testing.T) {
	eachCombination(t, whatever, func(t *testing.T, caps func(*lab), _ pool.Capabilities) {
		l := newLab(t, config(2), caps)
		defer l.s.Terminate()
		k := l.submit(500, short, func(j *pool.Job) { j.Chunk = 50 })
		k.wait()
		if len(k.outcomes) != 500 {
			t.Errorf("%d outcomes", len(k.outcomes))
		}
	})
}

// While other workers are idle, no task that can be taken back waits behind a long one, and only one task that
// cannot.
func TestWhatCannotBeTakenBackWaitsAlone(t *testing.T) {
	eachCombination(t, whatever, func(t *testing.T, caps func(*lab), c pool.Capabilities) {
		l := newLab(t, config(2), caps)
		defer l.s.Terminate()
		l.submit(200, short).wait()
		k := l.submit(100, func(index, _ int) act {
			if index == 10 {
				return act{takes: time.Hour}
			}
			return act{takes: 20 * time.Microsecond}
		})
		time.Sleep(time.Minute)
		want := 99
		if !c.Revocable && c.Prefetch > 0 {
			want = 98
		}
		if n := k.count(); n < want || n > 99 {
			t.Errorf("%d tasks have their outcomes after a minute, want %d", n, want)
		}
		k.wait()
		if n := k.count(); n != 100 {
			t.Errorf("%d outcomes", n)
		}
	})
}

// A job that is cancelled while a task of it waits behind another job's, and cannot be taken back, ends at once; the
// task is not begun, and the worker and the other task are left alone.
func TestCancelOfWhatCannotBeTakenBack(t *testing.T) {
	ahead := func(c pool.Capabilities) bool { return !c.Revocable && c.Prefetch > 0 }
	eachCombination(t, ahead, func(t *testing.T, caps func(*lab), _ pool.Capabilities) {
		l := newLab(t, config(1), caps)
		defer l.s.Terminate()
		l.submit(200, short).wait()
		first := l.submit(1, func(int, int) act { return act{takes: time.Minute} })
		synctest.Wait()
		second := l.submit(1, short)
		synctest.Wait()
		if most := l.worker(0).has(); most != 2 {
			t.Fatalf("the worker has %d tasks", most)
		}
		l.s.Cancel(&second.job, errCancel)
		synctest.Wait()
		if !second.isDone() || !errors.Is(second.cause, errCancel) {
			t.Errorf("the cancelled job: done %v, %v", second.isDone(), second.cause)
		}
		first.wait()
		l.submit(1, short).wait()
		if st := l.s.Stats(); first.cause != nil || first.count() != 1 || st.Restarts != 0 || len(l.beginsOf(second)) != 0 {
			t.Errorf("the other job: %d outcomes, %v; %d restarts, %d begun", first.count(), first.cause, st.Restarts, len(l.beginsOf(second)))
		}
	})
}

// A task whose job was cancelled while it waited is stopped like any other if its worker begins it anyway.
func TestCancelledTasksThatAreBegunAreStopped(t *testing.T) {
	eachCombination(t, whatever, func(t *testing.T, caps func(*lab), c pool.Capabilities) {
		l := newLab(t, config(1), caps)
		defer l.s.Terminate()
		l.submit(200, short).wait()
		k := l.submit(5, func(int, int) act { return act{takes: 1000 * time.Hour} })
		synctest.Wait()
		l.s.Cancel(&k.job, errCancel)
		at := time.Now()
		l.submit(1, short).wait()
		if took := time.Since(at); took > 2*time.Second { // the grace is one
			t.Errorf("the worker was free after %v", took)
		}
	})
}

// A worker that cannot be killed is given up: its task gets an outcome after the grace, another worker
// replaces it, and later reports of the task are ignored.
func TestAWorkerThatCannotBeKilledIsGivenUp(t *testing.T) {
	eachCombination(t, func(c pool.Capabilities) bool { return !c.Kills }, func(t *testing.T, caps func(*lab), _ pool.Capabilities) {
		l := newLab(t, config(1), caps)
		at := time.Now()
		k := l.submit(1, func(int, int) act { return act{takes: time.Minute} }, func(j *pool.Job) { j.Timeout = time.Second })
		k.wait()
		var late *errTimedOut
		if took := time.Since(at); !errors.As(k.outcomes[0].err, &late) || took > 3*time.Second {
			t.Errorf("after %v: %v", took, k.outcomes[0].err)
		}
		next := l.submit(3, short)
		next.wait()
		if next.count() != 3 || time.Since(at) > 4*time.Second {
			t.Errorf("%d outcomes after %v", next.count(), time.Since(at))
		}
		l.s.Terminate()
		if since := time.Since(at); since > 5*time.Second {
			t.Errorf("Terminate returned %v after the start", since)
		}
		time.Sleep(2 * time.Minute) // the task ends now
		if st := l.s.Stats(); k.finished != 1 || st.Done != 3 || st.Failed != 1 {
			t.Errorf("finished %d times, %+v", k.finished, st)
		}
	})
}

// A worker that does not begin what it was sent is given up after the task's Timeout, and the task goes to another.
func TestMuteWorkersLoseTheirTasks(t *testing.T) {
	eachCombination(t, whatever, func(t *testing.T, caps func(*lab), _ pool.Capabilities) {
		l := newLab(t, config(1), caps)
		defer l.s.Terminate()
		l.worker(0).stop()
		k := l.submit(1, short, func(j *pool.Job) { j.Timeout = time.Second })
		at := time.Now()
		k.wait()
		if took := time.Since(at); k.outcomes[0].err != nil || len(l.beginsOf(k)) != 1 || took > 15*time.Second {
			t.Errorf("after %v: %v, begun %d times", took, k.outcomes[0].err, len(l.beginsOf(k)))
		}
	})
}

// A worker that dies does not lose tasks that it has not begun.
func TestDeathsLoseNothingThatWasSentAhead(t *testing.T) {
	eachCombination(t, whatever, func(t *testing.T, caps func(*lab), _ pool.Capabilities) {
		l := newLab(t, config(2), caps)
		defer l.s.Terminate()
		l.submit(200, short).wait()
		k := l.submit(300, func(index, _ int) act { return act{takes: 20 * time.Microsecond, dies: index%50 == 7} })
		k.wait()
		failed := 0
		for _, o := range k.outcomes {
			if errors.Is(o.err, errDied) {
				failed++
			}
		}
		if k.count() != 300 || failed != 6 || len(l.beginsOf(k)) != 300 {
			t.Errorf("%d outcomes, %d died, %d begun", k.count(), failed, len(l.beginsOf(k)))
		}
	})
}

// has returns how many tasks the worker has.
func (f *fake) has() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fl := range f.opened {
		n += max(0, fl.limit-fl.reported)
	}
	return n
}

// count returns the number of outcomes.
func (k *track) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.outcomes)
}
