package mp

import (
	"fmt"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// errOf is why a handle cannot be used, for its method Err. c is nil if the handle was not made.
func errOf(what string, c carrier.Object, closed *atomic.Bool) error {
	switch {
	case c == nil:
		return notMade(what)
	case closed.Load():
		return carrier.NewError(fmt.Sprintf("this handle of the %s was closed", what), ErrClosed)
	}
	return c.Err()
}

// closeHandle closes a handle once, for its method Close.
func closeHandle(c carrier.Object, closed *atomic.Bool) error {
	if c == nil || !closed.CompareAndSwap(false, true) {
		return nil
	}
	return c.Close()
}
