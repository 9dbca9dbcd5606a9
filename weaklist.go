package mp

import (
	"sync"
	"weak"
)

// weakList is a list for those who look: it keeps nothing from being garbage. over says of what is in it
// that it has come to its end and is of no interest any more.
type weakList[T any] struct {
	over func(*T) bool

	mu      sync.Mutex
	entries []weak.Pointer[T] // in the order in which they were added
	prune   int               // at so many the list is gone through
}

// add appends p. It costs some nanoseconds, and each entry that is gone as much once.
func (l *weakList[T]) add(p *T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= l.prune {
		l.living()
		l.prune = 2*len(l.entries) + 16
	}
	l.entries = append(l.entries, weak.Make(p))
}

// all returns what is left, in the order in which it was added.
func (l *weakList[T]) all() []*T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.living()
}

// living is all, and forgets the rest. The lock is held.
func (l *weakList[T]) living() (all []*T) {
	left := l.entries[:0]
	for _, w := range l.entries {
		if p := w.Value(); p != nil && !l.over(p) {
			left, all = append(left, w), append(all, p)
		}
	}
	clear(l.entries[len(left):])
	l.entries = left
	return all
}
