package frame

import (
	"fmt"
	"io"
	"os"
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
// the same w must not overlap. After an error, which is that of w, the stream is unusable.
//
// Write also sends the attachments of b. That fails unless w is a Unix domain socket. The
// caller must settle them.
func Write(w io.Writer, kind byte, b *codec.Buffer) error {
	files := b.Files()
	if len(files) > fdpass.Max {
		var err error
		if files, err = writeLeadingFiles(w, files); err != nil {
			return err
		}
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

// MaxFiles is how many descriptors one frame can have. Those that do not fit into one message of the
// kernel go ahead of the frame, with headers of their own.
const MaxFiles = 65_536

// writeLeadingFiles sends descriptors ahead of their frame until the rest fit into one message of
// the kernel.
func writeLeadingFiles(w io.Writer, files []*os.File) (rest []*os.File, err error) {
	if len(files) > MaxFiles {
		return nil, fmt.Errorf("mp: a message has %d descriptors, and at most %d can be sent", len(files), MaxFiles)
	}
	for len(files) > fdpass.Max {
		head := header{filesOnly: true, files: fdpass.Max}.append(nil)
		if err := fdpass.Send(w, head, files[:fdpass.Max]); err != nil {
			return nil, err
		}
		files = files[fdpass.Max:]
	}
	return files, nil
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
