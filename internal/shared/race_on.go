//go:build race

package shared

import "sync/atomic"

// fence tells the race detector that what went before one goroutine's release is seen
// by another's acquisition: it does not look at memory outside of Go's heap.
type fence struct{ word atomic.Uint64 }

func (f *fence) acquire() { f.word.Add(1) }
func (f *fence) release() { f.word.Add(1) }
