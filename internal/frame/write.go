package frame

import (
	"fmt"
	"io"
	"sync"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// scratch holds memory in which small frames are assembled, as *[]byte.
var scratch = sync.Pool{New: func() any {
	p := make([]byte, 0, headerSize+smallFrame)
	return &p
}}

// Write writes the message in b as the payload of one frame. A frame with a payload below 64
// KiB goes out in one Write; larger ones take several, without copying large blocks. Calls for
// the same w must not overlap. After an error of w, the stream is unusable.
//
// Write also sends the attachments of b, at most fdpass.Max. That fails unless w is a Unix domain
// socket. The caller must settle them. If b has too many, Write writes nothing.
func Write(w io.Writer, kind byte, b *codec.Buffer) error {
	files := b.Files()
	if len(files) > fdpass.Max {
		return fmt.Errorf("mp: the message holds %d descriptors of open files and shared objects, and at most %d can travel with one message: send it in several parts", len(files), fdpass.Max)
	}
	borrowed := scratch.Get().(*[]byte)
	defer scratch.Put(borrowed)
	head := header{length: uint64(b.Len()), kind: kind, files: uint32(len(files))}.append((*borrowed)[:0])
	return coalesced(b, head, func(piece []byte) error {
		if len(files) > 0 {
			err := fdpass.Send(w, piece, files)
			files = nil
			return err
		}
		n, err := w.Write(piece)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		return err
	})
}

// coalesced is b.EachPiece with small pieces collected in the memory of head, after what head
// already holds.
func coalesced(b *codec.Buffer, head []byte, f func([]byte) error) error {
	flush := func() (err error) {
		if len(head) > 0 {
			err = f(head)
			head = head[:0]
		}
		return err
	}
	err := b.EachPiece(func(piece []byte) error {
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
