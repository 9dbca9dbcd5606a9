package codec

import (
	"reflect"
	"sync"
)

// Plan encodes and decodes values of type T. It is safe for concurrent use. Keeping one saves a
// lookup of about 10 ns per value.
type Plan[T any] struct {
	plan  *plan
	slice reflect.Type
}

var codecs sync.Map // reflect.Type of T to *Plan[T]

// For returns the plan of T. It never fails; a type that cannot be encoded is detected when a
// value is encoded (see Check).
func For[T any]() *Plan[T] {
	t := reflect.TypeFor[T]()
	if c, ok := codecs.Load(t); ok {
		return c.(*Plan[T])
	}
	c, _ := codecs.LoadOrStore(t, &Plan[T]{plan: planFor(t), slice: reflect.TypeFor[[]T]()})
	return c.(*Plan[T])
}

// recompile makes a new plan: see RegisterCustom.
func (c *Plan[T]) recompile() {
	compiler := compiler{}
	c.plan = compiler.plan(reflect.TypeFor[T]())
	for t, p := range compiler {
		plans.LoadOrStore(t, p)
	}
}

// Encode appends *v to b. If it fails, the error is an *Error whose path begins with root, and b
// holds part of the value: see Buffer.Mark. b may refer to memory that *v refers to, see Buffer.
func (c *Plan[T]) Encode(b *Buffer, root string, v *T) error {
	if c.plan.flat {
		b.data = append(b.data, memory(addressOf(v), c.plan.size)...)
		return nil
	}
	return b.encode(root, c.plan, addressOf(v))
}

// Decode reads one value and replaces all of *v with it. If it fails, the error is r.Err(), a
// *DecodeError, and *v may hold part of the value.
func (c *Plan[T]) Decode(r *Reader, v *T) error {
	return r.decode(c.plan, addressOf(v))
}

// EncodeSlice appends the elements of vs to b, without their number. If T holds no pointers, this
// is one copy or, from 32 KiB on, one reference to vs. The path of an *Error begins with root and
// the index; its Index is the index as well.
func (c *Plan[T]) EncodeSlice(b *Buffer, root string, vs []T) error {
	if c.plan.flat {
		b.block(elements(vs))
		return nil
	}
	before := b.beginValue(uintptr(len(vs)) * c.plan.size)
	for i := range vs {
		attached := len(b.attached)
		err := c.plan.encode(b, addressOf(&vs[i]))
		if err == nil {
			err = b.tooManyFiles(attached)
		}
		if err != nil {
			b.endValue(before)
			err.Index = i
			return err.withinIndex(i).finish(root)
		}
	}
	b.endValue(before)
	return nil
}

// DecodeSlice reads n values that EncodeSlice wrote. If T holds no pointers, this is one copy or,
// with r.Alias and at least 64 KiB, the memory of the message itself. n may come from an
// untrusted source.
func (c *Plan[T]) DecodeSlice(r *Reader, n int) ([]T, error) {
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

// DecodeEach is like DecodeSlice, but continues after an element whose UnmarshalBinary fails or
// panics, or whose map keys become equal. errs holds these errors by index, and is nil without any.
func (c *Plan[T]) DecodeEach(r *Reader, n int) (vs []T, errs map[int]error, err error) {
	start := *r
	if len(r.attached) == 0 || c.plan.flat { // attachments cannot be taken twice
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

// MemorySize returns the size of a T in bytes if T holds no pointers, and so travels as that many
// bytes of memory.
func MemorySize[T any]() (size int, ok bool) {
	p := For[T]().plan
	if !p.flat {
		return 0, false
	}
	return int(p.size), true
}

// EncodeValue is Encode for a type known only at run time. If v is not addressable, EncodeValue
// copies it. v must not come from an unexported field.
func EncodeValue(b *Buffer, root string, v reflect.Value) error {
	if !v.IsValid() || !v.CanInterface() {
		return refused("the reflect.Value is invalid, or comes from an unexported field").finish(root)
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
	before, attached := b.beginValue(p.size), len(b.attached)
	err := p.encode(b, v)
	b.endValue(before)
	if err == nil {
		err = b.tooManyFiles(attached)
	}
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
