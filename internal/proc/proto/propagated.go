package proto

import (
	"github.com/gomultiprocessing/mp/internal/codec"
)

// AppendPropagated writes what is propagated to the ctx of a call.
func AppendPropagated(b *codec.Buffer, m map[string]string) {
	b.Uvarint(uint64(len(m)))
	for k, v := range m {
		b.String(k)
		b.String(v)
	}
}

// ReadPropagated reads it; nil: nothing is propagated.
func ReadPropagated(r *codec.Reader) map[string]string {
	n := r.Uvarint()
	if n == 0 {
		return nil
	}
	m := make(map[string]string)
	for ; n > 0 && r.Err() == nil; n-- {
		k := r.String()
		m[k] = r.String()
	}
	return m
}
