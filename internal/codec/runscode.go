package codec

import "reflect"

// RunsCode reports whether decoding a value of type t may run code of the program: a registered
// codec, or an UnmarshalBinary that is not the standard library's. It is true for interfaces, which
// may hold anything.
func RunsCode(t reflect.Type) bool { return runsCode(t, make(map[reflect.Type]bool)) }

func runsCode(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || t == timeType {
		return false
	}
	seen[t] = true
	if customCodecOf(t) != nil {
		return true
	}
	if marshals(t) {
		return !isStandard(t)
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Map:
		return runsCode(t.Key(), seen) || runsCode(t.Elem(), seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return runsCode(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if runsCode(field.Type, seen) {
				return true
			}
		}
	}
	return false
}

// isStandard reports whether a type belongs to a package of the standard library whose types
// often travel.
func isStandard(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "time", "math/big", "net/netip", "net/url":
		return true
	}
	return false
}
