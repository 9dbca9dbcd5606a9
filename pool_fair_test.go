//go:build unix

package mp_test

import (
	"context"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
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

func fairLimit() time.Duration {
	if procRace {
		return time.Second
	}
	return 400 * time.Millisecond // 100 ms on a machine that has nothing else to do
}

func TestFairShortBehindLongApplyAsync(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2})
	for range 5 {
		start := time.Now()
		var rs []*mp.Result[time.Duration]
		for _, d := range []time.Duration{10 * time.Second, 0, 0, 0} {
			rs = append(rs, mp.ApplyAsync(context.Background(), p, fairSleep, d))
		}
		for _, r := range rs[1:] {
			if _, err := r.Get(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took > fairLimit() {
			t.Errorf("the short ones took %v", took)
		}
		rs[0].Cancel()
	}
}

func TestFairShortBehindLongMap(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2})
	for range 5 {
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		var took time.Duration
		mp.Map(ctx, p, fairSleep, []time.Duration{10 * time.Second, 0, 0, 0}, mp.Progress(func(done, total int) {
			if done == 3 {
				took = time.Since(start)
				cancel()
			}
		}))
		cancel()
		if took == 0 || took > fairLimit() {
			t.Errorf("the short ones took %v", took)
		}
	}
}

// Many short tasks and then a few long ones: no worker is left without.
func TestFairShortThenLong(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2})
	short, long := 900, times(20, 100)
	in := make([]time.Duration, 0, short+long)
	for range short {
		in = append(in, 100*time.Microsecond)
	}
	for range long {
		in = append(in, 50*time.Millisecond)
	}
	// What a sleep really takes is part of the ideal.
	probe := time.Now()
	for range 100 {
		time.Sleep(100 * time.Microsecond)
	}
	each := time.Since(probe) / 100
	start := time.Now()
	if _, err := mp.Map(poolCtx(t), p, fairSleep, in); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	ideal := (time.Duration(short)*each + time.Duration(long)*50*time.Millisecond) / 2
	share := float64(ideal) / float64(took)
	t.Logf("%v, ideally %v: %.0f %%", took, ideal, 100*share)
	if share < 0.5 || longTests && share < 0.85 {
		t.Errorf("%v, ideally %v: %.0f %%", took, ideal, 100*share)
	}
}
