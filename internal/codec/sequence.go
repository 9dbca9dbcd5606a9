package codec

import "reflect"

// text makes the plan of a string type.
func (c compiler) text(p *plan) {
	p.encode = func(b *Buffer, v address) *Error {
		b.String(*at[string](v))
		return nil
	}
	p.decode = func(r *Reader, v address) error {
		*at[string](v) = r.String()
		return r.err
	}
}

// slice makes the plan of a slice: 0 for nil, or the length plus one and the elements. The
// capacity is not kept.
func (c compiler) slice(p *plan) {
	t, elem := p.typ, c.plan(p.typ.Elem())
	if elem.flat {
		p.encode = func(b *Buffer, v address) *Error {
			encodeFlatSlice(b, at[sliceHeader](v), elem)
			return nil
		}
		p.decode = func(r *Reader, v address) error { return decodeFlatSlice(r, at[sliceHeader](v), elem) }
		return
	}
	p.encode = func(b *Buffer, v address) *Error { return encodeSlice(b, *at[sliceHeader](v), t, elem) }
	p.decode = func(r *Reader, v address) error { return decodeSlice(r, v, t, elem) }
}

func encodeFlatSlice(b *Buffer, s *sliceHeader, elem *plan) {
	if s.data == nil {
		b.Byte(0)
		return
	}
	b.Uvarint(uint64(s.len) + 1)
	b.block(memory(s.data, uintptr(s.len)*elem.size))
}

func decodeFlatSlice(r *Reader, s *sliceHeader, elem *plan) error {
	n, isNil, err := r.count(elem.minSize)
	if err != nil {
		return err
	}
	if isNil {
		*s = sliceHeader{}
		return nil
	}
	*s, err = r.flatBlock(n, elem)
	return err
}

func encodeSlice(b *Buffer, s sliceHeader, t reflect.Type, elem *plan) *Error {
	if s.data == nil {
		b.Byte(0)
		return nil
	}
	b.Uvarint(uint64(s.len) + 1)
	if s.len == 0 {
		return nil
	}
	here := node{at: s.data, typ: t, words: s.len * int(elem.size/wordSize)}
	if err := b.enter(here); err != nil {
		return err
	}
	for i := range s.len {
		if err := elem.encode(b, offset(s.data, uintptr(i)*elem.size)); err != nil {
			return err.withinIndex(i)
		}
	}
	b.leave(here)
	return nil
}

// initialElements limits the memory, in bytes, that a slice gets before its first element is
// decoded, because the announced number may be wrong.
const initialElements = 16 << 10

func decodeSlice(r *Reader, v address, t reflect.Type, elem *plan) error {
	s := at[sliceHeader](v)
	n, isNil, err := r.count(elem.minSize)
	if err != nil {
		return err
	}
	*s = sliceHeader{}
	if isNil {
		return nil
	}
	if n == 0 {
		*s = sliceOver(nil, 0)
		return nil
	}
	if err := r.descend(); err != nil {
		return err
	}
	if err := decodeGrowing(r, v, t, elem, n); err != nil {
		return err
	}
	r.ascend()
	return nil
}

// decodeGrowing decodes n elements into the nil slice at v. Memory grows fourfold with the
// elements that have arrived, because an element may take one byte in the message and many in
// memory.
func decodeGrowing(r *Reader, v address, t reflect.Type, elem *plan, n int) error {
	s, slice := at[sliceHeader](v), valueAt(t, v)
	for s.len < n {
		room := min(n, max(4*s.len, initialElements/max(int(elem.size), 1), 1))
		done := s.len
		slice.Grow(room - done)
		slice.SetLen(room)
		for i := done; i < room; i++ {
			if err := elem.decode(r, offset(s.data, uintptr(i)*elem.size)); err != nil {
				return err
			}
		}
	}
	slice.SetCap(n)
	return nil
}
