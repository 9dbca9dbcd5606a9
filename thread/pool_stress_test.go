package thread_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// times is how much a test does: some, or with MP_LONG much.
func times(some, much int) int {
	if os.Getenv("MP_LONG") != "" {
		return much
	}
	return some
}

func TestVeryManyTasks(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 4})
	n := times(100_000, 1_000_000)
	out, err := mp.Map(t.Context(), p, double, count(n))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v != 2*i {
			t.Fatalf("%d: %d", i, v)
		}
	}
	i := 0
	for v, err := range mp.Imap(t.Context(), p, double, slices.Values(count(n/10)), mp.Window(1000)) {
		if v != 2*i || err != nil {
			t.Fatalf("%d: %d, %v", i, v, err)
		}
		i++
	}
	if st := p.Stats(); i != n/10 || st.Done != n+n/10 || st.Failed+st.Queued != 0 {
		t.Errorf("%d; %+v", i, st)
	}
}

// A hundred goroutines submit, wait and cancel while the pool grows and shrinks.
func TestManySubmitWhileThePoolIsResized(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]mp.PoolConfig{
		"plain": {Workers: 4}, "few tasks a worker": {Workers: 4, TasksPerWorker: 50}, "idle workers leave": {Workers: 4, IdleTimeout: time.Microsecond},
		"little room": {Workers: 4, MaxQueued: 10}, "events": {Workers: 4, Events: func(mp.PoolEvent) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, cfg)
			each := times(100, 1000)
			quit := make(chan struct{})
			var resizing, submits sync.WaitGroup
			resizing.Go(func() {
				for {
					select {
					case <-quit:
						return
					default:
						if err := p.Resize(1 + rand.IntN(8)); err != nil {
							t.Error(err)
						}
						runtime.Gosched()
					}
				}
			})
			var good, cancelled atomic.Int64
			for g := range 100 {
				submits.Go(func() {
					rs := make([]*mp.Result[int], each)
					for i := range rs {
						rs[i] = mp.ApplyAsync(t.Context(), p, double, i)
						if g%10 == 0 && i%3 == 0 {
							rs[i].Cancel()
						}
					}
					for i, r := range rs {
						switch v, err := r.Get(t.Context()); {
						case err == nil && v == 2*i:
							good.Add(1)
						case errors.Is(err, mp.ErrCancelled) && g%10 == 0 && i%3 == 0:
							cancelled.Add(1)
						default:
							t.Errorf("%d: %d, %v", i, v, err)
						}
					}
				})
			}
			submits.Wait()
			close(quit)
			resizing.Wait()
			st := p.Stats()
			if st.Done != int(good.Load()) || st.Failed != int(cancelled.Load()) || st.Queued != 0 || st.Done+st.Failed != 100*each {
				t.Errorf("%d good, %d cancelled: %+v", good.Load(), cancelled.Load(), st)
			}
		})
	}
}

// Tasks that nest, panic, end their goroutines, are late and are cancelled, all at once, on real time.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 3, Grace: time.Millisecond})
	letGo := make(chan struct{})
	t.Cleanup(func() { close(letGo) })
	var f *mp.Func[int, int]
	f = thread.Func(func(ctx context.Context, n int) (int, error) {
		switch n % 17 {
		case 3:
			panic(n)
		case 5:
			runtime.Goexit()
		case 7:
			return 0, errWork
		case 11:
			if n%1000 == 11 {
				<-letGo
			}
		case 13:
			<-ctx.Done()
			return 0, ctx.Err()
		}
		if n%3 == 0 && n > 20 {
			out, err := mp.Map(ctx, p, f, []int{n / 3, n / 4})
			var failed *mp.MapError
			if err != nil && !errors.As(err, &failed) && ctx.Err() == nil {
				return 0, err
			}
			return n + 0*sum(out), nil
		}
		return n, nil
	})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range times(3, 30) {
				in := count(200)
				for i := range in {
					in[i] = rand.IntN(100_000)
				}
				got := 0
				for o := range mp.Outcomes(t.Context(), p, f, slices.Values(in), mp.Timeout(5*time.Millisecond), mp.Retries(rand.IntN(2), mp.Backoff{Min: time.Microsecond})) {
					if got++; o.Err == nil && o.Out != o.In {
						t.Errorf("%+v", o)
					}
					var task *mp.TaskError
					if o.Err != nil && !errors.As(o.Err, &task) {
						t.Errorf("%+v", o)
					}
				}
				if got != len(in) {
					t.Errorf("%d outcomes", got)
				}
			}
		})
	}
	callers.Wait()
	if v, err := mp.Apply(t.Context(), p, double, 2); v != 4 || err != nil {
		t.Error(v, err)
	}
}
