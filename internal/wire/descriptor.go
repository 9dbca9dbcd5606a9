package wire

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"sync"
	"time"
)

// A descriptor names the dynamic type of an interface: one byte for a type
// that needs no registration, tagNamed and a registered name, or a byte for an
// unnamed composite followed by the descriptors of its parts.
const (
	tagNil = iota
	tagBool
	tagInt
	tagFloat64
	tagString
	firstKnown // the tag of known[0]

	tagSlice   = 0x80 // element
	tagArray   = 0x81 // length, element
	tagPointer = 0x82 // element
	tagMap     = 0x83 // key, element
	tagNamed   = 0x84 // name
)

// known are the types that need no registration, besides those with a tag of
// their own. The order is part of the format.
var known = []reflect.Type{
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
	for i, t := range known {
		tags[t] = firstKnown + byte(i)
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
	// Composites nested deeper, or arrays larger than this, need a name.
	maxDescriptorDepth = 32
	maxDescribedArray  = 1 << 30 // bytes
)

// describe returns the descriptor of the plan's type. Only success is kept: the
// type may be registered later.
func (p *plan) describe() ([]byte, *Error) {
	if kept := p.descriptor.Load(); kept != nil {
		return *kept, nil
	}
	descriptor, err := appendDescriptor(nil, p.typ, 0)
	if err != nil {
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
	if t.Name() != "" || depth == maxDescriptorDepth {
		return nil, unregistered(t)
	}
	switch t.Kind() {
	case reflect.Slice:
		return appendDescriptor(append(to, tagSlice), t.Elem(), depth+1)
	case reflect.Pointer:
		return appendDescriptor(append(to, tagPointer), t.Elem(), depth+1)
	case reflect.Array:
		if !describable(uint64(t.Len()), t.Elem()) {
			return nil, unregistered(t)
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
		return nil, refused(hopelessKind(t))
	}
	return nil, unregistered(t)
}

// describable says whether an array type needs no name. An array of many
// elements without size is no use, but hashing one as a map key would take time
// that no bytes in the message have paid for.
func describable(n uint64, elem reflect.Type) bool {
	return n <= 1 || elem.Size() > 0 && n <= maxDescribedArray/uint64(elem.Size())
}

func unregistered(t reflect.Type) *Error {
	return refused(fmt.Sprintf("an interface holds the type %v, which is not registered: call mp.RegisterType[%v](\"a name\") when the program starts", t, t))
}

// composed keeps the plans of the composite types that were decoded. The
// runtime never forgets a type, so their number is limited: else an enemy could
// fill the memory with the types of [1]int, [2]int and so on.
var composed = struct {
	sync.RWMutex
	plans map[string]*plan
}{plans: make(map[string]*plan)}

const maxComposed = 10_000

// dynamicPlan reads the rest of the descriptor that begins with tag.
func (r *Reader) dynamicPlan(tag byte) (*plan, error) {
	if tag < tagSlice || tag == tagNamed {
		t, err := r.simpleType(tag)
		if err != nil {
			return nil, err
		}
		return planFor(t), nil
	}
	from := r.pos - 1
	if err := r.skipDescriptor(tag, 0); err != nil {
		return nil, err
	}
	descriptor := r.data[from:r.pos]
	composed.RLock()
	p, full := composed.plans[string(descriptor)], len(composed.plans) >= maxComposed
	composed.RUnlock()
	if p != nil {
		return p, nil
	}
	if full {
		return nil, r.fail("too many different types in interfaces: register them")
	}
	again := NewReader(descriptor)
	t, err := again.composedType(again.Byte())
	if err != nil {
		return nil, r.failWith("a descriptor is wrong", err)
	}
	p = planFor(t)
	composed.Lock()
	composed.plans[string(descriptor)] = p
	composed.Unlock()
	return p, nil
}

// simpleType resolves a tag that stands alone or before a name.
func (r *Reader) simpleType(tag byte) (reflect.Type, error) {
	if tag == tagNamed {
		name := r.Raw()
		if t, ok := registeredType(name); ok {
			return t, nil
		}
		return nil, r.fail(fmt.Sprintf("an interface holds the type %.100q, which is not registered in this process", name))
	}
	if tag >= tagSlice || typeByTag[tag] == nil {
		return nil, r.fail("an interface holds a type that nobody knows")
	}
	return typeByTag[tag], nil
}

// skipDescriptor finds the end of the descriptor that begins with tag.
func (r *Reader) skipDescriptor(tag byte, depth int) error {
	if depth > maxDescriptorDepth {
		return r.fail("a descriptor is nested too deep")
	}
	switch tag {
	case tagSlice, tagPointer:
		return r.skipDescriptor(r.Byte(), depth+1)
	case tagArray:
		r.Uvarint()
		return r.skipDescriptor(r.Byte(), depth+1)
	case tagMap:
		if err := r.skipDescriptor(r.Byte(), depth+1); err != nil {
			return err
		}
		return r.skipDescriptor(r.Byte(), depth+1)
	}
	_, err := r.simpleType(tag)
	return err
}

// composedType builds the type of a descriptor that skipDescriptor has seen.
func (r *Reader) composedType(tag byte) (reflect.Type, error) {
	switch tag {
	case tagSlice, tagPointer:
		elem, err := r.composedType(r.Byte())
		if err != nil {
			return nil, err
		}
		if tag == tagSlice {
			return reflect.SliceOf(elem), nil
		}
		return reflect.PointerTo(elem), nil
	case tagArray:
		n := r.Uvarint()
		elem, err := r.composedType(r.Byte())
		if err != nil {
			return nil, err
		}
		if !describable(n, elem) {
			return nil, r.fail("an array is too large")
		}
		return reflect.ArrayOf(int(n), elem), nil
	case tagMap:
		key, err := r.composedType(r.Byte())
		if err != nil {
			return nil, err
		}
		if !key.Comparable() {
			return nil, r.fail("a map has keys that cannot be compared")
		}
		elem, err := r.composedType(r.Byte())
		if err != nil {
			return nil, err
		}
		return reflect.MapOf(key, elem), nil
	}
	return r.simpleType(tag)
}
