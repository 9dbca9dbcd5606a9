package thread

import (
	"fmt"
	"io/fs"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// NewBarrier makes an mp.Barrier for so many parties, for goroutines of this process, as
// Python's threading.Barrier. It does not wait, costs some ten nanoseconds and no
// descriptor, and needs no mp.Main. Less than 1 party, or more than 1,048,576, is
// fs.ErrInvalid.
//
// A goroutine that ends before it comes to the barrier is waited for until somebody's ctx
// ends, or Abort. In the input of a process, or in a message to one, a Barrier of this
// package is an error: use mp.NewBarrier.
func NewBarrier(parties int) (*mp.Barrier, error) {
	if parties < 1 || parties > carrier.MaxParties {
		return nil, fmt.Errorf("mp: a barrier of %d parties: %w", parties, fs.ErrInvalid)
	}
	return hooks.Barrier(inproc.NewBarrier(parties)).(*mp.Barrier), nil
}
