package inproc

import (
	"context"
	"sync/atomic"
)

// Value is some words that change at once.
//
// The lowest bit of the version says which of two slots is the value. A writer writes the other
// one, and then one word, the version. So a reader never waits for a writer, and only reads again
// when the value has changed twice meanwhile.
type Value struct {
	processLocal
	version atomic.Uint64
	slots   [2][]atomic.Uint64
	lock    Lock
}

// NewValue makes a value of the words.
func NewValue(words []uint64) *Value {
	v := &Value{slots: [2][]atomic.Uint64{make([]atomic.Uint64, len(words)), make([]atomic.Uint64, len(words))}}
	v.change(words)
	return v
}

// Words is the number of words.
func (v *Value) Words() int { return len(v.slots[0]) }

// Load copies the value.
func (v *Value) Load(to []uint64) {
	for {
		version := v.version.Load()
		slot := v.slots[version&1]
		for i := range to {
			to[i] = slot[i].Load()
		}
		if v.version.Load() == version {
			return
		}
	}
}

// Begin keeps others from changing the value until Commit or Cancel.
func (v *Value) Begin(ctx context.Context) (token uint64, err error) {
	g, err := v.lock.acquireAgain(ctx)
	return g.Token, err
}

// Commit changes the value, and lets others change it.
func (v *Value) Commit(token uint64, from []uint64) error {
	v.change(from)
	return v.lock.Release(token)
}

func (v *Value) change(from []uint64) {
	next := v.version.Load() + 1
	slot := v.slots[next&1]
	for i := range from {
		slot[i].Store(from[i])
	}
	v.version.Store(next)
}

// Cancel lets others change the value, which is as it was.
func (v *Value) Cancel(token uint64) { v.lock.Release(token) }
