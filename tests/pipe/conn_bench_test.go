//go:build linux

package pipe_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var connBench = mp.Register("conn/bench", func(ctx context.Context, c *mp.Conn[[]byte]) (mp.None, error) {
	for {
		v, err := c.Recv(ctx)
		if err == nil {
			err = c.Send(ctx, v)
		}
		if err != nil {
			return mp.None{}, nil // the other end is closed
		}
	}
})

// A value to another process and back. The bench program compares it with CPython's
// Pipe and with a socketpair of C.
func BenchmarkConnRoundTrip(b *testing.B) {
	for _, size := range []int{1, 64, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			ctx := testkit.Ctx(b)
			ours, theirs := newConns[[]byte](b)
			p, err := mp.Start(ctx, connBench, theirs)
			if err != nil {
				b.Fatal(err)
			}
			v := make([]byte, size)
			var took []time.Duration
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				if err := ours.Send(ctx, v); err != nil {
					b.Fatal(err)
				}
				if _, err := ours.Recv(ctx); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "median-us")
			ours.Close()
			p.Join(ctx)
		})
	}
}
