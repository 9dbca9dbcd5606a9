package wire

import (
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Attachment is a descriptor that travels along with a message. Bytes cannot carry
// it: whoever sends the message sends the attachments in their order.
type Attachment struct {
	// File is open until Settled is called, and afterwards if its owner keeps it so.
	// A File that its owner has closed before it was sent arrives as an empty file; for
	// TakeFileAs that is an error.
	File *os.File
	// Settled, if not nil, is called once: true when the other side has the message or
	// will have it, false when the message was given up. It does not block. With it the
	// attachment is one that moves: see Moves.
	Settled func(sent bool)

	owner      any  // what the hook has encoded: as long as it is alive it does not close File
	duplicated bool // File is the message's: settling closes it
}

// Attach adds a descriptor to the message. Only hooks do that.
func (b *Buffer) Attach(a Attachment) { b.attached = append(b.attached, a) }

// Attachments are the descriptors that belong to the message, in order.
func (b *Buffer) Attachments() []Attachment { return b.attached }

// TakeAttachments makes the attachments of o those of b, behind what b has.
func (b *Buffer) TakeAttachments(o *Buffer) {
	if len(o.attached) == 0 {
		return
	}
	b.attached = append(b.attached, o.attached...)
	clear(o.attached)
	o.attached = o.attached[:0]
}

// CopyAttachments adds those of o to b, and leaves them to o, which closes those that are its own: o
// has none that moves.
func (b *Buffer) CopyAttachments(o *Buffer) {
	first := len(b.attached)
	b.attached = append(b.attached, o.attached...)
	for i := range b.attached[first:] {
		b.attached[first+i].duplicated = false
	}
}

// Moves says whether an object leaves this process with the message: such a message is
// for one receiver, and cannot be encoded twice.
func (b *Buffer) Moves() bool {
	for i := range b.attached {
		if b.attached[i].Settled != nil {
			return true
		}
	}
	return false
}

// Closed says whether a descriptor of the message was closed since it was attached.
func (b *Buffer) HasClosedFile() bool {
	for i := range b.attached {
		raw, err := b.attached[i].File.SyscallConn()
		if err != nil || raw.Control(func(uintptr) {}) != nil {
			return true
		}
	}
	return false
}

// Own gives the message descriptors of its own, so that it can be sent later, also when the objects in
// it were closed since; by CopyAttachments again and again. What moves stays as it is. Settling the
// message closes its descriptors.
func (b *Buffer) DuplicateFiles() error {
	for i := range b.attached {
		a := &b.attached[i]
		if a.Settled != nil || a.duplicated {
			continue
		}
		f, err := duplicate(a.File, a.File.Name())
		if err != nil {
			return err
		}
		a.File, a.duplicated = f, true
	}
	return nil
}

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
		if a.duplicated {
			a.File.Close()
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

// TakeFileAs is TakeFile for a file that is to have a name. Its descriptor is as it came: in
// blocking mode or not, which is the open file's and so the sender's as well. One that was closed
// too early is an error that is os.ErrClosed.
func (r *Reader) TakeFileAs(name string) (*os.File, error) {
	f := r.TakeFile()
	if f == nil {
		return nil, r.err
	}
	defer f.Close()
	if isClosedPlaceholder(f) {
		return nil, fmt.Errorf("the file %q was closed before it was sent: %w", name, os.ErrClosed)
	}
	own, err := duplicate(f, name)
	if err != nil {
		return nil, errtext.Errorf("%w", err) // which names this process's limit, before the other tells the error
	}
	return own, nil
}

// Rest returns a Reader of the message that Raw would return, with the attachments that are
// left.
func (r *Reader) Rest() *Reader {
	rest := NewReader(r.Raw())
	rest.Alias, rest.attached, rest.err = r.Alias, r.attached, r.err
	r.attached = nil
	return rest
}

// CloseAttached closes the descriptors that were not taken.
func (r *Reader) CloseAttached() {
	CloseFiles(r.attached)
	r.attached = nil
}

// CloseFiles closes descriptors that nobody wants.
func CloseFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
