package frame_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/frame"
)

func BenchmarkFrame(b *testing.B) {
	pipe := make(loop, 0, 1<<20)
	frames := frame.NewReader(&pipe)
	buffer := frameOf(200)
	b.ReportAllocs()
	for b.Loop() {
		if err := frame.Write(&pipe, 1, buffer); err != nil {
			b.Fatal(err)
		}
		if _, _, err := frames.Next(1000); err != nil {
			b.Fatal(err)
		}
	}
}

// loop returns from Read what was written to it.
type loop []byte

func (l *loop) Write(p []byte) (int, error) { *l = append(*l, p...); return len(p), nil }
func (l *loop) Read(p []byte) (int, error)  { n := copy(p, *l); *l = (*l)[:0]; return n, nil }
