//go:build unix

package pool_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func randomTime(most time.Duration) func() time.Duration {
	return func() time.Duration { return rand.N(most) }
}

// TestKillFromOutsideWithRetries goes on until enough were killed.
func TestKillFromOutsideWithRetries(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	kills := int64(testkit.Times(10, 100))
	k := killer(p, func() time.Duration { return 15 * time.Millisecond }, max(100, kills))
	defer k.stop()
	for round := 0; round == 0 || k.killed.Load() < kills; round++ {
		in, _ := diaryInputs(t, testkit.Times(500, 2000), noPad)
		for i := range in {
			in[i].Work *= 3
		}
		out, err := mp.Map(ctx, p, killDiary, in, mp.Retries(1000, mp.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			if !sameDiary(in[i], out[i]) {
				t.Errorf("task %d: %v", i, out[i].N)
			}
		}
	}
	k.deaths(t)
	t.Logf("%d retried", p.Stats().Retried)
}

func TestKillFromOutsideChunkOfOne(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in, name := diaryInputs(t, testkit.Times(800, 10000), noPad)
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	out, err := mp.Map(poolCtx(t), p, killDiary, in, mp.Chunk(1))
	k.deaths(t)
	checkDeaths(t, in, out, mapErrs(t, err), begins(t, name, len(in)), false)
}

func TestKillFromOutsideInsideChunks(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in, name := diaryInputs(t, testkit.Times(2000, 20000), noPad)
	for i := range in {
		in[i].Work /= 4
	}
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	out, err := mp.Map(poolCtx(t), p, killDiary, in, mp.Chunk(50))
	kills := k.deaths(t)
	errs := mapErrs(t, err)
	checkDeaths(t, in, out, errs, begins(t, name, len(in)), true)
	if len(errs) > kills {
		t.Errorf("%d kills are blamed on %d tasks", kills, len(errs))
	}
}

func TestKillFromOutsideBigValues(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in, name := diaryInputs(t, testkit.Times(300, 4000), somePad)
	k := killer(p, randomTime(25*time.Millisecond), mostKills())
	defer k.stop()
	out, err := mp.Map(poolCtx(t), p, killDiary, in, mp.Chunk(1))
	k.deaths(t)
	checkDeaths(t, in, out, mapErrs(t, err), begins(t, name, len(in)), false)
}

func TestKillFromOutsideApplyAsync(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	in, name := diaryInputs(t, testkit.Times(800, 10000), noPad)
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	rs := make([]*mp.Result[diaryOut], len(in))
	for i := range in {
		rs[i] = mp.ApplyAsync(ctx, p, killDiary, in[i])
	}
	out, errs := make([]diaryOut, len(in)), make(map[int]error)
	for i, r := range rs {
		v, err := r.Get(ctx)
		if out[i] = v; err != nil {
			errs[i] = err
		}
	}
	k.deaths(t)
	// ApplyAsync's tasks are chunks of one, in batches of many.
	checkDeaths(t, in, out, errs, begins(t, name, len(in)), false)
}

func TestKillFromOutsideImapAndOutcomes(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	in, _ := diaryInputs(t, testkit.Times(400, 4000), noPad)
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	i := 0
	for out, err := range mp.Imap(ctx, p, killDiary, slices.Values(in)) {
		if err != nil && !killedBy(err, syscall.SIGKILL) || err == nil && !sameDiary(in[i], out) {
			t.Errorf("task %d: %v, %v", i, out.N, err)
		}
		i++
	}
	if i != len(in) {
		t.Errorf("%d outcomes", i)
	}
	seen := make([]int, len(in))
	for o := range mp.Outcomes(ctx, p, killDiary, slices.Values(in), mp.Capture(100)) {
		if o.Err != nil && !killedBy(o.Err, syscall.SIGKILL) || o.Err == nil && !sameDiary(in[o.Index], o.Out) {
			t.Errorf("task %d: %v, %v", o.Index, o.Out.N, o.Err)
		}
		seen[o.Index]++
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("task %d has %d outcomes", i, n)
		}
	}
	k.deaths(t)
}

// Each kind of submission side by side on one pool while workers are killed.
func TestKillFromOutsideEverythingAtOnce(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 3})
	ctx := poolCtx(t)
	in, _ := diaryInputs(t, testkit.Times(200, 2000), somePad)
	for i := range in {
		in[i].Pad = in[i].Pad[:min(len(in[i].Pad), 70000)]
		if len(in[i].Pad) == 0 {
			in[i].Pad = nil
		}
	}
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	retry := mp.Retries(1000, mp.Backoff{Min: time.Millisecond, Max: time.Millisecond})
	var wg sync.WaitGroup
	wg.Go(func() {
		out, err := mp.Map(ctx, p, killDiary, in, retry, mp.Priority(1))
		if err != nil {
			t.Error(err)
			return
		}
		for i := range out {
			if !sameDiary(in[i], out[i]) {
				t.Errorf("Map: task %d", i)
			}
		}
	})
	wg.Go(func() {
		i := 0
		for out, err := range mp.Imap(ctx, p, killDiary, slices.Values(in), retry, mp.Timeout(time.Minute)) {
			if err != nil || !sameDiary(in[i], out) {
				t.Errorf("Imap: task %d: %v", i, err)
			}
			i++
		}
	})
	wg.Go(func() {
		for i := range in[:len(in)/2] {
			out, err := mp.Apply(ctx, p, killDiary, in[i], retry)
			if err != nil || !sameDiary(in[i], out) {
				t.Errorf("Apply: task %d: %v", i, err)
			}
		}
	})
	wg.Go(func() {
		for range testkit.Times(20, 200) {
			r := mp.MapAsync(ctx, p, killDiary, in[:20], retry)
			r.Cancel()
			if _, err := r.Get(ctx); !errors.Is(err, mp.ErrCancelled) {
				t.Errorf("cancelled: %v", err)
			}
		}
	})
	wg.Wait()
	k.deaths(t)
}

var killNth = mp.Register("kill/nth", func(_ context.Context, n int) (int, error) {
	if n < 0 {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return n, nil
})

// Only the item that ran is blamed, wherever in the chunk it is.
func TestKillInChunkBlamesOne(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for at := range 20 {
		in := make([]int, 20)
		for i := range in {
			in[i] = i
		}
		in[at] = -1
		out, err := mp.Map(poolCtx(t), p, killNth, in, mp.Chunk(20))
		var all *mp.MapError
		if !errors.As(err, &all) || len(all.Errs) != 1 || all.Errs[0].Index != at || !killedBy(err, syscall.SIGKILL) {
			t.Fatalf("at %d: %v", at, err)
		}
		for i, v := range out {
			if i != at && v != i {
				t.Errorf("at %d: output %d is %d", at, i, v)
			}
		}
	}
}

// killStream yields tasks for as long as the loop wants them.
func killStream(most int, yielded *atomic.Int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range most {
			yielded.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}
