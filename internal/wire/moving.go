package wire

import (
	"reflect"
	"sync"
)

// movers are the types whose values leave the process that sends them.
var movers struct {
	sync.RWMutex
	all []*hook
}

// Moving says that values of type t, which a hook carries, leave this process when they
// travel: their attachments have Settled. If t is an interface type that goes for every
// type that implements it. Call it when the program starts.
func Moving(t reflect.Type) {
	movers.Lock()
	defer movers.Unlock()
	movers.all = append(movers.all, &hook{typ: t})
}

// Moves says whether a value of type t may hold something that moves. What interfaces
// hold is not known, and does not count: it is found out when a value is encoded, see
// Buffer.Moves.
func Moves(t reflect.Type) bool { return moves(t, make(map[reflect.Type]bool)) }

func moves(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || t == timeType || ownEncodingOf(t) != nil {
		return false
	}
	seen[t] = true
	if refusalOf(t) != "" {
		return false
	}
	if hookOf(t) != nil {
		return isMover(t)
	}
	if marshals(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Map:
		return moves(t.Key(), seen) || moves(t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return moves(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if moves(field.Type, seen) {
				return true
			}
		}
	}
	return false
}

func isMover(t reflect.Type) bool {
	movers.RLock()
	defer movers.RUnlock()
	for _, h := range movers.all {
		if h.typ == t || h.typ.Kind() == reflect.Interface && h.reaches(t) {
			return true
		}
	}
	return false
}
