package codec

import (
	"reflect"
	"sync"
)

// movingTypes are the types whose values leave the process that sends them.
var movingTypes struct {
	sync.RWMutex
	all []*hook
}

// RegisterMoving declares that values of type t, which has a hook, leave this process when they
// are sent: their attachments have Settled. If t is an interface type, this applies to every type
// that implements it. Call it when the program starts.
func RegisterMoving(t reflect.Type) {
	movingTypes.Lock()
	defer movingTypes.Unlock()
	movingTypes.all = append(movingTypes.all, &hook{typ: t})
}

// Moves reports whether a value of type t may contain something that moves. It ignores interfaces:
// their contents are known only once a value is encoded, see Buffer.Moves.
func Moves(t reflect.Type) bool { return moves(t, make(map[reflect.Type]bool)) }

func moves(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || t == timeType || customCodecOf(t) != nil {
		return false
	}
	seen[t] = true
	if refusalOf(t) != "" {
		return false
	}
	if hookOf(t) != nil {
		return isMoving(t)
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

func isMoving(t reflect.Type) bool {
	movingTypes.RLock()
	defer movingTypes.RUnlock()
	for _, h := range movingTypes.all {
		if h.typ == t || h.typ.Kind() == reflect.Interface && h.appliesTo(t) {
			return true
		}
	}
	return false
}
