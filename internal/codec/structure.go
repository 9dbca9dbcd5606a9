package codec

import "reflect"

// part is a field of a struct, or a run of neighbouring pointer-free fields that travels as one
// piece of memory.
type part struct {
	offset uintptr
	plan   *plan // nil: a run
	name   string
	size   uintptr    // of a run, including the padding inside it
	bools  []boolSpan // of a run
}

// structure makes the plan of a struct: its parts one after the other.
func (c compiler) structure(p *plan) {
	parts, least := c.parts(p.typ)
	if len(parts) == 0 || len(parts) == 1 && parts[0].plan == nil {
		p.flat = true
		if len(parts) == 1 {
			p.bools = parts[0].bools
		}
		return
	}
	p.minSize = least
	for i := range parts {
		p.maybeIncomparable = p.maybeIncomparable || parts[i].plan != nil && parts[i].plan.maybeIncomparable
	}
	p.encode = func(b *Buffer, v address) *Error { return encodeParts(b, v, parts) }
	p.decode = func(r *Reader, v address) error { return decodeParts(r, v, parts) }
}

func (c compiler) parts(t reflect.Type) (parts []part, least int) {
	for field := range t.Fields() {
		plan := c.plan(field.Type)
		least += plan.minSize
		if !plan.flat {
			parts = append(parts, part{offset: field.Offset, plan: plan, name: field.Name})
			continue
		}
		if plan.size == 0 {
			continue
		}
		if n := len(parts); n == 0 || parts[n-1].plan != nil {
			parts = append(parts, part{offset: field.Offset})
		}
		run := &parts[len(parts)-1]
		for _, span := range plan.bools {
			span.offset += field.Offset - run.offset
			run.bools = append(run.bools, span)
		}
		run.size = field.Offset + plan.size - run.offset
	}
	return parts, least
}

func encodeParts(b *Buffer, v address, parts []part) *Error {
	if err := b.descend(); err != nil {
		return err
	}
	for i := range parts {
		part := &parts[i]
		place := offset(v, part.offset)
		if part.plan == nil {
			b.data = append(b.data, memory(place, part.size)...)
			continue
		}
		if err := part.plan.encode(b, place); err != nil {
			return err.within("." + part.name)
		}
	}
	b.ascend()
	return nil
}

func decodeParts(r *Reader, v address, parts []part) error {
	if err := r.descend(); err != nil {
		return err
	}
	for i := range parts {
		part := &parts[i]
		place := offset(v, part.offset)
		var err error
		if part.plan == nil {
			err = r.flat(place, part.size, part.bools)
		} else {
			err = part.plan.decode(r, place)
		}
		if err != nil {
			return err
		}
	}
	r.ascend()
	return nil
}

// array makes the plan of an array: its elements one after the other.
func (c compiler) array(p *plan) {
	n, elem := p.typ.Len(), c.plan(p.typ.Elem())
	if n == 0 {
		// There are no elements, so it does not matter whether they could be encoded: [0]func()
		// is a common way to forbid comparison.
		p.flat = true
		return
	}
	if elem.flat {
		p.flat = true
		if elem.bools != nil {
			p.bools = []boolSpan{{count: n, stride: elem.size, inner: elem.bools}}
		}
		return
	}
	p.minSize, p.maybeIncomparable = n*elem.minSize, elem.maybeIncomparable
	p.encode = func(b *Buffer, v address) *Error { return encodeElements(b, v, n, elem) }
	p.decode = func(r *Reader, v address) error { return decodeElements(r, v, n, elem) }
}

func encodeElements(b *Buffer, v address, n int, elem *plan) *Error {
	if err := b.descend(); err != nil {
		return err
	}
	for i := range n {
		if err := elem.encode(b, offset(v, uintptr(i)*elem.size)); err != nil {
			return err.withinIndex(i)
		}
	}
	b.ascend()
	return nil
}

func decodeElements(r *Reader, v address, n int, elem *plan) error {
	if err := r.descend(); err != nil {
		return err
	}
	for i := range n {
		if err := elem.decode(r, offset(v, uintptr(i)*elem.size)); err != nil {
			return err
		}
	}
	r.ascend()
	return nil
}
