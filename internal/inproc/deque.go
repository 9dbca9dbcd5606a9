package inproc

import "reflect"

// deque holds items in the order in which they were put. It consists of blocks, so that it grows
// and shrinks without copying its items.
type deque[T any] struct {
	lifo       bool // is the one to pop, else the oldest
	n          int
	head, tail *block[T]
	start, end int       // of the items: in head, and in tail
	spare      *block[T] // so that a deque that grows and shrinks by one item need not allocate
	maxBlock   int       // items of a block
}

type block[T any] struct {
	items      []T
	prev, next *block[T]
}

// Blocks are about as large as all that is in the deque, within these bounds.
const (
	minBlockItems = 8
	maxBlockItems = 1024
	blockBytes    = 64 << 10
)

func newDeque[T any](newest bool) *deque[T] {
	size := max(1, int(reflect.TypeFor[T]().Size()))
	return &deque[T]{lifo: newest, maxBlock: min(max(1, blockBytes/size), maxBlockItems)}
}

func (l *deque[T]) len() int { return l.n }

func (l *deque[T]) push(v T) {
	if l.tail == nil || l.end == len(l.tail.items) {
		l.extend()
	}
	l.tail.items[l.end] = v
	l.end++
	l.n++
}

// extend appends a block.
func (l *deque[T]) extend() {
	b := l.spare
	l.spare = nil
	if want := min(max(l.n, minBlockItems), l.maxBlock); b == nil || len(b.items) < want {
		b = &block[T]{items: make([]T, want)}
	}
	if b.prev = l.tail; l.tail != nil {
		l.tail.next = b
	} else {
		l.head = b
	}
	l.tail, l.end = b, 0
}

func (l *deque[T]) pop() T {
	l.n--
	if l.lifo {
		return l.popNewest()
	}
	v := takeFrom(l.head, l.start)
	l.start++
	switch {
	case l.n == 0:
		l.start, l.end = 0, 0
	case l.start == len(l.head.items):
		l.spare, l.head = l.head, l.head.next
		l.head.prev, l.spare.next = nil, nil
		l.start = 0
	}
	return v
}

func (l *deque[T]) popNewest() T {
	l.end--
	v := takeFrom(l.tail, l.end)
	if l.end == 0 && l.tail.prev != nil {
		l.spare, l.tail = l.tail, l.tail.prev
		l.tail.next, l.spare.prev = nil, nil
		l.end = len(l.tail.items)
	}
	return v
}

// takeFrom takes an item out of a block, and leaves nothing that the item refers to.
func takeFrom[T any](b *block[T], i int) (v T) {
	v, b.items[i] = b.items[i], v
	return v
}

func (l *deque[T]) clear() { *l = deque[T]{lifo: l.lifo, maxBlock: l.maxBlock} }
