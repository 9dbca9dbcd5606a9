package codec

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"time"
)

// A descriptor names the dynamic type of an interface: one byte for a type that needs no
// registration, tagNamed and a registered name, or a byte for an unnamed composite type followed
// by the descriptors of its parts.
const (
	tagNil = iota
	tagBool
	tagInt
	tagFloat64
	tagString
	firstPredeclared // the tag of predeclared[0]

	tagSlice   = 0x80 // element
	tagArray   = 0x81 // length, element
	tagPointer = 0x82 // element
	tagMap     = 0x83 // key, element
	tagNamed   = 0x84 // name

	// These also introduce a value.
	tagSentinel = 0x85 // name
	tagError    = 0x86 // what Buffer.Errors writes
)

// predeclared are the types that need no registration, in addition to those in tagByType. The
// order is part of the format.
var predeclared = []reflect.Type{
	reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](),
	reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](), reflect.TypeFor[float32](),
	reflect.TypeFor[complex64](), reflect.TypeFor[complex128](),
	reflect.TypeFor[any](), reflect.TypeFor[error](), reflect.TypeFor[struct{}](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](),
}

var tagByType = func() map[reflect.Type]byte {
	tags := map[reflect.Type]byte{
		reflect.TypeFor[bool](): tagBool, reflect.TypeFor[int](): tagInt,
		reflect.TypeFor[float64](): tagFloat64, reflect.TypeFor[string](): tagString,
	}
	for i, t := range predeclared {
		tags[t] = firstPredeclared + byte(i)
	}
	return tags
}()

var typeByTag = func() (types [tagSlice]reflect.Type) {
	for t, tag := range tagByType {
		types[tag] = t
	}
	return types
}()

const (
	// Composite types nested deeper, and arrays larger than this, must be registered.
	maxDescriptorDepth = 32
	maxDescribedArray  = 1 << 30 // bytes
)

// describe returns the descriptor of the plan's type. It does not cache failures, because the
// type may be registered later.
func (p *plan) describe() ([]byte, *Error) {
	if kept := p.descriptor.Load(); kept != nil {
		return *kept, nil
	}
	descriptor, err := appendDescriptor(nil, p.typ, 0)
	if err != nil {
		if err.missing != nil {
			err.Reason = unregistered(p.typ, err.missing)
		}
		return nil, err
	}
	p.descriptor.Store(&descriptor)
	return descriptor, nil
}

func appendDescriptor(to []byte, t reflect.Type, depth int) ([]byte, *Error) {
	if reason := refusalOf(t); reason != "" {
		return nil, refused(reason)
	}
	if name, ok := registeredName(t); ok {
		to = binary.AppendUvarint(append(to, tagNamed), uint64(len(name)))
		return append(to, name...), nil
	}
	if tag, ok := tagByType[t]; ok {
		return append(to, tag), nil
	}
	if t.Name() != "" || depth == maxDescriptorDepth || t.Kind() == reflect.Pointer && hookOf(t) != nil {
		return nil, missing(t)
	}
	switch t.Kind() {
	case reflect.Slice:
		return appendDescriptor(append(to, tagSlice), t.Elem(), depth+1)
	case reflect.Pointer:
		return appendDescriptor(append(to, tagPointer), t.Elem(), depth+1)
	case reflect.Array:
		if !describable(uint64(t.Len()), t.Elem()) {
			return nil, missing(t)
		}
		to = binary.AppendUvarint(append(to, tagArray), uint64(t.Len()))
		return appendDescriptor(to, t.Elem(), depth+1)
	case reflect.Map:
		to, err := appendDescriptor(append(to, tagMap), t.Key(), depth+1)
		if err != nil {
			return nil, err
		}
		return appendDescriptor(to, t.Elem(), depth+1)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return nil, refused(unsupportedKind(t))
	}
	return nil, missing(t)
}

// describable reports whether an array type needs no registration. Arrays with many elements of
// size zero are excluded: hashing one as a map key would take time out of proportion to the
// message.
func describable(n uint64, elem reflect.Type) bool {
	return n <= 1 || elem.Size() > 0 && n <= maxDescribedArray/uint64(elem.Size())
}

// missing returns an error that describe completes.
func missing(t reflect.Type) *Error {
	return &Error{Index: -1, missing: t}
}

// simpleType resolves a tag that stands alone or before a name.
func (r *Reader) simpleType(tag byte) (reflect.Type, error) {
	if tag == tagNamed {
		name := r.Raw()
		if t, ok := registeredType(name); ok {
			return t, nil
		}
		return nil, r.fail(fmt.Sprintf("an interface holds the type %.100q, which is not registered in this process: call mp.RegisterType when the program starts, in every process", name))
	}
	if tag >= tagSlice || typeByTag[tag] == nil {
		return nil, r.fail("the type of the value in an interface is unknown")
	}
	return typeByTag[tag], nil
}
