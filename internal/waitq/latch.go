package waitq

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/proctable"
)

// Latch is a short lock on the state of an object. Its word is the ID of the process that has
// it. When that process is dead, the next one takes the latch over. What a latch guards must
// be consistent after every single store, so there is nothing to repair.
type Latch struct{ word *atomic.Uint64 }

// NewLatch returns the latch in a word.
func NewLatch(word *atomic.Uint64) Latch { return Latch{word} }

// Lock takes the latch. While another process has it, which may be stopped, Lock waits until
// ctx ends.
func (l Latch) Lock(ctx context.Context) error {
	if l.word.CompareAndSwap(0, uint64(proctable.Me())) {
		return nil
	}
	return l.slow(ctx)
}

// TryLock takes the latch if it is free. It does not wait.
func (l Latch) TryLock() bool { return l.word.CompareAndSwap(0, uint64(proctable.Me())) }

// Unlock releases the latch.
func (l Latch) Unlock() { l.word.Store(0) }

func (l Latch) slow(ctx context.Context) error {
	const spins, yields = 200, 20
	me := uint64(proctable.Me())
	pause := 20 * time.Microsecond
	for i := 0; ; i++ {
		holder := l.word.Load()
		if holder == 0 || !proctable.Alive(proctable.ID(holder)) {
			if l.word.CompareAndSwap(holder, me) {
				return nil
			}
			continue
		}
		switch {
		case i < spins:
		case i < spins+yields:
			runtime.Gosched()
		default:
			if err := ctx.Err(); err != nil {
				return err
			}
			if pause >= time.Millisecond {
				proctable.Probe(proctable.ID(holder))
			}
			time.Sleep(pause)
			pause = min(2*pause, 5*time.Millisecond)
		}
	}
}
