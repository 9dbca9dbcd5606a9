package carrier

import (
	"context"
	"sync/atomic"
)

// Value holds some words that change at once.
type Value interface {
	Object
	// Words is the number of words. It never changes.
	Words() int
	// Load copies the words.
	Load(to []uint64)
	// Begin keeps others from changing the words until Commit or Cancel with that token.
	Begin(ctx context.Context) (token uint64, err error)
	// Commit changes the words, and lets others change them.
	Commit(token uint64, from []uint64) error
	// Cancel changes nothing, and lets others change the words.
	Cancel(token uint64)
}

// Counter is one word of memory: only carriers that are memory have it.
type Counter interface {
	Object
	// Word is the word. Its user keeps the Counter alive meanwhile.
	Word() *atomic.Uint64
}

// Memory is a block of memory: only carriers that are memory have it.
type Memory interface {
	Object
	// Bytes is the memory itself, the same each time; nil after Close. Its user keeps the
	// Memory alive meanwhile.
	Bytes() []byte
	Size() int
	// Name is the name of memory that has one, without a slash in front, and Unlink removes it.
	Name() string
	Unlink() error
	// Drop is Close of a handle that is garbage: what Bytes has returned stays.
	Drop()
}

// Array is a slice of memory: only carriers that are memory have it.
type Array[T any] interface {
	Object
	// Slice is the memory itself, the same each time; nil after Close.
	Slice() []T
}
