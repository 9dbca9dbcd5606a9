package inproc

import "sync/atomic"

// Counter is one word.
type Counter struct {
	processLocal
	word atomic.Uint64
}

// NewCounter makes a counter.
func NewCounter(v int64) *Counter {
	c := new(Counter)
	c.word.Store(uint64(v))
	return c
}

// Word is the counter.
func (c *Counter) Word() *atomic.Uint64 { return &c.word }
