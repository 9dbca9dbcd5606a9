package wire

import "os"

// Attachment is a descriptor that travels along with a message. Bytes cannot carry
// it: whoever sends the message sends the attachments in their order.
type Attachment struct {
	// File is open until Settled is called, and afterwards if its owner keeps it so.
	File *os.File
	// Settled, if not nil, is called once: true when the other side has the message or
	// will have it, false when the message was given up. It does not block.
	Settled func(sent bool)
}

// Attach adds a descriptor to the message. Only hooks do that.
func (b *Buffer) Attach(a Attachment) { b.attached = append(b.attached, a) }

// Attachments are the descriptors that belong to the message, in order.
func (b *Buffer) Attachments() []Attachment { return b.attached }

// Settle tells all attachments what became of the message, and forgets them. Whoever
// encodes a message settles it, also when encoding it fails.
func (b *Buffer) Settle(sent bool) { b.settle(0, sent) }

// settle settles the attachments from one on.
func (b *Buffer) settle(from int, sent bool) {
	gone := b.attached[from:]
	b.attached = b.attached[:from]
	for i, a := range gone {
		gone[i] = Attachment{}
		if a.Settled != nil {
			a.Settled(sent)
		}
	}
}

// Attached gives the reader the descriptors that came with the message. They are the
// reader's: those that nobody takes are closed by CloseAttached.
func (r *Reader) Attached(files []*os.File) { r.attached = files }

// TakeFile returns the next attachment, which is the caller's from then on. Without
// one it fails.
func (r *Reader) TakeFile() *os.File {
	if r.err != nil || len(r.attached) == 0 {
		r.fail("a descriptor is missing")
		return nil
	}
	f := r.attached[0]
	r.attached = r.attached[1:]
	return f
}

// CloseAttached closes the descriptors that were not taken.
func (r *Reader) CloseAttached() {
	for _, f := range r.attached {
		f.Close()
	}
	r.attached = nil
}
