package codec

// pointer makes the plan of a pointer: 0 for nil, or 1 and the value it points to. The element's
// plan may still be incomplete, so its fields are read only when needed.
func (c compiler) pointer(p *plan) {
	t, elem := p.typ, c.plan(p.typ.Elem())
	p.encode = func(b *Buffer, v address) *Error {
		target := *at[address](v)
		if target == nil {
			b.Byte(0)
			return nil
		}
		if b.walk.inKey {
			return refused(reasonKeyPointer)
		}
		b.Byte(1)
		if elem.flat {
			return elem.encode(b, target)
		}
		here := node{at: target, typ: t, words: int(elem.size / wordSize)}
		if err := b.enter(here); err != nil {
			return err
		}
		if err := elem.encode(b, target); err != nil {
			return err
		}
		b.leave(here)
		return nil
	}
	p.decode = func(r *Reader, v address) error { return decodePointer(r, v, elem) }
}

func decodePointer(r *Reader, v address, elem *plan) error {
	target := at[address](v)
	switch r.Byte() {
	case 0:
		*target = nil
		return r.err
	case 1:
	default:
		return r.fail("the flag of a pointer is neither 0 nor 1")
	}
	if r.inKey {
		return r.fail("a map key holds a pointer")
	}
	if err := r.need(1, uint64(elem.minSize)); err != nil {
		return err
	}
	*target = newValue(elem.typ)
	if elem.flat {
		return elem.decode(r, *target)
	}
	if err := r.descend(); err != nil {
		return err
	}
	if err := elem.decode(r, *target); err != nil {
		return err
	}
	r.ascend()
	return nil
}
