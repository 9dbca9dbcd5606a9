package thread_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// nest is a function that calls itself in its own pool, as deep as its input says, and counts
// those that work: what waits for others does not.
type nest struct {
	p     *mp.Pool
	f     *mp.Func[int, int]
	call  func(ctx context.Context, n *nest, in int) (int, error)
	level level
}

// nestedCalls are the ways to call f(in-1), each some times, in a task; the results are added up.
var nestedCalls = map[string]func(ctx context.Context, n *nest, in int) (int, error){
	"Apply": func(ctx context.Context, n *nest, in int) (int, error) { return mp.Apply(ctx, n.p, n.f, in-1) },
	"Map": func(ctx context.Context, n *nest, in int) (int, error) {
		out, err := mp.Map(ctx, n.p, n.f, []int{0, in - 1, 0})
		return sum(out), err
	},
	"Map of one chunk": func(ctx context.Context, n *nest, in int) (int, error) {
		out, err := mp.Map(ctx, n.p, n.f, []int{0, in - 1, 0, 0}, mp.Chunk(4))
		return sum(out), err
	},
	"MapAsync": func(ctx context.Context, n *nest, in int) (int, error) {
		out, err := mp.MapAsync(ctx, n.p, n.f, []int{0, in - 1, 0}).Get(ctx)
		return sum(out), err
	},
	"ApplyAsync": func(ctx context.Context, n *nest, in int) (int, error) {
		a, b := mp.ApplyAsync(ctx, n.p, n.f, 0), mp.ApplyAsync(ctx, n.p, n.f, in-1)
		w, err := b.Get(ctx)
		if err != nil {
			return 0, err
		}
		v, err := a.Get(ctx)
		return v + w, err
	},
	"Imap": func(ctx context.Context, n *nest, in int) (all int, err error) {
		for v, err := range mp.Imap(ctx, n.p, n.f, slices.Values([]int{in - 1, 0, 0})) {
			if err != nil {
				return 0, err
			}
			all += v
		}
		return all, nil
	},
	"ImapUnordered": func(ctx context.Context, n *nest, in int) (all int, err error) {
		for v, err := range mp.ImapUnordered(ctx, n.p, n.f, slices.Values([]int{0, in - 1, 0}), mp.Window(1)) {
			if err != nil {
				return 0, err
			}
			all += v
		}
		return all, nil
	},
	"Outcomes": func(ctx context.Context, n *nest, in int) (all int, err error) {
		for o := range mp.Outcomes(ctx, n.p, n.f, slices.Values([]int{0, in - 1})) {
			if o.Err != nil {
				return 0, o.Err
			}
			all += o.Out
		}
		return all, nil
	},
	"AsCompleted": func(ctx context.Context, n *nest, in int) (all int, err error) {
		rs := []*mp.Result[int]{mp.ApplyAsync(ctx, n.p, n.f, 0), mp.ApplyAsync(ctx, n.p, n.f, in-1)}
		for _, r := range mp.AsCompleted(ctx, rs...) {
			v, err := r.Get(ctx)
			if err != nil {
				return 0, err
			}
			all += v
		}
		return all, ctx.Err()
	},
	"Wait": func(ctx context.Context, n *nest, in int) (all int, err error) {
		rs := []*mp.Result[int]{mp.ApplyAsync(ctx, n.p, n.f, 0), mp.ApplyAsync(ctx, n.p, n.f, in-1)}
		done, pending := mp.Wait(ctx, mp.AllDone, rs...)
		if len(pending) > 0 {
			return 0, fmt.Errorf("%d are not done: %v", len(pending), ctx.Err())
		}
		for _, r := range done {
			v, err := r.Get(ctx)
			if err != nil {
				return 0, err
			}
			all += v
		}
		return all, nil
	},
}

// loops say which of these go on in the loop's body while the pool goes on too.
var loops = map[string]bool{"Imap": true, "ImapUnordered": true, "Outcomes": true, "AsCompleted": true, "Wait": true, "ApplyAsync": true}

func sum(in []int) (n int) {
	for _, v := range in {
		n += v
	}
	return n
}

func (n *nest) work(ctx context.Context, in int) (int, error) {
	n.level.enter()
	defer n.level.leave()
	time.Sleep(time.Microsecond)
	if in <= 0 {
		return 1, nil
	}
	n.level.leave()
	defer n.level.enter()
	v, err := n.call(ctx, n, in)
	return v + 1, err
}

