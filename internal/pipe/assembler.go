package pipe

import (
	"fmt"
	"slices"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Message is a message that was received. Its memory and files are the receiver's.
type Message = carrier.Message

func closeFiles(m *Message) {
	fdpass.CloseAll(m.Files)
	m.Files = nil
}

const (
	minBuffer = 4 << 10
	maxBuffer = 65 << 10 // a whole chunk
	// minDirectRead is the number of missing bytes from which on payload is read into the message itself.
	minDirectRead = 8 << 10
	// maxSets is how many sets of descriptors can be there before their chunks' headers:
	// reading stops behind each, and goes on only when a header is incomplete.
	maxSets = 4
)

// assembler puts messages together from what is received.
type assembler struct {
	buf  []byte // buf[r:w] was received and not parsed
	r, w int
	sets []fdpass.Set // received, and their chunks were not parsed

	msg       Message
	total     uint64 // bytes of msg, as its chunks say
	filesLost bool   // descriptors of msg got lost
	begun     bool   // there is a msg
	complete  bool   // it is complete
	inChunk   bool   // a chunk has begun
	left      int    // bytes of its payload that are to come
}

// parse parses what was received, until a message is complete or nothing is left.
func (in *assembler) parse() error {
	for !in.complete {
		switch {
		case !in.inChunk:
			if in.w-in.r < headerSize {
				return nil
			}
			h, err := parseHeader(in.buf[in.r:in.w])
			if err != nil {
				return err
			}
			in.r += headerSize
			if err := in.beginChunk(h); err != nil {
				return err
			}
		case in.left > 0:
			n := min(in.left, in.w-in.r)
			if n == 0 {
				return nil
			}
			in.grow(n)
			in.msg.Data = append(in.msg.Data, in.buf[in.r:in.r+n]...)
			in.r += n
			in.left -= n
		default:
			if in.r == in.w {
				return nil
			}
			last := in.buf[in.r]
			in.r++
			if err := in.endChunk(last); err != nil {
				return err
			}
		}
	}
	return nil
}

// beginChunk handles the header of a chunk.
func (in *assembler) beginChunk(h header) error {
	switch {
	case !in.begun:
		in.begun, in.total, in.msg.Kind = true, h.total, h.kind
		in.msg.Data = make([]byte, 0, min(h.total, maxChunk))
	case h.kind != in.msg.Kind || h.total != in.total:
		return fmt.Errorf("%w: a message changes halfway", ErrProtocol)
	}
	if uint64(len(in.msg.Data)+h.size) > in.total {
		return fmt.Errorf("%w: a message is longer than it says", ErrProtocol)
	}
	in.inChunk, in.left = true, h.size
	if h.files == 0 {
		return nil
	}
	if len(in.sets) == 0 || h.kind == Bytes {
		return fmt.Errorf("%w: descriptors are missing, or there should be none", ErrProtocol)
	}
	s := in.sets[0]
	in.sets = slices.Delete(in.sets, 0, 1)
	in.msg.Files = append(in.msg.Files, s.Files...)
	in.filesLost = in.filesLost || s.Lost
	if !s.Lost && len(s.Files) != h.files || len(in.msg.Files) > fdpass.Max {
		return fmt.Errorf("%w: a wrong number of descriptors", ErrProtocol)
	}
	return nil
}

// endChunk handles the last byte of a chunk.
func (in *assembler) endChunk(last byte) error {
	in.inChunk = false
	switch last {
	case continues:
	case complete:
		if uint64(len(in.msg.Data)) != in.total {
			return fmt.Errorf("%w: a message is shorter than it says", ErrProtocol)
		}
		in.complete = true
	case aborted:
		closeFiles(&in.msg)
		in.reset()
	default:
		return fmt.Errorf("%w: a chunk ends with %#x", ErrProtocol, last)
	}
	return nil
}

// reset begins the next message.
func (in *assembler) reset() {
	in.msg, in.total = Message{}, 0
	in.filesLost, in.begun, in.complete, in.inChunk, in.left = false, false, false, false, 0
}

// take returns the complete message.
func (in *assembler) take() (Message, error) {
	m, damaged := in.msg, in.filesLost
	in.reset()
	if damaged {
		closeFiles(&m)
		return Message{}, ErrLost
	}
	return m, nil
}

// grow makes room for n more bytes of the message. The message never takes more memory than twice
// what was received of it.
func (in *assembler) grow(n int) {
	have := len(in.msg.Data)
	if cap(in.msg.Data)-have >= n {
		return
	}
	want := max(have+n, int(min(in.total, uint64(2*have))))
	in.msg.Data = append(make([]byte, 0, want), in.msg.Data...)
}

// buffers are where the next bytes are to be put: into direct, if it is not empty, and then into
// tail.
func (in *assembler) buffers() (direct, tail []byte) {
	if in.r == in.w {
		in.r, in.w = 0, 0
		if len(in.buf) > maxBuffer {
			in.buf = nil
		}
	}
	if len(in.buf)-in.w < headerSize {
		in.compact()
	}
	if in.inChunk && in.w == 0 && in.left >= minDirectRead {
		have := len(in.msg.Data)
		if have == cap(in.msg.Data) {
			in.grow(1)
		}
		direct = in.msg.Data[have:min(cap(in.msg.Data), have+in.left)]
	}
	return direct, in.buf[in.w:]
}

// compact moves what was not parsed to the front of the buffer, or of a larger one if it was full.
func (in *assembler) compact() {
	size := len(in.buf)
	if in.w-in.r > size/2 || size == 0 {
		size = max(min(max(4*size, minBuffer), maxBuffer), in.w-in.r+minBuffer)
	}
	to := in.buf
	if size != len(in.buf) {
		to = make([]byte, size)
	}
	in.w = copy(to, in.buf[in.r:in.w])
	in.buf, in.r = to, 0
}

// filled notes that n bytes were put into what buffers returned.
func (in *assembler) filled(n int, direct []byte) {
	d := min(n, len(direct))
	in.msg.Data = in.msg.Data[:len(in.msg.Data)+d]
	in.left -= d
	in.w += n - d
	if in.r == 0 && in.w == len(in.buf) && in.w < maxBuffer {
		in.compact() // there is more at once than it holds
	}
}

// addFiles notes descriptors that were received.
func (in *assembler) addFiles(s fdpass.Set) error {
	in.sets = append(in.sets, s)
	if len(in.sets) > maxSets {
		return fmt.Errorf("%w: descriptors without a message", ErrProtocol)
	}
	return nil
}

// discard closes and drops everything.
func (in *assembler) discard() {
	closeFiles(&in.msg)
	in.reset()
	for _, s := range in.sets {
		s.Close()
	}
	in.sets, in.buf, in.r, in.w = nil, nil, 0, 0
}

// replay is what an assembler must be fed with to get into the state of this one. It changes
// nothing.
func (in *assembler) replay() (stream []byte, sets []fdpass.Set) {
	if in.begun {
		stream, sets = in.replayMessage()
	}
	return append(stream, in.buf[in.r:in.w]...), append(sets, in.sets...)
}

func (in *assembler) replayMessage() (stream []byte, sets []fdpass.Set) {
	h := header{kind: in.msg.Kind, total: in.total}
	if set := (fdpass.Set{Files: in.msg.Files, Lost: in.filesLost}); !set.Empty() {
		sets = append(sets, set)
		h.files = max(len(set.Files), 1)
		stream = append(h.append(stream), continues)
		h.files = 0
	}
	data, last := in.msg.Data, 0 // the chunk that has begun holds the last bytes
	if in.inChunk {
		last = min(len(data), maxChunk-in.left)
	}
	for ended := false; len(data) > last || !in.inChunk && !ended; {
		n := min(len(data)-last, maxChunk)
		h.size = n
		stream = append(h.append(stream), data[:n]...)
		data = data[n:]
		ended = len(data) == last
		if ended && in.complete {
			stream = append(stream, complete)
		} else {
			stream = append(stream, continues)
		}
	}
	if in.inChunk {
		h.size = last + in.left
		stream = append(h.append(stream), data...)
	}
	return stream, sets
}
