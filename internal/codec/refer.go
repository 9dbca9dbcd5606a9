package codec

// Reference stands for something that a message names in its bytes alone, and that must stay alive
// until the receiver has it. Unlike an Attachment, it may have several receivers, and does not leave
// this process.
type Reference interface {
	// Settled is called once: with false when the message is given up. It must not block.
	Settled(sent bool)
}

// Refer adds a reference to the message. Only hooks call it.
func (b *Buffer) Refer(r Reference) { b.refs = append(b.refs, r) }

// References returns the references of the message, in order.
func (b *Buffer) References() []Reference { return b.refs }

// settleReferences settles the references with index from and up.
func (b *Buffer) settleReferences(from int, sent bool) {
	gone := b.refs[from:]
	b.refs = b.refs[:from]
	for i, r := range gone {
		gone[i] = nil
		r.Settled(sent)
	}
}
