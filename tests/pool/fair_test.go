//go:build unix

package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var fairSleep = mp.Register("fair/sleep", func(ctx context.Context, d time.Duration) (time.Duration, error) {
	if d == 0 {
		return 0, nil
	}
	select {
	case <-time.After(d):
		return d, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
})

func TestFairShortBehindLongApplyAsync(t *testing.T) {
	testkit.Beside(t)
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for range 5 {
		start := time.Now()
		var rs []*mp.Result[time.Duration]
		for _, d := range []time.Duration{time.Minute, 0, 0, 0} {
			rs = append(rs, mp.ApplyAsync(context.Background(), p, fairSleep, d))
		}
		for _, r := range rs[1:] {
			if _, err := r.Get(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took > testkit.Within(100*time.Millisecond) {
			t.Errorf("the short ones took %v", took)
		}
		rs[0].Cancel()
	}
}

func TestFairShortBehindLongMap(t *testing.T) {
	testkit.Beside(t)
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for range 5 {
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		var took time.Duration
		mp.Map(ctx, p, fairSleep, []time.Duration{time.Minute, 0, 0, 0}, mp.Progress(func(done, total int) {
			if done == 3 {
				took = time.Since(start)
				cancel()
			}
		}))
		cancel()
		if took == 0 || took > testkit.Within(100*time.Millisecond) {
			t.Errorf("the short ones took %v", took)
		}
	}
}

// fairTimed sleeps and says how long that took.
var fairTimed = mp.Register("fair/timed", func(_ context.Context, d time.Duration) (time.Duration, error) {
	begin := time.Now()
	time.Sleep(d)
	return time.Since(begin), nil
})

// Many short tasks and then a few long ones: no worker is left without. What the tasks really
// took is what the ideal is made of, so that a slow machine has a slow ideal.
func TestFairShortThenLong(t *testing.T) {
	testkit.Beside(t)
	const workers, short = 4, 900
	long := testkit.Times(80, 200)
	p := testkit.NewPool(t, mp.PoolConfig{Workers: workers})
	in := make([]time.Duration, short+long)
	for i := range in {
		if in[i] = 100 * time.Microsecond; i >= short {
			in[i] = 50 * time.Millisecond
		}
	}
	start := time.Now()
	out, err := mp.Map(poolCtx(t), p, fairTimed, in)
	took := time.Since(start)
	if err != nil {
		t.Fatal(err)
	}
	ideal := time.Duration(0)
	for _, d := range out {
		ideal += d / workers
	}
	share := float64(ideal) / float64(took)
	t.Logf("%v, ideally %v: %.0f %%", took, ideal, 100*share)
	// When two of the four have nothing to do, it is half.
	if share < 0.6 || testkit.Strict && share < 0.85 {
		t.Errorf("%v, ideally %v: %.0f %%", took, ideal, 100*share)
	}
}
