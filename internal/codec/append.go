package codec

// Append appends the message o, at most 32 KiB, unchanged. A Reader of b reads it as if it had been
// encoded into b.
func (b *Buffer) Append(o *Buffer) {
	if len(o.references) > 0 || len(o.data) > largeBlock {
		panic("codec: Append of a large message")
	}
	b.data = append(b.data, o.data...)
}

// Nested appends a whole message with its length, like Raw, but without flattening it: b refers
// to the blocks that o refers to, or copies them if b.Copy is set. Reader.Raw returns the
// message; a Reader of that reads what was encoded into o. o may be changed afterwards.
func (b *Buffer) Nested(o *Buffer) {
	b.Uvarint(uint64(o.Len()))
	if o.Len() >= largeBlock {
		b.pad()
	}
	done := 0
	for _, r := range o.references {
		b.data = append(b.data, o.data[done:r.at]...)
		done = r.at
		b.refer(r.block)
	}
	b.data = append(b.data, o.data[done:]...)
}
