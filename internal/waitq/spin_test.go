package waitq_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Looking stops when it does not help, and is tried again now and then.
func TestHot(t *testing.T) {
	t.Parallel()
	looks := func(h *waitq.Spin, n int) (times int) {
		for range n {
			if h.ShouldSpin() {
				times++
				h.Record(false)
			}
		}
		return times
	}
	h := waitq.Spin{Enabled: true}
	if n := looks(&h, 1000); n < waitq.MaxSpinScore || n > 3*waitq.MaxSpinScore+1000/waitq.SpinRetry {
		t.Errorf("%d looks in vain", n)
	}
	for range waitq.MaxSpinScore {
		h.Record(true)
	}
	if n := looks(&h, 2*waitq.MaxSpinScore); n != 2*waitq.MaxSpinScore {
		t.Errorf("%d looks after some that helped", n)
	}
	if n := looks(&waitq.Spin{}, 1000); n != 0 {
		t.Errorf("%d looks that cannot help", n)
	}
}
