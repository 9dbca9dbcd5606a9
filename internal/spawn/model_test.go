package spawn_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/spawn"
	"pgregory.net/rapid"
)

const nonce = "0123456789abcdef0123456789abcdef"

const maxLine = 64 << 10

// drawOutput draws what a child might print: text, long lines, markers, and bytes that resemble
// markers.
func drawOutput(t *rapid.T) []byte {
	genuine := func(begin bool, id uint64) string { return string(spawn.StreamMarker(nonce, begin, id)) }
	piece := rapid.OneOf(
		rapid.StringOf(rapid.SampledFrom([]rune("ab\n\n\x00mp:"))),
		rapid.SampledFrom([]string{
			genuine(true, 1), genuine(false, 1), genuine(true, 1<<63), genuine(false, 1<<63),
			genuine(true, 1)[:20], genuine(false, 1)[:60], strings.Replace(genuine(true, 1), "B", "X", 1),
			string(spawn.StreamMarker(strings.Repeat("0", 32), true, 1)),
			"panic: a\n", "fatal error: b\n", "runtime: c\n", "SIGSEGV: d\n", "SIG\n", "SIG", "panic:", "fatal error:", " panic: e\n",
			"\npanic: ", "\nfatal err", "or: f\n", "\n", "goroutine 1 [running]:\n", "half a line panic: g\n\ngoroutine 7 [running]:\n",
			"\n-----\n\nSIGQUIT: quit\n", strings.Repeat("x", maxLine-1), strings.Repeat("y", 9<<10) + "\n", strings.Repeat("z\n", 20<<10),
		}),
	)
	return []byte(strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "output"), ""))
}

func drawSplit(t *rapid.T, b []byte) (pieces [][]byte) {
	sizes := rapid.SampledFrom([]int{3, 80, 4096, 100_000}).Draw(t, "sizes")
	for len(b) > 0 {
		n := min(len(b), rapid.IntRange(1, sizes).Draw(t, "n"))
		if sizes == 3 && len(b) > 3000 {
			n = len(b) - 3000
		}
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return pieces
}

// However the output is cut into pieces, the result is that of a naive scan of the whole.
func TestStreamAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		output := drawOutput(t)
		m := spawn.NewModel(nonce)
		for _, p := range drawSplit(t, output) {
			m.Write(p)
		}
		reason, words := m.Close()

		plain, captured, all := naiveScan(output)
		if got := bytes.Join(m.Forwarded, nil); !bytes.Equal(got, plain) {
			t.Fatalf("forwarded %q, want %q", got, plain)
		}
		if !bytes.Equal(m.Captured, captured) {
			t.Fatalf("captured %q, want %q", m.Captured, captured)
		}
		checkPieces(t, m.Forwarded)
		wantReason, wantWords := naiveTail(string(all))
		if reason != wantReason || words != wantWords {
			t.Fatalf("tail %q %q, want %q %q", reason, words, wantReason, wantWords)
		}
	})
}

// naiveScan removes genuine markers from the whole output.
func naiveScan(b []byte) (plain, captured, all []byte) {
	markLen := len(spawn.StreamMarker(nonce, true, 0))
	open := false
	for len(b) > 0 {
		if len(b) >= markLen {
			if kind, ok := genuineMark(b[:markLen]); ok {
				open = kind
				b = b[markLen:]
				continue
			}
		}
		if open {
			captured = append(captured, b[0])
		} else {
			plain = append(plain, b[0])
		}
		all = append(all, b[0])
		b = b[1:]
	}
	return plain, captured, all
}

func genuineMark(b []byte) (begin, ok bool) {
	for _, id := range []uint64{1, 1 << 63} {
		for _, begin := range []bool{true, false} {
			if bytes.Equal(b, spawn.StreamMarker(nonce, begin, id)) {
				return begin, true
			}
		}
	}
	return false, false
}

// checkPieces checks that each piece except the last ends a line or has the maximum length.
func checkPieces(t *rapid.T, pieces [][]byte) {
	for i, p := range pieces {
		if i < len(pieces)-1 && p[len(p)-1] != '\n' && len(p) < maxLine {
			t.Fatalf("piece %d of %d, of %d bytes, is not a line", i, len(pieces), len(p))
		}
		for line := range bytes.Lines(p) {
			if len(line) > maxLine {
				t.Fatalf("a line of %d bytes went in one piece", len(line))
			}
		}
	}
}

func naiveTail(all string) (reason, words string) {
	found, at, dashes := -1, 0, false
	for line := range strings.Lines(all) {
		for _, prefix := range []string{"panic: ", "fatal error: ", "runtime: ", "SIG"} {
			if strings.HasPrefix(line, prefix) && (found < 0 || !dashes) {
				found = at
			}
		}
		dashes = line == "-----\n" || dashes && line == "\n"
		at += len(line)
	}
	if found >= 0 {
		words = all[found:]
		words = words[:min(len(words), 32<<10)]
		reason, _, _ = strings.Cut(words, "\n")
		return reason, words
	}
	words = all[max(0, len(all)-8<<10):]
	before, _, stacks := strings.Cut(words, "\n\ngoroutine ")
	if m := inLine.FindStringSubmatchIndex(before); m != nil && stacks { // in the middle of a line
		words = words[m[2]:]
		reason, _, _ = strings.Cut(words, "\n")
		return reason, words
	}
	return "", words
}

var inLine = regexp.MustCompile(`(?s)^.*(panic: |fatal error: )`)

func TestLastAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 20).Draw(t, "max")
		pieces := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 50)).Draw(t, "pieces")
		all := bytes.Join(pieces, nil)
		want := all[max(0, len(all)-limit):]
		if got := spawn.TailBuffer(limit, pieces); !bytes.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestMarkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SliceOfN(rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }), 5, 5).Draw(t, "s")
		text := spawn.NewBootstrap(s...)
		if strings.Contains(text, "\x00") {
			t.Fatalf("the mark %q holds a NUL", text)
		}
		if same, err := spawn.ParseBootstrap(text); !same || err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		cut := text[:rapid.IntRange(0, len(text)-1).Draw(t, "cut")]
		if _, err := spawn.ParseBootstrap(cut); err == nil {
			t.Fatalf("%q was taken for a mark", cut)
		}
	})
}

func TestChildEnv(t *testing.T) {
	got := spawn.ChildEnv([]string{"A=1", "GOCOVERDIR=x", "GORACE=y", "B=2", spawn.ChildVar + "=old", "A=3", "odd"})
	if want := []string{"GOCOVERDIR=x", "GORACE=y", "B=2", "A=3", "odd"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCoverDir(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"x -test.gocoverdir=/d", "/d"},
		{"x --test.gocoverdir=/d -v", "/d"},
		{"x -v -test.gocoverdir /d", "/d"},
		{"x -test.gocoverdir", ""},
		{"x test.gocoverdir=/d", ""},
		{"x", ""},
	} {
		if got := spawn.CoverDir(strings.Fields(c.args)); got != c.want {
			t.Errorf("%s: %q, want %q", c.args, got, c.want)
		}
	}
}
