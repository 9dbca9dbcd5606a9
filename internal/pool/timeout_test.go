package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// The input takes longer to be sent than the task may take: the timeout counts from
// the begin, and it counts.
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

// A worker that was stopped while it was idle is replaced when a call's ctx ends
// before it has begun the task: the next call finds one that works.
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

// A pool that gets smaller does without the worker that does not answer.
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

var _ pool.Client = (*track)(nil)
