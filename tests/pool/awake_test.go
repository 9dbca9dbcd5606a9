//go:build linux

package pool_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// awakeIn is what a task does: it meets others, or nothing.
type awakeIn struct {
	Meet *mp.Barrier
	N    int
}

var awakeTask = mp.Register("awake/task", func(ctx context.Context, in awakeIn) (int, error) {
	if in.Meet != nil {
		if _, err := in.Meet.Wait(ctx); err != nil {
			return 0, err
		}
	}
	return in.N, nil
})

var awakeShort = mp.Register("awake/short", func(_ context.Context, n int) (int, error) { return 2 * n, nil })

// Tasks that wait for each other, of a function that was short so far, have a worker each, though
// callers of short tasks share one.
func TestTasksOfAShortFunctionThatWaitForEachOther(t *testing.T) {
	testkit.Beside(t)
	const workers = 16
	p := testkit.NewPool(t, mp.PoolConfig{Workers: workers})
	ctx := poolCtx(t)
	short := func() {
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for n := range 100 {
					if out, err := mp.Apply(ctx, p, awakeTask, awakeIn{N: n}); out != n || err != nil {
						t.Error(out, err)
					}
				}
			})
		}
		callers.Wait()
	}
	for range 3 {
		short()
		meet, err := mp.NewBarrier(workers)
		if err != nil {
			t.Fatal(err)
		}
		var rs []*mp.Result[int]
		for n := range workers {
			rs = append(rs, mp.ApplyAsync(ctx, p, awakeTask, awakeIn{Meet: meet, N: n}))
		}
		for n, r := range rs {
			if out, err := r.Get(ctx); out != n || err != nil {
				t.Error(out, err)
			}
		}
		in := make([]awakeIn, workers)
		for n := range in {
			in[n].Meet = meet
		}
		short()
		if _, err := mp.Map(ctx, p, awakeTask, in, mp.Chunk(1)); err != nil {
			t.Error(err)
		}
		if _, err := mp.Map(ctx, p, awakeTask, in); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkApplyFromManyGoroutines is how calls of a trivial function from 64 goroutines get on
// with the number of workers: it should not matter.
func BenchmarkApplyFromManyGoroutines(b *testing.B) {
	for _, workers := range []int{1, 2, 4, 8, 16, 32, 64} {
		b.Run(strconv.Itoa(workers), func(b *testing.B) {
			p, err := mp.NewPool(mp.PoolConfig{Workers: workers})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Terminate()
			applyFrom(b, p, 64, 64*10)
			b.ResetTimer()
			applyFrom(b, p, 64, b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// applyFrom makes n calls of a trivial function from some goroutines.
func applyFrom(b *testing.B, p *mp.Pool, goroutines, n int) {
	var callers sync.WaitGroup
	for g := range goroutines {
		callers.Go(func() {
			for i := g; i < n; i += goroutines {
				if _, err := mp.Apply(context.Background(), p, awakeShort, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
}
