package thread_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// Ten tasks, two workers, and task 3 misbehaves: what other pools of goroutines make of it is a
// dead process, a zero that nobody notices, a hang. Here it is one error.

// badly is a function of which call 3 does something bad.
func badly(bad func()) *mp.Func[int, int] {
	return thread.Func(func(_ context.Context, n int) (int, error) {
		if n == 3 {
			bad()
		}
		return n + 1, nil
	})
}

// oneBad runs such tasks in every way, and says what the third one's error is. The others have their values.
func oneBad(t *testing.T, p *mp.Pool, f *mp.Func[int, int], opts ...mp.TaskOption) (errs []error) {
	t.Helper()
	bad := func(how string, n, v int, err error) {
		t.Helper()
		if n == 3 {
			errs = append(errs, err)
		}
		if n == 3 && (v != 0 || err == nil) || n != 3 && (v != n+1 || err != nil) {
			t.Errorf("%s: task %d: %d, %v", how, n, v, err)
		}
	}
	out, err := mp.Map(t.Context(), p, f, count(10), opts...)
	var all *mp.MapError
	if !errors.As(err, &all) || len(all.Errs) != 1 || all.Total != 10 || all.Errs[0].Index != 3 {
		t.Fatalf("Map: %v", err)
	}
	for n, v := range out {
		if n == 3 {
			bad("Map", n, v, all.Errs[0])
		} else {
			bad("Map", n, v, nil)
		}
	}
	n := 0
	for v, err := range mp.Imap(t.Context(), p, f, slices.Values(count(10)), opts...) {
		bad("Imap", n, v, err)
		n++
	}
	for o := range mp.Outcomes(t.Context(), p, f, slices.Values(count(10)), opts...) {
		bad("Outcomes", o.In, o.Out, o.Err)
	}
	var rs []*mp.Result[int]
	for i := range 10 {
		rs = append(rs, mp.ApplyAsync(t.Context(), p, f, i, opts...))
	}
	for i, r := range mp.AsCompleted(t.Context(), rs...) {
		v, err := r.Get(t.Context())
		bad("ApplyAsync", i, v, err)
	}
	if len(errs) != 4 || n != 10 {
		t.Errorf("%d errors, %d values", len(errs), n)
	}
	return errs
}

func TestPanicIsAnErrorOfItsTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		for _, err := range oneBad(t, p, badly(func() { panic(fmt.Sprint("boom", 1)) })) {
			var panicked *mp.PanicError
			if !errors.As(err, &panicked) || panicked.Value != "boom1" || !strings.Contains(panicked.Stack, "TestPanicIsAnErrorOfItsTask") {
				t.Errorf("%v; %+v", err, panicked)
			}
		}
		if st := p.Stats(); st.Restarts != 0 || len(st.Workers) != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// Whatever the value is that a task panics with.
func TestPanicWithAnyValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		for name, bad := range map[string]func(){
			"nil":                func() { panic(nil) },
			"an error":           func() { panic(errWork) },
			"a runtime error":    func() { _ = []int{}[runtime.NumGoroutine()] },
			"text that panics":   func() { panic(badText{func() { panic("again") }}) },
			"text that Goexits":  func() { panic(badText{runtime.Goexit}) },
			"error that Goexits": func() { panic(badError{runtime.Goexit}) },
			"panic in a defer":   func() { defer func() { panic("second") }(); panic("first") },
			"Goexit in a defer":  func() { defer runtime.Goexit(); panic("first") },
			"panic after Goexit": func() { defer func() { panic("second") }(); runtime.Goexit() },
			"deep in the stack":  func() { deep(10_000) },
			"closed channel":     func() { c := make(chan int); close(c); close(c) },
			"ctx's error":        func() { panic(context.Canceled) },
		} {
			t.Log(name)
			oneBad(t, p, badly(bad))
		}
		if v, err := mp.Apply(t.Context(), p, double, 2); v != 4 || err != nil {
			t.Error(v, err)
		}
		synctest.Wait()
		if st := p.Stats(); st.Running+st.Queued+st.Stuck != 0 || len(st.Workers) != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func deep(n int) {
	if n == 0 {
		panic("deep")
	}
	deep(n - 1)
}

type badText struct{ bad func() }

func (b badText) String() string {
	b.bad()
	return "never"
}

type badError struct{ bad func() }

func (b badError) Error() string {
	b.bad()
	return "never"
}

func (b badError) Unwrap() error {
	b.bad()
	return nil
}

