package shm

import "sync/atomic"

// Cell is a variable that would be copied to and from shared memory.
type Cell[T any] struct{ V T }

// Words is nil.
func (*Cell[T]) Words() []uint64 { return nil }

// Words is nil.
func (*Region) Words(int, int) []atomic.Uint64 { return nil }

// PlainWords is nil.
func (*Region) PlainWords(int, int) []uint64 { return nil }
