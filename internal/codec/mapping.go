package codec

import (
	"fmt"
	"reflect"
	"strconv"
)

// mapping makes the plan of a map: 0 for nil, or the number of entries plus one and each key with
// its element, in no particular order.
func (c compiler) mapping(p *plan) {
	t, key, elem := p.typ, c.plan(p.typ.Key()), c.plan(p.typ.Elem())
	p.encode = func(b *Buffer, v address) *Error { return encodeMap(b, v, t, key, elem) }
	p.decode = func(r *Reader, v address) error { return decodeMap(r, v, t, key, elem) }
}

func encodeMap(b *Buffer, v address, t reflect.Type, key, elem *plan) *Error {
	m := valueAt(t, v)
	if m.IsNil() {
		b.Byte(0)
		return nil
	}
	n := m.Len()
	b.Uvarint(uint64(n) + 1)
	if n == 0 {
		return nil
	}
	here := node{at: *at[address](v), typ: t, words: n * int((key.size+elem.size)/wordSize)}
	if err := b.enter(here); err != nil {
		return err
	}
	seen, err := encodeEntries(b, m, key, elem)
	if err != nil {
		return err
	}
	if seen != n {
		return refused("another goroutine changed the map while it was encoded: guard the map with a lock, or send a copy")
	}
	b.leave(here)
	return nil
}

func encodeEntries(b *Buffer, m reflect.Value, key, elem *plan) (seen int, err *Error) {
	inexact := b.walk.inexact
	b.walk.inexact = false
	keyAt, elemAt := key.getTemp(), elem.getTemp()
	keyValue, elemValue := valueAt(key.typ, keyAt), valueAt(elem.typ, elemAt)
	entries := m.MapRange()
	for entries.Next() {
		keyValue.SetIterKey(entries)
		elemValue.SetIterValue(entries)
		if err := b.encodeKey(key, keyAt); err != nil {
			return 0, err.within("[the key " + describeKey(keyValue) + "]")
		}
		if err := elem.encode(b, elemAt); err != nil {
			return 0, err.within("[" + describeKey(keyValue) + "]")
		}
		seen++
	}
	key.putTemp(keyAt)
	elem.putTemp(elemAt)
	if b.walk.inexact {
		if err := checkDistinct(m, key); err != nil {
			return 0, err
		}
	}
	b.walk.inexact = inexact
	return seen, nil
}

// describeKey formats a map key for a path and shortens a long one.
func describeKey(key reflect.Value) string {
	const longest = 64
	if key.Kind() == reflect.Interface && !key.IsNil() {
		key = key.Elem()
	}
	if key.Kind() == reflect.String {
		if s := key.String(); len(s) > longest {
			return strconv.Quote(s[:longest]) + "..."
		}
		return strconv.Quote(key.String())
	}
	text := fmt.Sprint(key)
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return text
}

// initialEntries limits the entries for which a map has room before the first one is decoded,
// because the announced number may be wrong.
const initialEntries = 128

func decodeMap(r *Reader, v address, t reflect.Type, key, elem *plan) error {
	n, isNil, err := r.count(key.minSize + elem.minSize)
	if err != nil {
		return err
	}
	m := valueAt(t, v)
	if isNil {
		m.SetZero()
		return nil
	}
	if key.size == 0 && n > 1 {
		// All keys of such a type are equal. The size of the message does not limit the count
		// here, because keys and elements may take no bytes.
		return r.fail("a map has more entries than its type has keys")
	}
	m.Set(reflect.MakeMapWithSize(t, min(n, initialEntries)))
	if n == 0 {
		return nil
	}
	if err := r.descend(); err != nil {
		return err
	}
	if err := decodeEntries(r, m, key, elem, n); err != nil {
		return err
	}
	if m.Len() != n && !r.tolerates("a map holds the same key twice", nil) {
		return r.err
	}
	r.ascend()
	return nil
}

func decodeEntries(r *Reader, m reflect.Value, key, elem *plan, n int) error {
	keyAt, elemAt := key.getTemp(), elem.getTemp()
	keyValue, elemValue := valueAt(key.typ, keyAt), valueAt(elem.typ, elemAt)
	for range n {
		if err := r.decodeKey(key, keyAt); err != nil {
			return err
		}
		if key.maybeIncomparable && !keyValue.Comparable() {
			return r.fail("a map key holds a value that cannot be compared")
		}
		if err := elem.decode(r, elemAt); err != nil {
			return err
		}
		m.SetMapIndex(keyValue, elemValue)
	}
	key.putTemp(keyAt)
	elem.putTemp(elemAt)
	return nil
}
