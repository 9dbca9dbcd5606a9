package spawn

import "bytes"

// ChildVar must not appear in what a child starts.
const ChildVar = childVar

// Model runs the parts of a stream over pieces of output, without a child.
type Model struct {
	scanner scanner
	lines   lineSplitter
	tail    tail

	open      bool
	Forwarded [][]byte
	Captured  []byte
	Marks     []uint64
}

func NewModel(nonce string) *Model { return &Model{scanner: *newScanner(nonce)} }

func StreamMarker(nonce string, begin bool, id uint64) []byte {
	kind := byte(kindEnd)
	if begin {
		kind = kindBegin
	}
	return streamMarker(nonce, kind, id, 1<<20)
}

func (m *Model) Write(b []byte) { m.scanner.scan(b, m) }

func (m *Model) Close() (reason, words string) {
	m.scanner.flush(m)
	m.lines.flush(m.pass)
	return m.tail.text()
}

func (m *Model) text(b []byte) {
	m.tail.write(b)
	if m.open {
		m.Captured = append(m.Captured, b...)
		return
	}
	m.lines.split(b, m.pass)
}

func (m *Model) marker(kind byte, id uint64, _ int) {
	m.open = kind == kindBegin
	m.Marks = append(m.Marks, id)
}

func (m *Model) pass(b []byte) { m.Forwarded = append(m.Forwarded, bytes.Clone(b)) }

// TailBuffer returns what a tailBuffer keeps of the pieces.
func TailBuffer(max int, pieces [][]byte) []byte {
	l := tailBuffer{max: max}
	for _, p := range pieces {
		l.write(p)
	}
	return l.bytes()
}

// ParseBootstrap parses text, and reports whether formatting it again gives the same text.
func ParseBootstrap(text string) (same bool, err error) {
	m, err := parseBootstrap(text)
	return err == nil && m.String() == text, err
}

// NewBootstrap returns a bootstrap with these strings in it.
func NewBootstrap(s ...string) string {
	m := bootstrap{nonce: s[0], title: s[1] + s[2], name: s[3], pool: s[4]}
	return m.String()
}

// ChildEnv returns the environment of a child without its bootstrap.
func ChildEnv(base []string) []string {
	env := childEnv(base, "", new(bootstrap))
	return env[:len(env)-1]
}

var CoverDir = coverDir

// OrphanBootstrap returns the bootstrap of a child that has lost its parent.
func OrphanBootstrap(parent int, nonce string) string {
	m := bootstrap{parent: parent, nonce: nonce, name: "orphan"}
	return m.String()
}

var Greeting = greeting
