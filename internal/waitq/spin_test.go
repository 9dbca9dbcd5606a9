package waitq_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/waitq"
)

// A Spin stops when polling does not help, and tries again from time to time.
func TestSpin(t *testing.T) {
	t.Parallel()
	spins := func(s *waitq.Spin, n int) (times int) {
		for range n {
			if s.ShouldSpin() {
				times++
				s.Record(false)
			}
		}
		return times
	}
	s := waitq.Spin{Enabled: true}
	if n := spins(&s, 1000); n < waitq.MaxSpinScore || n > 3*waitq.MaxSpinScore+1000/waitq.SpinRetry {
		t.Errorf("%d spins, none of which helped", n)
	}
	for range waitq.MaxSpinScore {
		s.Record(true)
	}
	if n := spins(&s, 2*waitq.MaxSpinScore); n != 2*waitq.MaxSpinScore {
		t.Errorf("%d spins after some that helped", n)
	}
	if n := spins(&waitq.Spin{}, 1000); n != 0 {
		t.Errorf("%d spins of a disabled Spin", n)
	}
}
