package wire

import (
	"fmt"
	"io"
	"sync"
)

// scratch holds memory in which small frames are assembled, as *[]byte.
var scratch = sync.Pool{New: func() any {
	p := make([]byte, 0, headerSize+smallFrame)
	return &p
}}

// WriteFrame writes the message in b as the payload of one frame. A frame with a payload below 64
// KiB goes out in one Write; larger ones take several, without copying large blocks. Calls for
// the same w must not overlap. After an error, which is that of w, the stream is unusable.
//
// WriteFrame also sends the attachments of b. That fails unless w is a Unix domain socket. The
// caller must settle them.
func WriteFrame(w io.Writer, kind byte, b *Buffer) error {
	attached := b.attached
	if len(attached) > maxBatchFiles {
		var err error
		if attached, err = writeLeadingFiles(w, attached); err != nil {
			return err
		}
	}
	borrowed := scratch.Get().(*[]byte)
	defer scratch.Put(borrowed)
	head := frameHeader{length: uint64(b.Len()), kind: kind, files: uint32(len(attached))}.append((*borrowed)[:0])
	return b.coalesced(head, func(piece []byte) error {
		if len(attached) > 0 {
			err := writeWithFiles(w, piece, attached)
			attached = nil
			return err
		}
		n, err := w.Write(piece)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		return err
	})
}

// writeLeadingFiles sends attachments ahead of their frame until the rest fit into one message of
// the kernel.
func writeLeadingFiles(w io.Writer, attached []Attachment) (rest []Attachment, err error) {
	if len(attached) > MaxFiles {
		return nil, fmt.Errorf("mp: a message has %d descriptors, and at most %d can be sent", len(attached), MaxFiles)
	}
	for len(attached) > maxBatchFiles {
		head := frameHeader{filesOnly: true, files: maxBatchFiles}.append(nil)
		if err := writeWithFiles(w, head, attached[:maxBatchFiles]); err != nil {
			return nil, err
		}
		attached = attached[maxBatchFiles:]
	}
	return attached, nil
}

// coalesced is eachPiece, with small pieces collected in the memory of head, after what head
// already holds.
func (b *Buffer) coalesced(head []byte, f func([]byte) error) error {
	flush := func() (err error) {
		if len(head) > 0 {
			err = f(head)
			head = head[:0]
		}
		return err
	}
	err := b.eachPiece(func(piece []byte) error {
		if len(head)+len(piece) <= cap(head) {
			head = append(head, piece...)
			return nil
		}
		if err := flush(); err != nil {
			return err
		}
		if len(piece) < smallFrame/2 {
			head = append(head, piece...)
			return nil
		}
		return f(piece)
	})
	if err != nil {
		return err
	}
	return flush()
}
