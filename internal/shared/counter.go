package shared

import (
	"os"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Counter is one word.
type Counter struct {
	object *waitq.Object
	word   *atomic.Uint64
}

var counterShape = waitq.Shape{Name: "counter", Kind: kindCounter}

// NewCounter makes a counter.
func NewCounter(v int64) (*Counter, error) {
	o, err := waitq.NewObject(counterShape, counterCore)
	if err != nil {
		return nil, err
	}
	c := o.Core().(*Counter)
	c.word.Store(uint64(v))
	return c, nil
}

// OpenCounter returns the counter that another process has sent.
func OpenCounter(f *os.File) (*Counter, error) {
	o, err := waitq.OpenObject(f, kindCounter, func([4]uint64) (waitq.Shape, error) { return counterShape, nil }, counterCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Counter), nil
}

func counterCore(o *waitq.Object) any { return &Counter{object: o, word: o.Word(waitq.StateAt)} }

// Word is the counter. Its user keeps the Counter alive meanwhile.
func (c *Counter) Word() *atomic.Uint64 { return c.word }

// File is what another process needs to open the counter.
func (c *Counter) File() *os.File { return c.object.File() }
