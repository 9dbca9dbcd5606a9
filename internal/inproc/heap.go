package inproc

// heap holds items so that the least is taken first, and of equal ones the one that was put first.
// It compares before it moves anything: a less that panics leaves the heap as it was.
type heap[T any] struct {
	less    func(a, b T) bool
	entries []entry[T] // that at i is not after those at 2i+1 and 2i+2
	next    uint64
}

type entry[T any] struct {
	v      T
	number uint64 // in the order of coming
}

// leastHeap is the room that is kept when a heap shrinks.
const minHeapCap = 64

func (h *heap[T]) len() int { return len(h.entries) }

// before is the order. One call of less is enough, because it is known which came first.
func (h *heap[T]) before(a, b *entry[T]) bool {
	if a.number < b.number {
		return !h.less(b.v, a.v)
	}
	return h.less(a.v, b.v)
}

func (h *heap[T]) push(v T) {
	e := entry[T]{v, h.next}
	to := h.climb(len(h.entries), &e)
	h.next++
	h.entries = append(h.entries, e)
	for i := len(h.entries) - 1; i > to; i = (i - 1) / 2 {
		h.entries[i] = h.entries[(i-1)/2]
	}
	h.entries[to] = e
}

// climb is the place of an entry on the path from a place to the top.
func (h *heap[T]) climb(from int, e *entry[T]) int {
	for from > 0 && h.before(e, &h.entries[(from-1)/2]) {
		from = (from - 1) / 2
	}
	return from
}

func (h *heap[T]) pop() T {
	n := len(h.entries) - 1
	e := h.entries[n]
	// The last entry takes the place of the first. Most often it belongs near the bottom: so
	// look for the way down first, and then for its place on it.
	at := 0
	for 2*at+1 < n {
		child := 2*at + 1
		if child+1 < n && h.before(&h.entries[child+1], &h.entries[child]) {
			child++
		}
		at = child
	}
	for at > 0 && h.before(&e, &h.entries[at]) {
		at = (at - 1) / 2
	}
	for ; at > 0; at = (at - 1) / 2 {
		e, h.entries[at] = h.entries[at], e
	}
	e, h.entries[0] = h.entries[0], e
	h.entries[n] = entry[T]{}
	h.entries = h.entries[:n]
	if n >= minHeapCap && n <= cap(h.entries)/4 {
		h.entries = append(make([]entry[T], 0, 2*n), h.entries...)
	}
	return e.v
}

func (h *heap[T]) clear() { h.entries = nil }
