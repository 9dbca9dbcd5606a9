//go:build unix

package pool_test

import (
	"iter"
	"math"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestPoolsLoops(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 3})
		for _, n := range []int{0, 1, 2, 1000} {
			for _, opt := range []mp.TaskOption{nil, mp.Chunk(1), mp.Chunk(10), mp.Window(1), mp.Window(2 * 1000)} {
				var out []int
				for v, err := range mp.Imap(poolCtx(t), p, conformDouble, slices.Values(upTo(n)), opt) {
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, v)
				}
				if !slices.Equal(out, doubles(n)) {
					t.Errorf("Imap of %d: %d values", n, len(out))
				}
				out = nil
				for v, err := range mp.ImapUnordered(poolCtx(t), p, conformDouble, slices.Values(upTo(n)), opt) {
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, v)
				}
				if slices.Sort(out); !slices.Equal(out, doubles(n)) {
					t.Errorf("ImapUnordered of %d: %d values", n, len(out))
				}
				seen := 0
				for o := range mp.Outcomes(poolCtx(t), p, conformDouble, slices.Values(upTo(n)), opt) {
					if seen++; o.Err != nil || o.In != o.Index || o.Out != 2*o.In || o.Attempts != 1 || o.PID == 0 || o.Wall < 0 {
						t.Errorf("%+v", o)
					}
				}
				if seen != n {
					t.Errorf("Outcomes of %d: %d", n, seen)
				}
			}
		}
	})
}

// A loop over what never ends takes no more inputs than its window, and can be left.
func TestPoolsLoopsAreLazy(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		for name, loop := range map[string]func(in iter.Seq[int]) iter.Seq2[int, error]{
			"Imap": func(in iter.Seq[int]) iter.Seq2[int, error] {
				return mp.Imap(poolCtx(t), p, conformDouble, in, mp.Window(5))
			},
			"ImapUnordered": func(in iter.Seq[int]) iter.Seq2[int, error] {
				return mp.ImapUnordered(poolCtx(t), p, conformDouble, in, mp.Window(5))
			},
		} {
			var taken atomic.Int64
			ended := atomic.Bool{}
			given := int64(0)
			for range loop(func(yield func(int) bool) {
				defer ended.Store(true)
				for i := 0; i < math.MaxInt; i++ {
					taken.Add(1)
					if !yield(i) {
						return
					}
				}
			}) {
				if given++; taken.Load() > given+6 {
					t.Errorf("%s: %d taken, %d given", name, taken.Load(), given)
				}
				if given == 100 {
					break
				}
			}
			testkit.Until(t, "the iterator is let go of", ended.Load)
		}
		testkit.Until(t, "the rest is cancelled", func() bool { st := p.Stats(); return st.Queued+st.Running == 0 })
		if v, err := mp.Apply(poolCtx(t), p, conformDouble, 1); v != 2 || err != nil {
			t.Error(v, err)
		}
	})
}

// Nothing is taken while the loop's body has not asked for it, even if nothing was finished.
func TestPoolsLoopsWaitForTheFirst(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		g := newGate(t)
		var taken atomic.Int64
		next, stop := iter.Pull2(mp.Imap(poolCtx(t), p, conformTask, func(yield func(conformIn) bool) {
			for i := 0; ; i++ {
				taken.Add(1)
				in := conformIn{N: i}
				if i == 0 {
					in = g.task("", 0)
				}
				if !yield(in) {
					return
				}
			}
		}, mp.Window(4)))
		defer stop()
		if n := taken.Load(); n != 0 {
			t.Errorf("%d taken before the first step", n)
		}
		got := atomic.Bool{}
		go func() {
			g.begun(t)
			testkit.Until(t, "the window is full", func() bool { st := p.Stats(); return st.Done == 3 })
			if n := taken.Load(); n > 5 || got.Load() {
				t.Errorf("%d taken while the first runs", n)
			}
			g.open(t)
		}()
		for i := range 20 {
			v, err, ok := next()
			if got.Store(true); v != i || err != nil || !ok {
				t.Fatalf("%d: %d, %v, %v", i, v, err, ok)
			}
		}
	})
}

// A panic of the input iterator comes out in the loop, after what it gave before.
func TestPoolsIteratorThatPanics(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		n := 0
		func() {
			defer func() {
				if v := recover(); v != "no more" {
					t.Errorf("%v", v)
				}
			}()
			for v, err := range mp.Imap(poolCtx(t), p, conformDouble, func(yield func(int) bool) {
				for i := range 20 {
					yield(i)
				}
				panic("no more")
			}) {
				if v != 2*n || err != nil {
					t.Errorf("%d: %d, %v", n, v, err)
				}
				n++
			}
		}()
		if n != 20 {
			t.Errorf("%d values", n)
		}
	})
}
