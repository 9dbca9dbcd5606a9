package codec

import "io"

// PutMemory copies *v to dst, which has at least MemorySize bytes. It panics if T does not travel
// as memory.
func (c *Plan[T]) PutMemory(dst []byte, v *T) {
	if !c.plan.flat {
		panic("codec: PutMemory of a type that does not travel as memory")
	}
	put(dst[:c.plan.size], v)
}

// GetMemory reads one value, written by PutMemory or Encode, from p, which must contain nothing
// else. T must travel as memory.
func (c *Plan[T]) GetMemory(p []byte, v *T) error {
	if len(p) != int(c.plan.size) || !c.plan.flat {
		return &DecodeError{Reason: "the message does not have the size of the value", Err: io.ErrUnexpectedEOF}
	}
	copy(memory(addressOf(v), c.plan.size), p)
	if c.plan.bools != nil {
		normalise(addressOf(v), c.plan.bools)
	}
	return nil
}

// Memory reads len(vs) values, written by PutMemory or Encode, from p, which must contain nothing
// else. T must travel as memory.
func (c *Plan[T]) Memory(p []byte, vs []T) error {
	mem := elements(vs)
	if len(p) != len(mem) || !c.plan.flat {
		return &DecodeError{Reason: "the message does not have the size of the values", Err: io.ErrUnexpectedEOF}
	}
	copy(mem, p)
	c.normalise(vs)
	return nil
}

func (c *Plan[T]) normalise(vs []T) {
	if c.plan.bools != nil && len(vs) > 0 {
		normalise(addressOf(&vs[0]), []boolSpan{{count: len(vs), stride: c.plan.size, inner: c.plan.bools}})
	}
}

// DecodeInto reads len(vs) values, each written by Encode or PutMemory, into vs. After an error
// some of them may have been replaced.
func (c *Plan[T]) DecodeInto(r *Reader, vs []T) error {
	if !c.plan.flat {
		for i := range vs {
			if err := c.Decode(r, &vs[i]); err != nil {
				return err
			}
		}
		return r.err
	}
	mem := elements(vs)
	if r.err != nil || r.Len() < len(mem) {
		return r.short()
	}
	r.pos += copy(mem, r.data[r.pos:])
	c.normalise(vs)
	return nil
}
