package codec

import "reflect"

// iface makes the plan of an interface: 0 for nil, or the descriptor of the dynamic type and the
// value.
func (c compiler) iface(p *plan) {
	t := p.typ
	if t == errorType {
		c.errorField(p)
		return
	}
	p.maybeIncomparable = true
	if t.NumMethod() > 0 {
		p.encode = func(b *Buffer, v address) *Error { return encodeDynamic(b, v, t) }
		p.decode = func(r *Reader, v address) error { return decodeDynamic(r, v, t, r.Byte()) }
		return
	}
	p.encode = func(b *Buffer, v address) *Error { return encodeAny(b, v, t) }
	p.decode = func(r *Reader, v address) error { return decodeAny(r, v, t) }
}

// encodeAny is a shortcut for the most common values of an any.
func encodeAny(b *Buffer, v address, t reflect.Type) *Error {
	switch held := (*at[any](v)).(type) {
	case nil:
		b.Byte(tagNil)
	case string:
		b.Byte(tagString)
		b.String(held)
	case int:
		b.Byte(tagInt)
		b.Uint64(uint64(held))
	case float64:
		b.Byte(tagFloat64)
		b.data = append(b.data, memory(addressOf(&held), 8)...)
	case bool:
		b.Byte(tagBool)
		if held {
			b.Byte(1)
		} else {
			b.Byte(0)
		}
	default:
		return encodeDynamic(b, v, t)
	}
	return nil
}

func decodeAny(r *Reader, v address, t reflect.Type) error {
	switch tag := r.Byte(); tag {
	case tagString:
		*at[any](v) = r.String()
	case tagInt:
		*at[any](v) = int(r.Uint64())
	case tagFloat64:
		var held float64
		if err := r.flat(addressOf(&held), 8, nil); err != nil {
			return err
		}
		*at[any](v) = held
	case tagBool:
		*at[any](v) = r.Byte() != 0
	default:
		return decodeDynamic(r, v, t, tag)
	}
	return r.err
}

func encodeDynamic(b *Buffer, v address, t reflect.Type) *Error {
	held := valueAt(t, v).Elem()
	if !held.IsValid() {
		b.Byte(tagNil)
		return nil
	}
	p := planFor(held.Type())
	descriptor, err := p.describe()
	if err != nil && encodeSentinel(b, held) {
		return nil
	}
	if err != nil {
		return encodeError(b, held, t, err)
	}
	b.data = append(b.data, descriptor...)
	if err := b.descend(); err != nil {
		return err
	}
	copied := p.getTemp()
	valueAt(p.typ, copied).Set(held)
	if err := p.encode(b, copied); err != nil {
		return err
	}
	p.putTemp(copied)
	b.ascend()
	return nil
}

// decodeDynamic decodes an interface of type t whose first byte was tag.
func decodeDynamic(r *Reader, v address, t reflect.Type, tag byte) error {
	if r.err != nil {
		return r.err
	}
	if tag == tagNil {
		valueAt(t, v).SetZero()
		return nil
	}
	switch tag {
	case tagSentinel:
		return decodeSentinel(r, v, t)
	case tagError:
		return readError(r, v, t)
	}
	p, err := r.dynamicPlan(tag)
	if err != nil {
		return err
	}
	if p.typ.Kind() == reflect.Interface || t.NumMethod() > 0 && !p.typ.Implements(t) {
		return r.fail("an interface of type " + t.String() + " cannot hold a " + p.typ.String())
	}
	if err := r.need(1, uint64(p.minSize)); err != nil {
		return err
	}
	if err := r.descend(); err != nil {
		return err
	}
	copied := p.getTemp()
	if err := p.decode(r, copied); err != nil {
		return err
	}
	valueAt(t, v).Set(valueAt(p.typ, copied))
	p.putTemp(copied)
	r.ascend()
	return nil
}
