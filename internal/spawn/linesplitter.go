package spawn

import "bytes"

// maxLine is the length at which a line is passed on unfinished.
const maxLine = 64 << 10

// lines cuts a stream into pieces that end with a line. What it passes on is all that came,
// in order; a line that is longer than maxLine goes in pieces of that length.
type lineSplitter struct {
	partial []byte // the beginning of a line, shorter than maxLine
}

// cut takes the next piece and passes on what is complete, the end of a line that was begun
// together with its beginning. The bytes are only valid during the call of pass.
func (l *lineSplitter) split(piece []byte, pass func([]byte)) {
	for len(piece) > 0 {
		room := maxLine - len(l.partial)
		newline := bytes.IndexByte(piece, '\n')
		switch {
		case newline >= 0 && newline < room:
			n := newline + 1
			n += wholeLines(piece[n:])
			l.emit(piece[:n], pass)
			piece = piece[n:]
		case len(piece) < room:
			l.partial = append(l.partial, piece...)
			return
		default:
			l.emit(piece[:room], pass)
			piece = piece[room:]
		}
	}
}

// pass passes on what is held and b in one call: between two somebody else might print.
func (l *lineSplitter) emit(b []byte, pass func([]byte)) {
	if len(l.partial) == 0 {
		pass(b)
		return
	}
	pass(append(l.partial, b...))
	l.partial = nil
}

// wholeLines is the length of the lines at the front of b that are complete and none of
// which is too long.
func wholeLines(b []byte) int {
	if len(b) <= maxLine { // then none can be
		return bytes.LastIndexByte(b, '\n') + 1
	}
	n := 0
	for {
		newline := bytes.IndexByte(b[n:], '\n')
		if newline < 0 || newline >= maxLine {
			return n
		}
		n += newline + 1
	}
}

// end passes on a last line that has no newline, as it is.
func (l *lineSplitter) flush(pass func([]byte)) {
	if len(l.partial) > 0 {
		pass(l.partial)
	}
	l.partial = nil
}
