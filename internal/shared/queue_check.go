package shared

import (
	"fmt"
	"time"
)

// The checks of the build tag mpinvariants. Each looks at what its latch guards; the other
// side moves on meanwhile, in one direction.

func (q *Queue) checkTail() {
	freed, g := q.freed.Load(), q.gets.Load()&^droppedBit
	n := q.puts.Load() &^ closedBit
	now := q.tail[n&1*16:]
	end := q.overflowEnd.Load()
	switch ring, overflow := word(now), word(now[8:]); {
	case g > n, end > n+1:
		panic(fmt.Sprint("queue: puts ", n, " gets ", g, " overflow to ", end))
	case (ring|overflow)&7 != 0, ring-freed > ringSize:
		panic(fmt.Sprint("queue: tail ", ring, " ", overflow, " freed ", freed, " given ", q.punchedTo()))
	}
}

func (q *Queue) checkHead() {
	g := q.gets.Load() &^ droppedBit
	now := q.head[g&1*16:]
	ring, overflow := word(now), word(now[8:])
	freed := q.freed.Load()
	switch n := q.puts.Load() &^ closedBit; {
	case g > n:
		panic(fmt.Sprint("queue: puts ", n, " gets ", g))
	case (ring|overflow)&7 != 0, freed > ring:
		panic(fmt.Sprint("queue: head ", ring, " ", overflow, " freed ", freed, " given ", q.punchedTo()))
	}
}

// sabotagePut counts an item before it is written, if that is asked for: a test must find it out.
func (q *Queue) sabotagePut(n, length uint64) {
	if !sabotaged("queue.put.commitfirst") {
		return
	}
	now, next := q.tail[n&1*16:][:16], q.tail[(n+1)&1*16:][:16]
	setWord(next, word(now)+length)
	setWord(next[8:], word(now[8:]))
	q.puts.CompareAndSwap(n, n+1)
}

// sabotageGet frees an item's place before it is read.
func (q *Queue) sabotageGet(g uint64) {
	if !sabotaged("queue.get.commitfirst") {
		return
	}
	now, next := q.head[g&1*16:][:16], q.head[(g+1)&1*16:][:16]
	it := item{}
	it.parse(g, word(q.ring[word(now)%ringSize:]))
	setWord(next, word(now)+it.extent)
	setWord(next[8:], word(now[8:]))
	q.freed.Store(word(next))
	q.gets.CompareAndSwap(g, g+1)
	time.Sleep(100 * time.Microsecond) // so that somebody puts something there
}
