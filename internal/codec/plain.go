package codec

import (
	"fmt"
	"reflect"
	"strings"
)

// PlainError returns an error that names the first part of type t that cannot be in memory shared
// by processes. Numbers and bools, and arrays and structs of them, can. A pointer would be an
// address in the process that wrote it.
func PlainError(t reflect.Type) error {
	path, culprit, reason := notPlain(t)
	if reason == "" {
		return nil
	}
	if path == "" {
		return fmt.Errorf("%s %s", aType(culprit), reason)
	}
	root := t.Name()
	if root == "" {
		root = t.Kind().String()
	}
	return fmt.Errorf("field %s%s is %s, which %s", root, path, aType(culprit), reason)
}

// MayRefuse reports whether the plain type t is or contains a type with a MarshalBinary, whose
// error keeps its value from leaving this process.
func MayRefuse(t reflect.Type) bool {
	if mayRefuse(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && MayRefuse(t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			if MayRefuse(field.Type) {
				return true
			}
		}
	}
	return false
}

// aType returns the name of the type with its article.
func aType(t reflect.Type) string {
	name := t.String()
	if strings.ContainsRune("aeio", rune(name[0])) || t.Kind() == reflect.UnsafePointer {
		return "an " + name
	}
	return "a " + name
}

// notPlain finds the first part of a type that is not plain. reason is "" if there is no such
// part.
func notPlain(t reflect.Type) (path string, culprit reflect.Type, reason string) {
	if reason = notPlainReason(t); reason != "" {
		return "", t, reason
	}
	switch t.Kind() {
	case reflect.Array:
		if t.Len() == 0 {
			return "", nil, "" // such as [0]func(), which forbids ==
		}
		if path, culprit, reason = notPlain(t.Elem()); reason != "" {
			path = "[]" + path
		}
	case reflect.Struct:
		for field := range t.Fields() {
			if path, culprit, reason = notPlain(field.Type); reason != "" {
				return "." + field.Name + path, culprit, reason
			}
		}
	}
	return path, culprit, reason
}

// notPlainReason returns what is wrong with the type itself, ignoring its parts.
func notPlainReason(t reflect.Type) string {
	if own := customCodecOf(t); own != nil {
		return fmt.Sprintf("travels by the codec %q, which shared memory cannot call: use what it encodes to", own.name)
	}
	switch t.PkgPath() {
	case "sync", "internal/sync":
		if t.Kind() == reflect.Struct {
			return "works inside one process only: guard the memory with a lock of package mp, or use sync/atomic"
		}
	case "time":
		if t == timeType {
			return "holds the address of its time zone in this process: store its UnixNano"
		}
	}
	switch t.Kind() {
	case reflect.String:
		return "is an address of this process: use an array of bytes, such as [32]byte"
	case reflect.Slice:
		return "is an address of this process: use an array"
	case reflect.Uintptr:
		return "may hold an address of this process: use a uint64"
	case reflect.Pointer, reflect.UnsafePointer, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface:
		return "is an address of this process"
	}
	return ""
}
