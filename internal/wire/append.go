package wire

// Append appends the bytes of a message of at most 32 KiB as they are: what was
// encoded in o can be read as if it had been encoded in b.
func (b *Buffer) Append(o *Buffer) {
	if len(o.references) > 0 || len(o.data) > largeBlock {
		panic("wire: Append of a large message")
	}
	b.data = append(b.data, o.data...)
}

// Nested appends a whole message, as Raw appends bytes, without flattening it:
// blocks that o refers to are referred to by b, or copied if b.Copy is set. What Reader.Raw returns for it
// can be read as o was written, and o may be changed afterwards.
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
