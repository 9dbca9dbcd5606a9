package mp

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Counter is a number that processes share and change by single atomic instructions, which is the most common
// use of Python's Value('q') with its lock. There is no lock to wait for, and a death leaves nothing behind. It is
// shareable as a Value is. Its methods are safe for concurrent use, and panic on a Counter that is nil or zero.
type Counter struct {
	_       [0]sync.Mutex // a Counter must not be copied
	word    *atomic.Uint64
	carrier carrier.Counter // whose memory word is in
	closed  atomic.Bool     // this handle was closed
}

// NewCounter makes a Counter. It costs what a Value does, and has the errors of NewValue.
func NewCounter(v int64) (*Counter, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	c, err := shared.NewCounter(v)
	if err != nil {
		return nil, err
	}
	return listed(&Counter{word: c.Word(), carrier: c}), nil
}

// made is what the Counter is made of.
func (c *Counter) made() *atomic.Uint64 {
	if c == nil || c.word == nil || c.closed.Load() {
		panic(notMade("Counter"))
	}
	return c.word
}

// Add adds delta and returns the sum, as atomic.Int64.Add. It does not wait.
func (c *Counter) Add(delta int64) int64 {
	sum := c.made().Add(uint64(delta))
	runtime.KeepAlive(c)
	return int64(sum)
}

// Load returns the number. It does not wait.
func (c *Counter) Load() int64 {
	v := c.made().Load()
	runtime.KeepAlive(c)
	return int64(v)
}

// Store sets the number. It does not wait.
func (c *Counter) Store(v int64) {
	c.made().Store(uint64(v))
	runtime.KeepAlive(c)
}

// CompareAndSwap sets the number to new if it is old, and says whether it was. It does not
// wait.
func (c *Counter) CompareAndSwap(old, new int64) bool {
	swapped := c.made().CompareAndSwap(uint64(old), uint64(new))
	runtime.KeepAlive(c)
	return swapped
}

// Err is nil, or why the number cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the number is gone. It does not wait.
func (c *Counter) Err() error {
	if c == nil {
		return notMade("Counter")
	}
	return errOf("Counter", c.carrier, &c.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods panic
// from now on.
// Closing again does nothing. It does not wait, and the error is nil for what NewCounter has made.
func (c *Counter) Close() error {
	if c == nil {
		return nil
	}
	return closeHandle(c.carrier, &c.closed)
}

func (c *Counter) share(b *codec.Buffer) error {
	return shareCarrier(b, "Counter", c.carrier, &c.closed)
}

func (c *Counter) adopt(k carrier.Kind, r *codec.Reader) error {
	if err := adoptCarrier(&c.carrier, k, r); err != nil {
		return err
	}
	c.word = c.carrier.Word()
	return nil
}

func (c *Counter) list() { list(c) }
