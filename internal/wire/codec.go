package wire

import (
	"reflect"
	"sync"
)

// Codec encodes and decodes values of type T. It is for any number of
// goroutines. Holding one saves looking the type up, some 10 ns a value.
type Codec[T any] struct {
	plan  *plan
	slice reflect.Type
}

var codecs sync.Map // reflect.Type of T to *Codec[T]

// For returns the codec of T. Every type has one; what cannot travel is found
// out when a value is encoded (see Check).
func For[T any]() *Codec[T] {
	t := reflect.TypeFor[T]()
	if c, ok := codecs.Load(t); ok {
		return c.(*Codec[T])
	}
	c, _ := codecs.LoadOrStore(t, &Codec[T]{plan: planFor(t), slice: reflect.TypeFor[[]T]()})
	return c.(*Codec[T])
}

// remake makes the plan anew: see RegisterCodec.
func (c *Codec[T]) recompile() {
	compiler := compiler{}
	c.plan = compiler.plan(reflect.TypeFor[T]())
	for t, p := range compiler {
		plans.LoadOrStore(t, p)
	}
}

// Encode appends *v to b. The error is an *Error whose path begins with root;
// then b holds a part of the value, see Buffer.Mark. b may refer to memory
// that *v refers to, see Buffer.
func (c *Codec[T]) Encode(b *Buffer, root string, v *T) error {
	if c.plan.flat {
		b.data = append(b.data, memory(addressOf(v), c.plan.size)...)
		return nil
	}
	return b.encode(root, c.plan, addressOf(v))
}

// Decode reads exactly one value into *v, all of which it replaces. The error
// is r.Err(), a *DecodeError; then *v may hold a part of the value.
func (c *Codec[T]) Decode(r *Reader, v *T) error {
	return r.decode(c.plan, addressOf(v))
}

// EncodeSlice appends the elements of vs to b, without their number. If T holds
// no pointers that is one copy, or from 32 KiB on one reference to vs. The path
// of the *Error begins with root and the index, which is also its Index.
func (c *Codec[T]) EncodeSlice(b *Buffer, root string, vs []T) error {
	if c.plan.flat {
		b.block(elements(vs))
		return nil
	}
	before := b.beginValue(uintptr(len(vs)) * c.plan.size)
	for i := range vs {
		if err := c.plan.encode(b, addressOf(&vs[i])); err != nil {
			b.endValue(before)
			err.Index = i
			return err.withinIndex(i).finish(root)
		}
	}
	b.endValue(before)
	return nil
}

// DecodeSlice reads n values that EncodeSlice wrote, at the same place of the
// message. If T holds no pointers that is one copy, or with r.Alias and 64 KiB
// or more the memory of the message itself. n need not be trusted.
func (c *Codec[T]) DecodeSlice(r *Reader, n int) ([]T, error) {
	if n < 0 {
		return nil, r.fail("a negative number of values")
	}
	if c.plan.flat {
		h, err := r.flatBlock(n, c.plan)
		if err != nil {
			return nil, err
		}
		return typed[T](h), nil
	}
	if err := r.need(uint64(n), uint64(c.plan.minSize)); err != nil {
		return nil, err
	}
	var vs []T
	before := r.depth
	if err := decodeGrowing(r, addressOf(&vs), c.slice, c.plan, n); err != nil {
		r.depth = before
		return nil, err
	}
	if vs == nil {
		vs = []T{}
	}
	return vs, nil
}

// DecodeEach is DecodeSlice that goes on where an UnmarshalBinary method fails or
// panics, or makes two keys of a map equal: errs has the failures by index, and is
// nil without any.
func (c *Codec[T]) DecodeEach(r *Reader, n int) (vs []T, errs map[int]error, err error) {
	start := *r
	if len(r.attached) == 0 || c.plan.flat { // what takes attachments cannot be done twice
		if vs, err = c.DecodeSlice(r, n); err == nil || c.plan.flat {
			return vs, nil, err
		}
		*r = start
	}
	r.lenient = true
	defer func() { r.lenient, r.tolerated = false, nil }()
	vs = nil
	for i := range n {
		var v T
		r.tolerated = nil
		if err := c.Decode(r, &v); err != nil {
			return nil, nil, err
		}
		if r.tolerated != nil {
			if errs == nil {
				errs = make(map[int]error)
			}
			errs[i] = r.tolerated
		}
		vs = append(vs, v)
	}
	return vs, errs, nil
}

// Encode is For[T]().Encode.
func Encode[T any](b *Buffer, root string, v *T) error { return For[T]().Encode(b, root, v) }

// Decode is For[T]().Decode.
func Decode[T any](r *Reader, v *T) error { return For[T]().Decode(r, v) }

// EncodeSlice is For[T]().EncodeSlice.
func EncodeSlice[T any](b *Buffer, root string, vs []T) error {
	return For[T]().EncodeSlice(b, root, vs)
}

// DecodeSlice is For[T]().DecodeSlice.
func DecodeSlice[T any](r *Reader, n int) ([]T, error) { return For[T]().DecodeSlice(r, n) }

// MemorySize returns the size of a T in bytes if T holds no pointers, so that
// every T travels as that many bytes of memory.
func MemorySize[T any]() (size int, ok bool) {
	p := For[T]().plan
	if !p.flat {
		return 0, false
	}
	return int(p.size), true
}

// EncodeValue is Encode for a type known only at run time. A v that is not
// addressable is copied first. v must not come from an unexported field.
func EncodeValue(b *Buffer, root string, v reflect.Value) error {
	if !v.IsValid() || !v.CanInterface() {
		return refused("there is no value, or it was read from an unexported field").finish(root)
	}
	if !v.CanAddr() {
		variable := reflect.New(v.Type()).Elem()
		variable.Set(v)
		v = variable
	}
	return b.encode(root, planFor(v.Type()), addressOfValue(v))
}

// DecodeValue is Decode for a type known only at run time; v must be settable.
func DecodeValue(r *Reader, v reflect.Value) error {
	if !v.CanSet() {
		return r.fail("the value to decode into cannot be set")
	}
	return r.decode(planFor(v.Type()), addressOfValue(v))
}

func (b *Buffer) encode(root string, p *plan, v address) error {
	before := b.beginValue(p.size)
	err := p.encode(b, v)
	b.endValue(before)
	if err != nil {
		return err.finish(root)
	}
	return nil
}

func (r *Reader) decode(p *plan, v address) error {
	before := r.depth
	err := p.decode(r, v)
	r.depth = before
	return err
}
