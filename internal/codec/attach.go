package codec

import (
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Attachment is a descriptor that travels along with a message. It is not part of the bytes: the
// sender of the message sends the attachments separately, in order.
type Attachment struct {
	// File stays open at least until Settled is called. If its owner closes it before it is sent,
	// the receiver gets an empty file in its place, and an error from TakeFileAs.
	File *os.File
	// Settled, if not nil, is called once: with true when the other side has the message or is
	// certain to get it, with false when the message is given up. It must not block. An
	// attachment with Settled moves to the receiver: see Moves.
	Settled func(sent bool)

	owner      any  // the value that the hook encoded; keeping it alive keeps File open
	duplicated bool // File belongs to the message, and Settle closes it
}

// Attach adds a descriptor to the message. Only hooks call it.
func (b *Buffer) Attach(a Attachment) { b.attached = append(b.attached, a) }

// tooManyFiles returns an error if the value whose attachments begin at from has more than can
// travel with one message.
func (b *Buffer) tooManyFiles(from int) *Error {
	n := len(b.attached) - from
	if n <= fdpass.Max {
		return nil
	}
	return refused(fmt.Sprintf("the value holds %d descriptors of open files and shared objects, and at most %d can travel with one value: send it in several parts", n, fdpass.Max))
}

// Attachments returns the descriptors of the message, in order.
func (b *Buffer) Attachments() []Attachment { return b.attached }

// Files returns the files of the attachments, in order.
func (b *Buffer) Files() []*os.File {
	if len(b.attached) == 0 {
		return nil
	}
	files := make([]*os.File, len(b.attached))
	for i := range b.attached {
		files[i] = b.attached[i].File
	}
	return files
}

// TakeAttachments moves the attachments and references of o to b, after those of b.
func (b *Buffer) TakeAttachments(o *Buffer) {
	if len(o.refs) > 0 {
		b.refs = append(b.refs, o.refs...)
		clear(o.refs)
		o.refs = o.refs[:0]
	}
	if len(o.attached) == 0 {
		return
	}
	b.attached = append(b.attached, o.attached...)
	clear(o.attached)
	o.attached = o.attached[:0]
}

// CopyAttachments adds the attachments of o to b. o keeps them, and closes the duplicated ones.
// None of them may leave this process: see Moves.
func (b *Buffer) CopyAttachments(o *Buffer) {
	first := len(b.attached)
	b.attached = append(b.attached, o.attached...)
	for i := range b.attached[first:] {
		b.attached[first+i].duplicated = false
	}
}

// Moves reports whether an object leaves this process with the message. Such a message has a
// single receiver, and cannot be encoded twice.
func (b *Buffer) Moves() bool {
	for i := range b.attached {
		if b.attached[i].Settled != nil {
			return true
		}
	}
	return false
}

// HasClosedFile reports whether a descriptor of the message has been closed since it was
// attached.
func (b *Buffer) HasClosedFile() bool {
	for i := range b.attached {
		if fdpass.IsClosed(b.attached[i].File) {
			return true
		}
	}
	return false
}

// DuplicateFiles replaces the attachments by duplicates, except those that move. The message can
// then be sent later, after the objects in it were closed, and repeatedly by CopyAttachments.
// Settle closes the duplicates.
func (b *Buffer) DuplicateFiles() error {
	for i := range b.attached {
		a := &b.attached[i]
		if a.Settled != nil || a.duplicated {
			continue
		}
		f, err := fdpass.Duplicate(a.File, a.File.Name())
		if err != nil {
			return err
		}
		a.File, a.duplicated = f, true
	}
	return nil
}

// Settle tells all attachments and references whether the message was sent, and removes them. Code
// that encodes a message must settle it, even if encoding fails.
func (b *Buffer) Settle(sent bool) {
	b.settle(0, sent)
	b.settleReferences(0, sent)
}

// settle settles the attachments with index from and up.
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

// Attached gives the reader the descriptors that came with the message. The reader owns them:
// CloseAttached closes those that are not taken.
func (r *Reader) Attached(files []*os.File) { r.attached = files }

// TakeFile returns the next attachment, which the caller then owns. If no attachment is left, it
// returns nil, and Err returns an error.
func (r *Reader) TakeFile() *os.File {
	if r.err != nil || len(r.attached) == 0 {
		r.fail("a descriptor is missing")
		return nil
	}
	f := r.attached[0]
	r.attached = r.attached[1:]
	return f
}

// TakeFileAs is like TakeFile and gives the file a name. The descriptor keeps its blocking mode,
// which belongs to the open file, so the sender shares it. If the sender closed the file before it
// was sent, the error wraps os.ErrClosed.
func (r *Reader) TakeFileAs(name string) (*os.File, error) {
	f := r.TakeFile()
	if f == nil {
		return nil, r.err
	}
	defer f.Close()
	if fdpass.IsPlaceholder(f) {
		return nil, fmt.Errorf("the file %q was closed before it was sent: %w", name, os.ErrClosed)
	}
	own, err := fdpass.Duplicate(f, name)
	if err != nil {
		return nil, errtext.Errorf("%w", err) // names this process's limit, before the error reaches another process
	}
	return own, nil
}

// Rest returns a Reader of the message that Raw would return, with the remaining attachments.
func (r *Reader) Rest() *Reader {
	rest := NewReader(r.Raw())
	rest.Alias, rest.attached, rest.err = r.Alias, r.attached, r.err
	r.attached = nil
	return rest
}

// CloseAttached closes the descriptors that were not taken.
func (r *Reader) CloseAttached() {
	fdpass.CloseAll(r.attached)
	r.attached = nil
}
