package spawn

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
)

// A marker in a stream of output shows where a capture begins or ends, or where a task begins;
// then id and max are its batch and item:
//
//	NUL "mp:" nonce kind id max NUL
//
// kind is one byte, id and max are 16 hexadecimal digits each. Only the child's own package spawn
// knows the nonce. A marker is short enough for a pipe to write it atomically.
const (
	markerIntro = "\x00mp:"
	nonceLen    = 32
	kindBegin   = 'B'
	kindEnd     = 'E'
	kindTask    = 'T'
	markerLen   = len(markerIntro) + nonceLen + 1 + 16 + 16 + 1
)

func streamMarker(nonce string, kind byte, id uint64, max int) []byte {
	b := make([]byte, 0, markerLen)
	b = append(b, markerIntro...)
	b = append(b, nonce...)
	b = append(b, kind)
	var nums [16]byte
	binary.BigEndian.PutUint64(nums[:], id)
	binary.BigEndian.PutUint64(nums[8:], uint64(max))
	b = hex.AppendEncode(b, nums[:])
	return append(b, 0)
}

// scanner finds the markers in a stream that arrives in pieces.
type scanner struct {
	intro []byte // the start of every marker of this child
	held  []byte // the end of the input, if it may be the start of a marker
}

func newScanner(nonce string) *scanner {
	return &scanner{intro: []byte(markerIntro + nonce)}
}

// markerHandler receives what a scanner finds, in order.
type markerHandler interface {
	text(b []byte) // valid only during the call
	marker(kind byte, id uint64, max int)
}

// scan takes the next piece.
func (s *scanner) scan(piece []byte, to markerHandler) {
	if len(s.held) == 0 && bytes.IndexByte(piece, 0) < 0 {
		emit(to, piece) // the usual case
		return
	}
	data := piece
	if len(s.held) > 0 {
		data = append(s.held, piece...)
		s.held = nil
	}
	for {
		nul := bytes.IndexByte(data, 0)
		if nul < 0 {
			emit(to, data)
			return
		}
		rest := data[nul:]
		if n := min(len(rest), len(s.intro)); !bytes.Equal(rest[:n], s.intro[:n]) {
			emit(to, data[:nul+1])
			data = data[nul+1:]
			continue
		}
		if len(rest) < markerLen {
			emit(to, data[:nul])
			s.held = bytes.Clone(rest)
			return
		}
		kind, id, max, ok := parseStreamMarker(rest[:markerLen])
		if !ok {
			emit(to, data[:nul+1])
			data = data[nul+1:]
			continue
		}
		emit(to, data[:nul])
		to.marker(kind, id, max)
		data = rest[markerLen:]
	}
}

// flush passes on what was held back.
func (s *scanner) flush(to markerHandler) {
	emit(to, s.held)
	s.held = nil
}

func emit(to markerHandler, b []byte) {
	if len(b) > 0 {
		to.text(b)
	}
}

func parseStreamMarker(b []byte) (kind byte, id uint64, max int, ok bool) {
	b = b[len(markerIntro)+nonceLen:]
	kind = b[0]
	var nums [16]byte
	_, err := hex.Decode(nums[:], b[1:33])
	m := binary.BigEndian.Uint64(nums[8:])
	ok = err == nil && b[33] == 0 && (kind == kindBegin || kind == kindEnd || kind == kindTask) && m <= maxCapture
	return kind, binary.BigEndian.Uint64(nums[:8]), int(m), ok
}
