//go:build unix

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// longTests says that loops run for as long as it takes to trust them.
var longTests = os.Getenv("MP_LONG") != ""

// times is how often a test does something: seldom, or with MP_LONG often.
func times(seldom, often int) int {
	if longTests {
		return often
	}
	return seldom
}

// poolCtx ends a test that hangs long before the test binary would.
func poolCtx(t *testing.T) context.Context {
	d := 2 * time.Minute
	if longTests {
		d = 10 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// newPool starts a pool that is gone when the test is over.
func newPool(t *testing.T, cfg mp.PoolConfig) *mp.Pool {
	t.Helper()
	p, err := mp.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Terminate()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Join(ctx); err != nil {
			t.Errorf("Join: %v", err)
		}
	})
	return p
}

// until polls for what has no event, for at most ten seconds.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after ten seconds: %s", what)
		}
	}
}

// killedBy says whether err is the death of a worker by that signal.
func killedBy(err error, sig syscall.Signal) bool {
	var died *mp.WorkerDiedError
	return errors.As(err, &died) && died.Signal == sig && died.ExitCode == -int(sig)
}

// killer kills workers of a pool, one every so often, until it is stopped or has
// killed so many. It returns a function that stops it and tells how many it killed.
func killer(p *mp.Pool, every func() time.Duration, most int) (stop func() int) {
	quit, ended := make(chan struct{}), make(chan struct{})
	killed := 0
	go func() {
		defer close(ended)
		for turn := 0; killed < most; turn++ {
			select {
			case <-quit:
				return
			case <-time.After(every()):
			}
			workers := p.Stats().Workers
			if len(workers) == 0 {
				continue
			}
			if syscall.Kill(workers[turn%len(workers)].PID, syscall.SIGKILL) == nil {
				killed++
			}
		}
	}()
	stopped := false
	return func() int {
		if !stopped {
			stopped = true
			close(quit)
		}
		<-ended
		return killed
	}
}

// alive says whether a process runs: a zombie is left to whoever should reap it.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ") && !strings.Contains(string(stat), ") X ")
}
