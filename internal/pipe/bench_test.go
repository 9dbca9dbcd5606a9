//go:build linux

package pipe_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/pipe"
)

// A round trip between two processes.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{1, 64, 64 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			e, _ := child(b, "echo")
			parts := make([][]byte, 1)
			data := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				parts[0] = data
				if err := e.Send(background, pipe.Bytes, parts, nil); err != nil {
					b.Fatal(err)
				}
				if _, err := e.Receive(background, pipe.Bytes, -1); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "median-us")
		})
	}
}
