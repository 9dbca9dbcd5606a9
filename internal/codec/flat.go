package codec

// boolSpan describes count bools (inner is nil) or count groups of bools, one every stride bytes
// from offset on. A bool with a value other than 0 and 1 makes a program misbehave, so bytes from
// outside are normalised.
type boolSpan struct {
	offset uintptr
	count  int
	stride uintptr
	inner  []boolSpan
}

// normalise makes every bool in the memory at p either 0 or 1.
func normalise(p address, spans []boolSpan) {
	for i := range spans {
		s := &spans[i]
		if s.inner == nil {
			for place := range s.count {
				bit := at[byte](offset(p, s.offset+uintptr(place)*s.stride))
				if *bit > 1 {
					*bit = 1
				}
			}
			continue
		}
		for place := range s.count {
			normalise(offset(p, s.offset+uintptr(place)*s.stride), s.inner)
		}
	}
}

// flat completes the plan of a type without pointers, which travels as memory.
func (c compiler) flat(p *plan) {
	size, bools := p.size, p.bools
	p.minSize = int(size)
	p.encode = func(b *Buffer, v address) *Error {
		b.data = append(b.data, memory(v, size)...)
		return nil
	}
	p.decode = func(r *Reader, v address) error { return r.flat(v, size, bools) }
}

// flat reads size bytes of pointer-free memory into the variable at v. A single value is always
// copied and so never aligned.
func (r *Reader) flat(v address, size uintptr, bools []boolSpan) error {
	if r.err != nil || uintptr(r.Len()) < size {
		return r.short()
	}
	copy(memory(v, size), r.data[r.pos:])
	r.pos += int(size)
	if bools != nil {
		normalise(v, bools)
	}
	return nil
}

// flatBlock reads n elements of a pointer-free type. They share the memory of the message if that
// is allowed, large and aligned; otherwise they are copied.
func (r *Reader) flatBlock(n int, elem *plan) (sliceHeader, error) {
	if err := r.need(uint64(n), uint64(elem.size)); err != nil {
		return sliceHeader{}, err
	}
	mem, ok := r.block(uint64(n) * uint64(elem.size))
	if !ok {
		return sliceHeader{}, r.err
	}
	if !r.Alias || len(mem) < minAliased || !aligned8(mem) {
		mem = append([]byte(nil), mem...)
	}
	h := sliceOver(mem, n)
	if elem.bools != nil {
		normalise(h.data, []boolSpan{{count: n, stride: elem.size, inner: elem.bools}})
	}
	return h, nil
}
