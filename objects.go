package mp

import (
	"errors"
	"weak"
)

// Object is a handle of an object that processes share: a *Lock, *RLock, *Semaphore, *Condition, *Event,
// *Barrier, *Counter or *Memory, or a *Queue, *Conn, *Value or *Array of some type. A type switch tells
// which; methods that do not depend on the element type, such as Len and Cap of a Queue, are reached by an
// interface that has them.
type Object interface {
	// Err is nil while the handle can be used.
	Err() error
}

// Objects returns the handles of shared objects that this process has made or was sent and has not
// closed, in the order in which it got them: for a program that shows its own state. Several handles may
// lead to one object. The end of a pipe is not listed while it is on its way to another process. Objects of
// package thread are not listed: that would make a Lock cost ten times as much.
//
// The list keeps no handle alive: one that the program has dropped is garbage all the same. Only the
// returned slice does, as long as it is referred to. Objects does not block, costs some tens of nanoseconds a
// handle, and is safe for concurrent use.
func Objects() []Object { return objects.all() }

var objects = weakList[Object]{over: func(o Object) bool { return errors.Is(o.Err(), ErrClosed) }}

// listable is a handle that enters itself into the list of objects.
type listable interface{ list() }

// listed enters a new handle into the list of objects, and returns it.
func listed[H listable](h H) H {
	h.list()
	return h
}

// list is the method list of a handle. Each type has its own, because a weak pointer needs the type.
func list[T any](h *T) { objects.add(weakObject[T]{weak.Make(h)}) }

// weakObject is a weak pointer to a handle of any type.
type weakObject[T any] struct{ handle weak.Pointer[T] }

func (w weakObject[T]) Value() Object {
	if h := w.handle.Value(); h != nil {
		return any(h).(Object)
	}
	return nil
}
