package codec

import (
	"reflect"
	"strconv"
)

// Check returns an *Error if no value of type t can be encoded, because it always contains a
// channel, function, unsafe pointer or refused type. The error's path begins with root. Check does
// not look behind interfaces, pointers, slices and maps, which may be nil.
//
// The exception is a pointer to a protobuf message as the whole value, which is hardly ever nil.
func Check(t reflect.Type, root string) error {
	if t.Kind() == reflect.Pointer && isProto(t.Elem()) && customCodecOf(t) == nil && customCodecOf(t.Elem()) == nil {
		return refused(protoReason(t.Elem())).finish(root)
	}
	if err := check(t); err != nil {
		return err.finish(root)
	}
	return nil
}

func check(t reflect.Type) *Error {
	if customCodecOf(t) != nil {
		return nil
	}
	if reason := refusalOf(t); reason != "" {
		return refused(reason)
	}
	if reason := unsupportedKind(t); reason != "" {
		return refused(reason)
	}
	if hookOf(t) != nil || t == timeType || marshals(t) && !planFor(t).flat {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		for field := range t.Fields() {
			if err := check(field.Type); err != nil {
				return err.within("." + field.Name)
			}
		}
	case reflect.Array:
		if t.Len() == 0 {
			return nil
		}
		if err := check(t.Elem()); err != nil {
			return err.within("[" + strconv.Itoa(0) + "]")
		}
	}
	return nil
}