func TestNestedCallsOfEveryKind(t *testing.T) {
	t.Parallel()
	for name, call := range nestedCalls {
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprint(name, workers), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					n := &nest{p: newPool(t, mp.PoolConfig{Workers: workers}), call: call}
					n.f = thread.Func(n.work)
					for _, depth := range []int{1, 2, 3, 10, 50} {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						if v, err := mp.Apply(ctx, n.p, n.f, depth); v < depth+1 || err != nil {
							t.Errorf("depth %d: %d, %v; %+v", depth, v, err, n.p.Stats())
						}
						cancel()
					}
					if most := int(n.level.most.Load()); !loops[name] && most > workers {
						t.Errorf("%d ran at once", most)
					}
					synctest.Wait()
					if st := n.p.Stats(); st.Running+st.Queued+st.Stuck+st.Failed+st.Restarts != 0 || len(st.Workers) != workers {
						t.Errorf("%+v", st)
					}
				})
			})
		}
	}
}

// The leaves of a wide tree: every inner node waits.
func TestNestedTree(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var running level
				p := newPool(t, mp.PoolConfig{Workers: workers})
				var fib *mp.Func[int, int]
				fib = thread.Func(func(ctx context.Context, n int) (int, error) {
					if n < 2 {
						running.enter()
						defer running.leave()
						time.Sleep(time.Millisecond)
						return n, nil
					}
					out, err := mp.Map(ctx, p, fib, []int{n - 1, n - 2})
					return sum(out), err
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if v, err := mp.Apply(ctx, p, fib, 12); v != 144 || err != nil {
					t.Error(v, err)
				}
				if n := running.most.Load(); n > int64(workers) {
					t.Errorf("%d ran at once", n)
				}
			})
		})
	}
}

// Tasks wait for Results that others have submitted, also for what comes behind them in their batch.
func TestNestedWaitForTheResultsOfOthers(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, mp.PoolConfig{Workers: workers})
				if _, err := mp.Map(t.Context(), p, double, count(1000)); err != nil { // now it sends many at a time
					t.Fatal(err)
				}
				const n = 100
				var rs [n + 1]*mp.Result[int]
				submitted := make(chan struct{})
				chain := thread.Func(func(ctx context.Context, i int) (int, error) {
					<-submitted
					if i == n {
						return 1, nil
					}
					v, err := rs[i+1].Get(ctx)
					return v + 1, err
				})
				for i := range rs {
					rs[i] = mp.ApplyAsync(t.Context(), p, chain, i)
				}
				close(submitted)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if v, err := rs[0].Get(ctx); v != n+1 || err != nil {
					t.Errorf("%d, %v; %+v", v, err, p.Stats())
				}
			})
		})
	}
}

// A submit in a task does not wait for room that only the task itself can make.
func TestNestedSubmitsIntoAFullPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 1, MaxQueued: 2})
		outer := thread.Func(func(ctx context.Context, n int) (int, error) {
			var rs []*mp.Result[int]
			for i := range n {
				rs = append(rs, mp.ApplyAsync(ctx, p, double, i))
			}
			all := 0
			for _, r := range rs {
				v, err := r.Get(ctx)
				if err != nil {
					return 0, err
				}
				all += v
			}
			many, err := mp.MapAsync(ctx, p, double, count(n)).Get(ctx)
			return all + sum(many), err
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := mp.ApplyAsync(ctx, p, outer, 10)
		full := []*mp.Result[int]{r, mp.ApplyAsync(ctx, p, double, 1), mp.ApplyAsync(ctx, p, double, 2), mp.ApplyAsync(ctx, p, double, 3)}
		mp.Wait(ctx, mp.AllDone, full...)
		if v, err := r.Get(ctx); v != 180 || err != nil {
			t.Errorf("%d, %v; %+v", v, err, p.Stats())
		}
	})
}

func TestNestedCallsWithOptions(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mp.TaskOption{
		"Timeout": {mp.Timeout(time.Hour)}, "Retries": {mp.Retries(3, mp.Backoff{})}, "Priority": {mp.Priority(-1)},
		"Chunk": {mp.Chunk(3)}, "FailFast": {mp.FailFast()},
		"all": {mp.Timeout(time.Hour), mp.Retries(3, mp.Backoff{}), mp.Priority(1), mp.Chunk(2), mp.FailFast()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, mp.PoolConfig{Workers: 2})
				var tries atomic.Int64
				inner := thread.Func(func(ctx context.Context, n int) (int, error) {
					if info, _ := mp.CurrentTask(ctx); n == 4 && info.Attempt == 1 && (name == "Retries" || name == "all") {
						tries.Add(1)
						return 0, errWork
					}
					return n, nil
				})
				outer := thread.Func(func(ctx context.Context, n int) (int, error) {
					out, err := mp.Map(ctx, p, inner, count(10), opts...)
					return sum(out), err
				})
				out, err := mp.Map(t.Context(), p, outer, count(8), opts...)
				if sum(out) != 8*45 || err != nil {
					t.Error(out, err)
				}
			})
		})
	}
}
