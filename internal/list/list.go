// Package list has linked lists whose links are part of their elements, so that adding and removing
// allocates nothing and takes constant time. A struct has one Node for each list that it can be in.
package list

// List is a list of structs. The zero List is empty and ready for use. It is not safe for
// concurrent use: what guards the structs guards their list.
type List[T any] struct{ first, last *Node[T] }

// Node is the place of a struct in one list, a field of the struct. The zero Node is in no list.
type Node[T any] struct {
	list       *List[T]
	prev, next *Node[T]
	owner      *T
}

// PushBack appends the struct that n is a field of. n must not be in a list.
func (l *List[T]) PushBack(n *Node[T], owner *T) {
	n.list, n.prev, n.owner = l, l.last, owner
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
}

// Remove removes n. It reports false if n is not in this list.
func (l *List[T]) Remove(n *Node[T]) bool {
	if n.list != l {
		return false
	}
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.list, n.prev, n.next = nil, nil, nil
	return true
}

// First is the struct that was appended first; nil if the list is empty.
func (l *List[T]) First() *T { return l.first.ownerOrNil() }

// Last is the struct that was appended last; nil if the list is empty.
func (l *List[T]) Last() *T { return l.last.ownerOrNil() }

// Empty reports whether nothing is in the list.
func (l *List[T]) Empty() bool { return l.first == nil }

// Next is the struct behind n in its list; nil if there is none.
func (n *Node[T]) Next() *T { return n.next.ownerOrNil() }

// In reports whether n is in a list.
func (n *Node[T]) In() bool { return n.list != nil }

func (n *Node[T]) ownerOrNil() *T {
	if n == nil {
		return nil
	}
	return n.owner
}
