package codec

import (
	"reflect"
	"time"
)

// A map finds its keys by ==, which is stricter than reflect.DeepEqual. A key that holds a
// pointer is a different key in the other process, and two keys may become equal.

const (
	reasonKeyPointer  = "a pointer as a map key identifies something only in this process, and finds no entry in the other one: use a number or a name as the key"
	reasonKeyZone     = "times as map keys are equal only with the same *time.Location, which the other process does not have: use the time in UTC or Local, or its UnixNano"
	reasonKeyCollapse = "two keys of the map would arrive equal, because a time loses its monotonic reading, and other values lose what MarshalBinary leaves out: use other keys, such as t.Round(0) in place of a time t"
)

// encodeKey encodes a map key, which is more restricted than other values.
func (b *Buffer) encodeKey(key *plan, at address) *Error {
	before := b.walk.inKey
	b.walk.inKey = true
	err := key.encode(b, at)
	b.walk.inKey = before
	return err
}

func (r *Reader) decodeKey(key *plan, at address) error {
	before := r.inKey
	r.inKey = true
	err := key.decode(r, at)
	r.inKey = before
	return err
}

// noteTime records that a key arrives without its monotonic reading.
func (w *walk) noteTime(t *time.Time) {
	if w.inKey && *t != t.Round(0) {
		w.inexact = true
	}
}

// noteMarshaler records that a method of the program encodes a key.
func (w *walk) noteMarshaler(t reflect.Type) {
	if w.inKey && !isStandard(t) {
		w.inexact = true
	}
}

// checkDistinct looks for two keys of m with equal encodings, after an inexact key was encoded.
// Keys that are not equal to themselves stay distinct in any case.
func checkDistinct(m reflect.Value, key *plan) *Error {
	var b Buffer
	defer b.Settle(false)
	b.walk.inKey = true
	keyAt := key.getTemp()
	keyValue := valueAt(key.typ, keyAt)
	seen := make(map[string]struct{}, m.Len())
	for entries := m.MapRange(); entries.Next(); {
		keyValue.SetIterKey(entries)
		if !keyValue.Equal(keyValue) {
			continue
		}
		b.Rewind(Mark{})
		if err := key.encode(&b, keyAt); err != nil {
			return err.within("[the key " + describeKey(keyValue) + "]")
		}
		before := len(seen)
		seen[string(b.Bytes())] = struct{}{}
		if len(seen) == before {
			return refused(reasonKeyCollapse).within("[the key " + describeKey(keyValue) + "]")
		}
	}
	key.putTemp(keyAt)
	return nil
}
