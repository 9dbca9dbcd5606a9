//go:build race

package shared

import "sync/atomic"

// raceEdge tells the race detector that what went before one goroutine's release is seen
// by another's acquisition: it does not see memory outside the heap of Go.
type raceEdge struct{ word atomic.Uint64 }

func (f *raceEdge) acquire() { f.word.Add(1) }
func (f *raceEdge) release() { f.word.Add(1) }