// The error that a task returns is code of the program's too.
func TestErrorThatMisbehaves(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(){"panic": func() { panic("in Unwrap") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, mp.PoolConfig{Workers: 2})
				f := thread.Func(func(_ context.Context, n int) (int, error) {
					if n == 3 {
						return 0, badError{bad}
					}
					return n + 1, nil
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for range 5 {
					out, err := mp.Map(ctx, p, f, count(10), mp.Retries(1, mp.Backoff{}))
					var all *mp.MapError
					if !errors.As(err, &all) || len(all.Errs) != 1 || out[9] != 10 {
						t.Fatalf("%v, %T", out, err)
					}
				}
				synctest.Wait()
				if st := p.Stats(); st.Running+st.Queued+st.Stuck != 0 || len(st.Workers) != 2 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

func TestGoexitIsAnErrorOfItsTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		for _, err := range oneBad(t, p, badly(runtime.Goexit)) {
			if !strings.Contains(err.Error(), "runtime.Goexit") {
				t.Error(err)
			}
		}
		for _, err := range oneBad(t, p, badly(runtime.Goexit), mp.Chunk(10), mp.Retries(2, mp.Backoff{})) {
			var task *mp.TaskError
			if !errors.As(err, &task) || task.Attempts != 3 {
				t.Error(err)
			}
		}
		synctest.Wait()
		if st := p.Stats(); st.Restarts != 0 || len(st.Workers) != 2 || st.Running != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A test's t.FailNow or t.Skip in a task is a Goexit too; a hundred of them in a row cost no worker.
func TestEachTaskEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		f := thread.Func(func(context.Context, int) (int, error) {
			runtime.Goexit()
			return 0, nil
		})
		for _, chunk := range []int{1, 1000} {
			_, err := mp.Map(t.Context(), p, f, count(1000), mp.Chunk(chunk))
			var all *mp.MapError
			if !errors.As(err, &all) || len(all.Errs) != 1000 {
				t.Error(err)
			}
		}
		if v, err := mp.Apply(t.Context(), p, double, 2); v != 4 || err != nil {
			t.Error(v, err)
		}
	})
}

func TestEndlessTaskIsAnErrorAtItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		f := badly(func() { time.Sleep(1000 * time.Hour) })
		for _, err := range oneBad(t, p, f, mp.Timeout(200*time.Millisecond)) {
			var late *mp.TimeoutError
			if !errors.As(err, &late) || late.After != 200*time.Millisecond {
				t.Error(err)
			}
		}
		synctest.Wait()
		if st := p.Stats(); st.Stuck != 4 || st.Restarts != 4 || len(st.Workers) != 2 {
			t.Errorf("%+v", st)
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(2000 * time.Hour)
	})
}

// Every place of the pool is held by a task that waits for another one.
func TestNestedSubmitsInAFullPoolEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		outer := thread.Func(func(ctx context.Context, n int) (int, error) {
			time.Sleep(20 * time.Millisecond) // until all places are held
			return mp.Apply(ctx, p, double, n)
		})
		out, err := mp.Map(t.Context(), p, outer, count(10), mp.Chunk(1))
		if err != nil || !slices.Equal(out, []int{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}) {
			t.Error(out, err)
		}
	})
}

// Callbacks that misbehave do not stop the others, and Join tells.
func TestCallbackThatMisbehaves(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(){
		"panic": func() { panic("in a callback") }, "Goexit": runtime.Goexit,
		"text that Goexits": func() { panic(badText{runtime.Goexit}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, err := thread.NewPool(mp.PoolConfig{Workers: 2})
				if err != nil {
					t.Fatal(err)
				}
				called := 0
				for i := range 10 {
					mp.ApplyAsync(t.Context(), p, double, i).OnDone(func(v int, _ error) {
						if v == 6 {
							bad()
						}
						called++
					})
				}
				p.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := p.Join(ctx); err == nil || !strings.Contains(err.Error(), "callback") || called != 9 {
					t.Errorf("%d calls, %v", called, err)
				}
			})
		})
	}
}

// Init may be as bad.
func TestInitThatMisbehaves(t *testing.T) {
	t.Parallel()
	for name, init := range map[string]func() error{
		"error":  func() error { return errWork },
		"panic":  func() error { panic("in Init") },
		"Goexit": func() error { runtime.Goexit(); return nil },
		"text that Goexits": func() error {
			panic(badText{runtime.Goexit})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				f := thread.Func(func(context.Context, int) (int, error) { return 0, init() })
				p, err := thread.NewPool(mp.PoolConfig{Workers: 3, Init: mp.Bind(f, 1)})
				if p != nil || err == nil || time.Since(began) != 0 {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if name == "error" && !errors.Is(err, errWork) {
					t.Error(err)
				}
			})
		})
	}
}
