package shm

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// A Latch is a lock on an object's inside, held for a moment. Its word is the id of the
// process that has it. If that process is dead, whoever comes next has it: what is
// behind a latch is whole after every single store, so there is nothing to repair.
type Latch struct{ word *atomic.Uint64 }

// NewLatch returns the latch in a word.
func NewLatch(word *atomic.Uint64) Latch { return Latch{word} }

// Lock takes the latch. It waits while another has it, who may be stopped, until ctx ends.
func (l Latch) Lock(ctx context.Context) error {
	if l.word.CompareAndSwap(0, uint64(currentTable().me)) {
		return nil
	}
	return l.slow(ctx)
}

// TryLock is Lock for one who cannot wait long.
func (l Latch) TryLock() bool { return l.word.CompareAndSwap(0, uint64(currentTable().me)) }

// Unlock gives it back.
func (l Latch) Unlock() { l.word.Store(0) }

func (l Latch) slow(ctx context.Context) error {
	const spins, yields = 200, 20
	me := uint64(currentTable().me)
	pause := 20 * time.Microsecond
	for i := 0; ; i++ {
		holder := l.word.Load()
		if holder == 0 || !Alive(ID(holder)) {
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
				Probe(ID(holder))
			}
			time.Sleep(pause)
			pause = min(2*pause, 5*time.Millisecond)
		}
	}
}
