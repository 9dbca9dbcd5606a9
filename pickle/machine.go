package pickle

import (
	"fmt"
	"io"
)

// machine executes a pickle's opcodes. It builds nodes and calls nothing. Every opcode
// allocates at most a constant amount, plus a copy of the bytes that belong to it.
type machine struct {
	data  []byte
	pos   int // of what is read next
	start int // of the current opcode
	proto byte
	stack []any
	marks []int // heights of the stack at each open MARK
	memo  []any
	far   map[uint32]any // entries of the memo with an index beyond its end

	shared []*node
}

// run executes the pickle up to STOP, which must be its last byte.
func (m *machine) run() (any, error) {
	for m.pos < len(m.data) {
		m.start = m.pos
		op := m.data[m.pos]
		m.pos++
		if op == opStop {
			return m.stop()
		}
		do := ops[op]
		if do == nil {
			return nil, m.fail("unknown opcode 0x%02x", op)
		}
		if err := do(m); err != nil {
			return nil, err
		}
	}
	m.start = m.pos
	return nil, m.truncated("no STOP")
}

func (m *machine) stop() (any, error) {
	x, err := m.pop()
	if err != nil {
		return nil, err
	}
	if rest := len(m.data) - m.pos; rest > 0 {
		return nil, m.fail("%d bytes follow the end", rest)
	}
	spread(m.shared)
	return x, nil
}

func (m *machine) fail(format string, args ...any) error {
	return &SyntaxError{Offset: m.start, Reason: fmt.Sprintf(format, args...)}
}

func (m *machine) truncated(reason string) error {
	return &SyntaxError{Offset: m.start, Reason: reason, Err: io.ErrUnexpectedEOF}
}

// take returns the next n bytes of the pickle itself, not a copy.
func (m *machine) take(n uint64) ([]byte, error) {
	if left := uint64(len(m.data) - m.pos); n > left {
		return nil, m.truncated(fmt.Sprintf("%d bytes announced, %d are left", n, left))
	}
	b := m.data[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

func (m *machine) push(x any) { m.stack = append(m.stack, x) }

// floor is the height below which the stack belongs to an outer MARK.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) pop() (any, error) {
	n := len(m.stack)
	if n <= m.floor() {
		return nil, m.fail("the stack is empty")
	}
	x := m.stack[n-1]
	m.stack[n-1] = nil
	m.stack = m.stack[:n-1]
	return x, nil
}

func (m *machine) top() (any, error) {
	n := len(m.stack)
	if n <= m.floor() {
		return nil, m.fail("the stack is empty")
	}
	return m.stack[n-1], nil
}

// popMark returns what is above the latest MARK. It is the stack's own memory: copy it
// before the next push.
func (m *machine) popMark() ([]any, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, m.fail("no MARK")
	}
	at := m.marks[n-1]
	m.marks = m.marks[:n-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) mark() error {
	m.marks = append(m.marks, len(m.stack))
	return nil
}

func (m *machine) opPop() error {
	if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
		m.marks = m.marks[:n-1]
		return nil
	}
	_, err := m.pop()
	return err
}

func (m *machine) opPopMark() error {
	_, err := m.popMark()
	return err
}

func (m *machine) dup() error {
	x, err := m.top()
	if err != nil {
		return err
	}
	m.pushShared(x)
	return nil
}

// pushShared pushes something that is already referred to.
func (m *machine) pushShared(x any) {
	if n, ok := x.(*node); ok && !n.shared {
		n.shared = true
		m.shared = append(m.shared, n)
	}
	m.push(x)
}

func (m *machine) get(i uint32) error {
	if int64(i) < int64(len(m.memo)) {
		m.pushShared(m.memo[i])
		return nil
	}
	x, ok := m.far[i]
	if !ok {
		return m.fail("the memo has no entry %d", i)
	}
	m.pushShared(x)
	return nil
}

func (m *machine) put(i uint32) error {
	x, err := m.top()
	if err != nil {
		return err
	}
	switch n := int64(len(m.memo)); {
	case int64(i) < n:
		m.memo[i] = x
	case int64(i) == n:
		delete(m.far, i)
		m.memo = append(m.memo, x)
	default:
		if m.far == nil {
			m.far = make(map[uint32]any)
		}
		m.far[i] = x
	}
	return nil
}

func (m *machine) memoize() error { return m.put(uint32(len(m.memo) + len(m.far))) }

func (m *machine) protocol() error {
	b, err := m.take(1)
	if err != nil {
		return err
	}
	if b[0] > 5 {
		return m.fail("protocol %d is unknown; 0 to 5 are known", b[0])
	}
	m.proto = b[0]
	return nil
}

// frame skips a frame's header: all bytes are here already.
func (m *machine) frame() error {
	n, err := m.uint(8)
	if err != nil {
		return err
	}
	if left := uint64(len(m.data) - m.pos); n > left {
		return m.truncated(fmt.Sprintf("a frame of %d bytes announced, %d are left", n, left))
	}
	return nil
}

func (m *machine) persistent() error {
	return m.fail("a persistent id: it names something outside the pickle, and nothing here resolves it")
}

func (m *machine) extension() error {
	return m.fail("an extension code of copyreg: it means something in one Python program only")
}

func (m *machine) outOfBand() error {
	return m.fail("an out-of-band buffer of protocol 5: pickle without buffer_callback")
}
