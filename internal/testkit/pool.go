//go:build unix

package testkit

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// LongTests says that loops run for as long as it takes to trust them.
var LongTests = os.Getenv("MP_LONG") != ""

// Times is how often a test does something: seldom, or with MP_LONG often.
func Times(seldom, often int) int {
	if LongTests {
		return often
	}
	return seldom
}

// Strict says that promises about time are checked to the letter.
var Strict = LongTests && !Race

// Within is the bound for what is promised within a time. A machine that is busy, or has the
// race detector at work, gets so much more that only what hangs exceeds it.
func Within(promised time.Duration) time.Duration {
	if Strict {
		return promised
	}
	return max(20*promised, 5*time.Second)
}

// Beside lets a test that checks such a promise run beside others, unless to the letter.
func Beside(t *testing.T) {
	t.Helper()
	if !Strict {
		t.Parallel()
	}
}

// NewPool starts a pool that is gone when the test is over.
func NewPool(t *testing.T, cfg mp.PoolConfig) *mp.Pool {
	t.Helper()
	p, err := mp.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Terminate()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Join(ctx); err != nil {
			t.Errorf("Join: %v", err)
		}
	})
	return p
}

// NewQueue makes a queue of processes.
func NewQueue[T any](t testing.TB, capacity int) *mp.Queue[T] {
	t.Helper()
	q, err := mp.NewQueue[T](capacity)
	if err != nil {
		t.Fatal(err)
	}
	return q
}
