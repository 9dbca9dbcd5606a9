package frame_test

import (
	"errors"
	"io"
	"testing"

	"github.com/gomultiprocessing/mp/internal/frame"
)

func FuzzFrames(f *testing.F) {
	f.Add(header(0, 1))
	f.Add(append(header(5, 2), "hello"...))
	f.Add(header(1<<40, 3))
	f.Fuzz(func(t *testing.T, p []byte) {
		frames := frame.NewReader(&dribble{p})
		for total := 0; ; {
			_, payload, err := frames.Next(1 << 20)
			if err != nil {
				if _, refused := errors.AsType[*frame.Error](err); err != io.EOF && err != io.ErrUnexpectedEOF && !refused {
					t.Fatalf("an error of another sort: %v", err)
				}
				if err == io.EOF && total != len(p) {
					t.Fatalf("%d of %d bytes were read", total, len(p))
				}
				return
			}
			total += 16 + len(payload)
		}
	})
}

// dribble returns a few bytes at a time.
type dribble struct{ rest []byte }

func (d *dribble) Read(to []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(to, d.rest[:min(len(d.rest), 1+len(d.rest)%23)])
	d.rest = d.rest[n:]
	return n, nil
}
