//go:build unix

package pool_test

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

var (
	shareSleep = mp.Register("share/sleep", func(_ context.Context, d time.Duration) (int, error) { time.Sleep(d); return 0, nil })
	shareOther = mp.Register("share/other", func(_ context.Context, d time.Duration) (int, error) { time.Sleep(d); return 0, nil })
)

// callOf makes calls of a kind until ctx ends, and counts tasks that are done.
type callOf struct {
	name string
	make func(ctx context.Context, p *mp.Pool, f *mp.Func[time.Duration, int], done *atomic.Int64)
}

const shareTask = 2 * time.Millisecond

func shareInputs(yield func(time.Duration) bool) {
	for yield(shareTask) {
	}
}

func shareStream(window, chunk int) func(context.Context, *mp.Pool, *mp.Func[time.Duration, int], *atomic.Int64) {
	return func(ctx context.Context, p *mp.Pool, f *mp.Func[time.Duration, int], done *atomic.Int64) {
		opts := []mp.TaskOption{mp.Window(window)}
		if chunk > 0 {
			opts = append(opts, mp.Chunk(chunk))
		}
		for range mp.ImapUnordered(ctx, p, f, iter.Seq[time.Duration](shareInputs), opts...) {
			done.Add(1)
		}
	}
}

func shareMap(chunk int) func(context.Context, *mp.Pool, *mp.Func[time.Duration, int], *atomic.Int64) {
	return func(ctx context.Context, p *mp.Pool, f *mp.Func[time.Duration, int], done *atomic.Int64) {
		in := make([]time.Duration, 100_000)
		for i := range in {
			in[i] = shareTask
		}
		opts := []mp.TaskOption{mp.Progress(func(n, _ int) { done.Store(int64(n)) })}
		if chunk > 0 {
			opts = append(opts, mp.Chunk(chunk))
		}
		mp.Map(ctx, p, f, in, opts...)
	}
}

// An old call and a young one, of the kinds there are, share the workers: while both go on neither
// has less than half of what the other has.
func TestCallsShareTheWorkers(t *testing.T) {
	testkit.Beside(t)
	kinds := []callOf{
		{"wide window", shareStream(64, 0)},
		{"narrow window", shareStream(12, 0)},
		{"window of chunks", shareStream(64, 8)},
		{"map", shareMap(0)},
		{"map of large chunks", shareMap(5000)},
	}
	pools := []struct {
		name string
		pool func(t *testing.T) *mp.Pool
	}{
		{"processes", func(t *testing.T) *mp.Pool { return testkit.NewPool(t, mp.PoolConfig{Workers: 4}) }},
		{"goroutines", func(t *testing.T) *mp.Pool {
			p, err := thread.NewPool(mp.PoolConfig{Workers: 4})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Terminate)
			return p
		}},
	}
	for _, on := range pools {
		t.Run(on.name, func(t *testing.T) {
			p := on.pool(t)
			for i, old := range kinds {
				young := kinds[(i+2)%len(kinds)]
				t.Run(old.name+", "+young.name, func(t *testing.T) { shareTwo(t, p, old, young) })
			}
		})
	}
}

func shareTwo(t *testing.T, p *mp.Pool, old, young callOf) {
	ctx, cancel := context.WithCancel(poolCtx(t))
	defer cancel()
	var did [2]atomic.Int64
	var calls sync.WaitGroup
	reach := func(of *atomic.Int64, n int64) {
		for of.Load() < n && ctx.Err() == nil {
			time.Sleep(shareTask)
		}
	}
	calls.Go(func() { old.make(ctx, p, shareSleep, &did[0]) })
	reach(&did[0], 50)
	calls.Go(func() { young.make(ctx, p, shareOther, &did[1]) })
	reach(&did[1], 10)
	a, b := did[0].Load(), did[1].Load()
	for did[0].Load()+did[1].Load() < a+b+500 && ctx.Err() == nil {
		time.Sleep(shareTask)
	}
	a, b = did[0].Load()-a, did[1].Load()-b
	cancel()
	calls.Wait()
	if a < b/2 || b < a/2 {
		t.Errorf("the old call did %d tasks, the young one %d", a, b)
	}
}
