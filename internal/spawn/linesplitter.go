package spawn

import "bytes"

// maxLine is the length at which a line is passed on although it has not ended.
const maxLine = 64 << 10

// lineSplitter cuts a stream into pieces that end with a line. It passes on all bytes in order; a
// line longer than maxLine goes in pieces of that length.
type lineSplitter struct {
	partial []byte // the start of a line, shorter than maxLine
}

// split takes the next piece and passes on what is complete, with the end of a line that began
// earlier joined to its start. The bytes are valid only during the call of pass.
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

// emit passes on the held bytes and b in one call, so that no other output comes between.
func (l *lineSplitter) emit(b []byte, pass func([]byte)) {
	if len(l.partial) == 0 {
		pass(b)
		return
	}
	pass(append(l.partial, b...))
	l.partial = nil
}

// wholeLines returns the length of the complete lines at the front of b, up to the first that is
// too long.
func wholeLines(b []byte) int {
	if len(b) <= maxLine { // so no line is too long
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

// flush passes on an incomplete last line.
func (l *lineSplitter) flush(pass func([]byte)) {
	if len(l.partial) > 0 {
		pass(l.partial)
	}
	l.partial = nil
}
