package mp

import (
	"slices"
	"sync"
)

// weakList is a list for those who look: it keeps nothing from being garbage. over reports whether an
// entry is of no interest, because it has come to its end. It hides the entry, which is forgotten when it
// is collected: the end of a pipe that is on its way to another process answers ErrClosed as well, and is
// as before when its message is given up. V's zero value stands for an entry that was collected.
type weakList[V comparable] struct {
	over func(V) bool

	mu      sync.Mutex
	entries []weakEntry[V] // in the order in which they were added
	prune   int            // at this length the list is gone through
}

// weakEntry is a weak.Pointer, or one whose value has another type.
type weakEntry[V any] interface{ Value() V }

// add appends an entry. With its weak pointer, and what the garbage collector does for that, an entry costs
// a microsecond or two.
func (l *weakList[V]) add(e weakEntry[V]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= l.prune {
		l.entries = slices.DeleteFunc(l.entries, isCollected[V])
		l.prune = 2*len(l.entries) + 16
	}
	l.entries = append(l.entries, e)
}

func isCollected[V comparable](e weakEntry[V]) bool {
	var gone V
	return e.Value() == gone
}

// all returns what is not over, in the order in which it was added. It calls over without the lock.
func (l *weakList[V]) all() []V {
	return slices.DeleteFunc(l.living(), l.over)
}

// living returns what was not collected, and forgets the rest.
func (l *weakList[V]) living() (all []V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var gone V
	left := l.entries[:0]
	for _, e := range l.entries {
		if v := e.Value(); v != gone {
			left, all = append(left, e), append(all, v)
		}
	}
	clear(l.entries[len(left):])
	l.entries = left
	return all
}
