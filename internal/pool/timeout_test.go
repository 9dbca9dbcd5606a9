package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// Sending the input takes longer than the task's timeout, which counts from the task's
// begin. The task still times out.
func TestTimeoutAfterASlowSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.slowSend.Store(int64(3 * time.Second))
		start := time.Now()
		k := l.submit(1, each(func(int) act { return act{takes: time.Hour} }), timeout(time.Second)).wait()
		if _, late := k.err(0).(*errTimedOut); !late {
			t.Errorf("error %v", k.err(0))
		}
		equal(t, "killed", k.get(0).at.Sub(start), 5*time.Second) // sent 3 s, 1 s, grace 1 s
		l.end()
	})
}

// A worker that was stopped while idle is replaced when a call's ctx ends before the
// worker has begun the task. The next call finds a working one.
func TestStoppedWorkerIsReplacedWhenACallEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		synctest.Wait()
		l.worker(0).stop()
		k := l.submit(1, trivial)
		time.Sleep(300 * time.Millisecond)
		l.s.Cancel(&k.job, context.DeadlineExceeded)
		k.wait()
		l.submit(1, trivial).succeeded()
		equal(t, "begun by the stopped one", l.s.Stats().Restarts, 1)
		l.end()
	})
}

// A pool that shrinks lets go of the worker that does not answer.
func TestResizeLetsTheStoppedWorkerGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		synctest.Wait()
		l.worker(0).stop()
		for range 3 {
			l.submit(1, trivial).succeeded() // one of them was sent to the stopped one first
		}
		is(t, l.s.Resize(1), nil)
		l.submit(1, trivial).succeeded()
		l.end()
	})
}

// When one worker after another does not report the begin of a task, the task is to blame: it
// fails, and other workers run the tasks that were sent with it.
func TestTaskThatNoWorkerBegins(t *testing.T) {
	for _, items := range []int{1, 5} {
		t.Run(fmt.Sprintf("%d items", items), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := newLab(t, config(1), func(l *lab) { l.startStopped.Store(3) })
				start := time.Now()
				k := l.submit(items, trivial, timeout(time.Second), func(j *pool.Job) { j.Chunk = 5 }).wait()
				if _, late := k.err(0).(*errTimedOut); !late {
					t.Errorf("error %v", k.err(0))
				}
				equal(t, "ended", k.get(0).at.Sub(start), 3*time.Second)
				for i := 1; i < items; i++ {
					is(t, k.err(i), nil)
				}
				equal(t, "restarts", l.s.Stats().Restarts, 3)
				l.end()
			})
		})
	}
}

// Two workers that were stopped from outside do not make the task that they were sent fail.
func TestTaskOfTwoStoppedWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1), func(l *lab) { l.startStopped.Store(2) })
		l.submit(5, trivial, timeout(time.Second), func(j *pool.Job) { j.Chunk = 5 }).succeeded()
		l.end()
	})
}

var _ pool.Client = (*track)(nil)
