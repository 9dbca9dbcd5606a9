package spin_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/spin"
)

// A Spin stops when polling does not help, and tries again from time to time.
func TestSpin(t *testing.T) {
	t.Parallel()
	spins := func(s *spin.Spin, n int) (times int) {
		for range n {
			if s.ShouldSpin() {
				times++
				s.Record(false)
			}
		}
		return times
	}
	s := spin.Spin{Enabled: true}
	if n := spins(&s, 1000); n < spin.MaxScore || n > 3*spin.MaxScore+1000/spin.Retry {
		t.Errorf("%d spins, none of which helped", n)
	}
	for range spin.MaxScore {
		s.Record(true)
	}
	if n := spins(&s, 2*spin.MaxScore); n != 2*spin.MaxScore {
		t.Errorf("%d spins after some that helped", n)
	}
	if n := spins(&spin.Spin{}, 1000); n != 0 {
		t.Errorf("%d spins of a disabled Spin", n)
	}
}

// Until polls as often as it is told between two looks at the clock, and ends with the first success.
func TestUntil(t *testing.T) {
	t.Parallel()
	calls := 0
	if !spin.Until(30, func(n int) bool { calls++; return calls == n }, 45) || calls != 45 {
		t.Errorf("ended after %d calls, want 45", calls)
	}
	begin := time.Now()
	calls = 0
	if spin.Until(30, func(bool) bool { calls++; return false }, true) {
		t.Error("true, though no try was")
	}
	if took := time.Since(begin); took < spin.Time || calls < 30 || calls%30 != 0 {
		t.Errorf("gave up after %v and %d calls", took, calls)
	}
}

// In a bubble the clock stands still while a goroutine polls: that ends all the same.
func TestUntilInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(*testing.T) { spin.Until(30, func(bool) bool { return false }, true) })
}
