package spawn

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/internal/early"
)

// childVar is the environment variable that tells a process it is a child.
const childVar = early.ChildVar

// bootstrap is everything a child must know before its main runs.
type bootstrap struct {
	parent   int // the pid of the parent; a process with another parent ignores the bootstrap
	nonce    string
	title    string
	loader   string // the words of loader, separated by NULs
	name     string
	pool     string
	worker   int
	identity string // Spec.Identity
	depth    int    // 1: a child of the main process, 2: a child of such a child, ...
	procs    int
	memory   int64
	nice     int // of the thread that started it
	limits   Limits
	files    int
	joined   int // 1: stderr shares the pipe of stdout
}

// fields lists what travels, for both directions. Package early parses the first two.
func (m *bootstrap) fields() []any {
	return []any{
		&m.files, &m.nonce, &m.parent, &m.title, &m.loader, &m.name, &m.pool, &m.worker, &m.identity, &m.depth, &m.procs, &m.memory,
		&m.nice, &m.limits.CPU, &m.limits.OpenFiles, &m.limits.Nice, &m.joined,
	}
}

// String returns the fields, strings quoted, each followed by a space. A quoted field contains no
// NUL and preserves bytes that are not UTF-8.
func (m *bootstrap) String() string {
	var b []byte
	for _, f := range m.fields() {
		switch f := f.(type) {
		case *string:
			b = strconv.AppendQuote(b, *f)
		case *int:
			b = strconv.AppendInt(b, int64(*f), 10)
		case *int64:
			b = strconv.AppendInt(b, *f, 10)
		case *time.Duration:
			b = strconv.AppendInt(b, int64(*f), 10)
		}
		b = append(b, ' ')
	}
	return string(b)
}

var errBootstrap = errors.New("spawn: invalid bootstrap")

func parseBootstrap(text string) (*bootstrap, error) {
	m := new(bootstrap)
	for _, f := range m.fields() {
		if s, ok := f.(*string); ok {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, errBootstrap
			}
			text = text[len(quoted):]
			if *s, err = strconv.Unquote(quoted); err != nil || !strings.HasPrefix(text, " ") {
				return nil, errBootstrap
			}
			text = text[1:]
			continue
		}
		word, rest, ok := strings.Cut(text, " ")
		if !ok || !scanNumber(word, f) {
			return nil, errBootstrap
		}
		text = rest
	}
	if text != "" || m.files < 0 {
		return nil, errBootstrap
	}
	return m, nil
}

func scanNumber(word string, f any) bool {
	v, err := strconv.ParseInt(word, 10, 64)
	switch f := f.(type) {
	case *int:
		*f = int(v)
	case *int64:
		*f = v
	case *time.Duration:
		*f = time.Duration(v)
	}
	return err == nil
}

var greeting = early.Greeting
