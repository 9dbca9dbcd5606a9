package thread_test

import (
	"context"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

var benchIncrement = thread.Func(func(ctx context.Context, n int) (int, error) { return n + 1, nil })

func benchPool(b *testing.B, workers int) *mp.Pool {
	p, err := thread.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Terminate)
	return p
}

func BenchmarkPoolApply(b *testing.B) {
	p := benchPool(b, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mp.Apply(b.Context(), p, benchIncrement, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPoolApplyAsync(b *testing.B) {
	p := benchPool(b, 2)
	rs := make([]*mp.Result[int], 100_000)
	b.ReportAllocs()
	for b.Loop() {
		for i := range rs {
			rs[i] = mp.ApplyAsync(b.Context(), p, benchIncrement, i)
		}
		for _, r := range rs {
			if _, err := r.Get(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	perTask(b, len(rs))
}

func BenchmarkPoolMap(b *testing.B) {
	p := benchPool(b, 2)
	in := make([]int, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mp.Map(b.Context(), p, benchIncrement, in); err != nil {
			b.Fatal(err)
		}
	}
	perTask(b, len(in))
}

func perTask(b *testing.B, tasks int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tasks), "ns/task")
}

// A task that waits for another one of its pool, each time.
func BenchmarkPoolNested(b *testing.B) {
	p := benchPool(b, 2)
	outer := thread.Func(func(ctx context.Context, n int) (int, error) {
		for range n {
			if _, err := mp.Apply(ctx, p, benchIncrement, 1); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
	if _, err := mp.Apply(b.Context(), p, outer, b.N); err != nil {
		b.Fatal(err)
	}
}
