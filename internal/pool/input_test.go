package pool_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// An input that is too large for a worker is its task's error, whichever worker gets it.
func TestInputOverTheMemoryLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(1)
		cfg.MaxMemory = 1000
		l := newLab(t, cfg)
		l.submit(1, trivial).succeeded() // this worker may still hold earlier inputs
		l.bigInput.Store(2000)
		l.slowSend.Store(int64(time.Minute))
		k := l.submit(1, trivial)
		k.wait()
		var big *errTooBig
		if !errors.As(k.err(0), &big) || big.used != 2000 {
			t.Errorf("error %v", k.err(0))
		}
		l.bigInput.Store(0)
		l.slowSend.Store(0)
		l.submit(1, trivial).succeeded()
		equal(t, "begins", len(l.seen()), 2)
		l.end()
	})
}

// An input that kills every worker that reads it is not sent forever.
func TestInputThatKills(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		l.dieInEachSend.Store(true)
		l.slowSend.Store(int64(30 * time.Millisecond))
		k := l.submit(1, trivial).wait()
		is(t, k.err(0), errDied)
		equal(t, "begins", len(l.seen()), 0)
		l.dieInEachSend.Store(false)
		l.submit(5, trivial).succeeded()
		l.end()
	})
}

// An input whose encoding ends the sender's goroutine fails, and the inputs after it are sent.
func TestInputThatEndsItsSender(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.exitInSend.Store(true)
		k := l.submit(1, trivial, func(j *pool.Job) { j.Retries = 3 }).wait()
		if err := k.err(0); err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
			t.Errorf("error %v", err)
		}
		l.submit(5, trivial).succeeded()
		equal(t, "begins", len(l.seen()), 5)
		l.end()
	})
}

// Workers that die soon after their start, one after another and whatever they were sent,
// break the pool, because the next one would die as well.
func TestWorkersThatDieSoonAfterTheirStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		deaths := 0
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			if l.alive() > 0 {
				l.worker(0).Kill()
				deaths++
			}
		}
		equal(t, "deaths", deaths, 5)
		k := l.track(1, trivial)
		is(t, l.s.SubmitNow(&k.job), pool.ErrBroken)
		l.s.Terminate()
	})
}
