//go:build unix

package pool_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// poolCtx ends a test that hangs long before the test binary would.
func poolCtx(t *testing.T) context.Context {
	d := 4 * time.Minute
	if testkit.LongTests {
		d = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// killedBy says whether err is the death of a worker by that signal.
func killedBy(err error, sig syscall.Signal) bool {
	var died *mp.WorkerDiedError
	return errors.As(err, &died) && died.Signal == sig && died.ExitCode == -int(sig)
}

// killing is what kills workers of a pool.
type killing struct {
	killed      atomic.Int64
	quit, ended chan struct{}
	once        sync.Once
}

// mostKills is enough: where starting a worker takes long, more of them would be all that happens.
func mostKills() int64 { return int64(testkit.Times(60, 5000)) }

// killer kills workers of a pool, the first as soon as one has work and then one every so
// often, until it is stopped or has killed the most that it may.
func killer(p *mp.Pool, every func() time.Duration, most int64) *killing {
	k := &killing{quit: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(k.ended)
		for turn := 0; k.killed.Load() < most; turn++ {
			wait := every()
			if k.killed.Load() == 0 {
				wait = time.Millisecond
			}
			select {
			case <-k.quit:
				return
			case <-time.After(wait):
			}
			workers := p.Stats().Workers
			if len(workers) == 0 {
				continue
			}
			w := workers[turn%len(workers)]
			// Now and then one that starts or is idle, but never so that nothing gets done.
			if n := k.killed.Load(); w.PID == 0 || n%4 != 3 && w.State != mp.WorkerBusy {
				continue
			}
			if syscall.Kill(w.PID, syscall.SIGKILL) == nil {
				k.killed.Add(1)
			}
		}
	}()
	return k
}

func (k *killing) stop() {
	k.once.Do(func() { close(k.quit) })
	<-k.ended
}

// deaths stops the killing and says how many were killed; without any it was no test.
func (k *killing) deaths(t *testing.T) int {
	t.Helper()
	k.stop()
	n := int(k.killed.Load())
	if n == 0 {
		t.Error("nobody was killed")
	}
	t.Logf("%d kills", n)
	return n
}

// alive says whether a process runs: a zombie is left to whoever should reap it.
func alive(pid int) bool {
	state := testkit.ProcessState(pid)
	return state != 0 && state != 'Z' && state != 'X'
}
