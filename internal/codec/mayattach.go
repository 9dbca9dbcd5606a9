package codec

import "reflect"

// MayAttach reports whether a value of type t may have attachments: it contains something with a
// hook, or an interface, which may hold anything.
func MayAttach(t reflect.Type) bool { return mayAttach(t, make(map[reflect.Type]bool)) }

func mayAttach(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || t == timeType || customCodecOf(t) != nil || refusalOf(t) != "" {
		return false
	}
	seen[t] = true
	if hookOf(t) != nil {
		return true
	}
	if marshals(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Map:
		return mayAttach(t.Key(), seen) || mayAttach(t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return mayAttach(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if mayAttach(field.Type, seen) {
				return true
			}
		}
	}
	return false
}
