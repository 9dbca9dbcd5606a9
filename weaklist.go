package mp

import "sync"

// weakList is a list for those who look: it keeps nothing from being garbage. over reports whether an
// entry has come to its end and is of no interest any more. V's zero value stands for an entry that was
// collected.
type weakList[V comparable] struct {
	over func(V) bool

	mu      sync.Mutex
	entries []weakEntry[V] // in the order in which they were added
	prune   int            // at this length the list is gone through
}

// weakEntry is a weak.Pointer, or one whose value has another type.
type weakEntry[V any] interface{ Value() V }

// add appends an entry. It costs some nanoseconds, and removing an entry that is gone costs as much
// once.
func (l *weakList[V]) add(e weakEntry[V]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= l.prune {
		l.living()
		l.prune = 2*len(l.entries) + 16
	}
	l.entries = append(l.entries, e)
}

// all returns what is left, in the order in which it was added.
func (l *weakList[V]) all() []V {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.living()
}

// living is all, and forgets the rest. The lock is held.
func (l *weakList[V]) living() (all []V) {
	var gone V
	left := l.entries[:0]
	for _, e := range l.entries {
		if v := e.Value(); v != gone && !l.over(v) {
			left, all = append(left, e), append(all, v)
		}
	}
	clear(l.entries[len(left):])
	l.entries = left
	return all
}
