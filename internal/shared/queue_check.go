package shared

import "fmt"

// The checks of the build tag mpinvariants. Each checks what its latch guards; the other
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
