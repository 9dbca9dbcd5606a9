package shared

import "fmt"

// The checks of the build tag mpinvariants. Each looks at what its latch guards; the other
// side moves on meanwhile, in one direction.

func (q *Queue) checkTail() {
	freed, from, g := q.freed.Load(), q.spillFrom.Load(), q.gets.Load()&^droppedBit
	n := q.puts.Load() &^ closedBit
	now := q.tail[n&1*16:]
	end := q.spillEnd.Load()
	switch ring, spill := word(now), word(now[8:]); {
	case g > n, end > n+1, from > end:
		panic(fmt.Sprint("queue: puts ", n, " gets ", g, " spill ", from, "-", end))
	case (ring|spill)&7 != 0, ring-freed > ringSize, spill-q.given() > spillSize:
		panic(fmt.Sprint("queue: tail ", ring, " ", spill, " freed ", freed, " given ", q.given()))
	}
}

func (q *Queue) checkHead() {
	g := q.gets.Load() &^ droppedBit
	now := q.head[g&1*16:]
	ring, spill := word(now), word(now[8:])
	freed := q.freed.Load()
	switch n := q.puts.Load() &^ closedBit; {
	case g > n:
		panic(fmt.Sprint("queue: puts ", n, " gets ", g))
	case (ring|spill)&7 != 0, freed > ring, q.given() > spill:
		panic(fmt.Sprint("queue: head ", ring, " ", spill, " freed ", freed, " given ", q.given()))
	}
}
