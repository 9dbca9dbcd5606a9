//go:build linux

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// account is a value that is whole only if its two numbers are equal.
type account struct {
	In, Out int64
	Owner   [16]byte
}

var (
	deposit = mp.Register("test.value.deposit", func(ctx context.Context, v *mp.Value[account]) (int64, error) {
		err := v.Update(ctx, func(a *account) {
			a.In++
			a.Out++
		})
		return v.Load().In, err
	})
	dieInUpdate = mp.Register("test.value.die", func(ctx context.Context, v *mp.Value[account]) (mp.None, error) {
		return mp.None{}, v.Update(ctx, func(a *account) {
			a.In++
			syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
			select {}
		})
	})
	makeValue = mp.Register("test.value.make", func(ctx context.Context, n int64) (*mp.Value[account], error) {
		return mp.NewValue(account{In: n, Out: n})
	})
	addUp = mp.Register("test.counter.add", func(ctx context.Context, c *mp.Counter) (mp.None, error) {
		for range 1000 {
			c.Add(1)
		}
		return mp.None{}, nil
	})
)

func newValue(t *testing.T, a account) *mp.Value[account] {
	t.Helper()
	v, err := mp.NewValue(a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestValueIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	v := newValue(t, account{Owner: [16]byte{'x'}})
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in := make([]*mp.Value[account], 100)
	for i := range in {
		in[i] = v
	}
	if _, err := mp.Map(ctx, pool, deposit, in); err != nil {
		t.Fatal(err)
	}
	if got := v.Load(); got.In != 100 || got.Out != 100 || got.Owner[0] != 'x' {
		t.Errorf("after 100 deposits: %+v", got)
	}
	if err := v.Store(ctx, account{In: 7}); err != nil || v.Load().In != 7 {
		t.Errorf("Store: %v, %+v", err, v.Load())
	}
}

func TestValueMadeByAProcessThatHasEnded(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	v, err := mp.Call(ctx, makeValue, 5)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := mp.Call(ctx, deposit, v); err != nil || n != 6 || v.Load().Out != 6 {
		t.Errorf("a deposit by a third process: %d, %v; here %+v", n, err, v.Load())
	}
}

func TestWriterThatDiesInUpdateChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	v := newValue(t, account{})
	if _, err := mp.Call(ctx, dieInUpdate, v); err == nil {
		t.Fatal("it did not die")
	}
	if got := v.Load(); got != (account{}) {
		t.Errorf("half a change is seen: %+v", got)
	}
	if err := v.Update(ctx, func(a *account) { a.In++ }); err != nil || v.Load().In != 1 {
		t.Errorf("the next update: %v, %+v", err, v.Load())
	}
}

func TestPanicInUpdateChangesNothing(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		v := testkit.Must(testkit.ValueOn(c, account{}))(t)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			v.Update(testkit.Ctx(t), func(a *account) { a.In = 1; panic("no") })
		}()
		if err := v.Update(testkit.Ctx(t), func(a *account) { a.Out = 2 }); err != nil || v.Load().In != 0 {
			t.Errorf("afterwards: %v, %+v", err, v.Load())
		}
	})
}

func TestValueWaitEndsWithItsContext(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		v := testkit.Must(testkit.ValueOn(c, account{}))(t)
		ctx, cancel := context.WithCancel(testkit.Ctx(t))
		err := v.Update(ctx, func(*account) {
			cancel()
			if err := v.Update(ctx, func(*account) { t.Error("two at a time") }); !errors.Is(err, context.Canceled) {
				t.Errorf("a wait whose ctx was cancelled: %v", err)
			}
		})
		if err != nil {
			t.Errorf("an update during which ctx ended: %v", err)
		}
	})
}

func TestValueOfTypesWithPointersIsRefused(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		type inner struct{ Tags []string }
		type outer struct {
			N  int
			In [2]inner
		}
		_, err := testkit.ValueOn(c, outer{})
		if err == nil || !strings.Contains(err.Error(), "outer.In[].Tags") {
			t.Errorf("the error is %v, want one that names outer.In[].Tags", err)
		}
		if _, err := testkit.ValueOn(c, "text"); err == nil {
			t.Error("a string was taken")
		}
	})
}

func TestValueTypes(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		check(t, c, int8(-3))
		check(t, c, true)
		check(t, c, [3]byte{1, 2, 3})
		check(t, c, struct{}{})
		check(t, c, complex(1, 2))
		check(t, c, [1000]uint16{999: 7})
		check(t, c, struct {
			a uint8
			b int64
		}{1, -2})
	})
}

func check[T comparable](t *testing.T, c testkit.Carrier, want T) {
	t.Helper()
	v, err := testkit.ValueOn(c, want)
	if err != nil {
		t.Errorf("%T: %v", want, err)
		return
	}
	if got := v.Load(); got != want {
		t.Errorf("%v came back as %v", want, got)
	}
}

// Updates are one after the other, and a Load is of one moment.
func TestValueIsWhole(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		v := testkit.Must(testkit.ValueOn(c, account{}))(t)
		const many = 1000
		testkit.Each(4, func(i int) {
			for n := range many {
				if i == 0 {
					if a := v.Load(); a.In != a.Out {
						t.Errorf("half a change: %+v", a)
						return
					}
					continue
				}
				err := v.Update(ctx, func(a *account) {
					a.In++
					if n%16 == 0 {
						runtime.Gosched()
					}
					a.Out++
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		if a := v.Load(); a.In != 3*many || a.Out != 3*many {
			t.Errorf("%+v", a)
		}
	})
}

func TestCounterCounts(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		c := testkit.Must(on.Counter(-5))(t)
		testkit.Each(4, func(int) {
			for range 1000 {
				c.Add(1)
			}
		})
		if n := c.Load(); n != 3995 || c.Add(5) != 4000 {
			t.Error(n, c.Load())
		}
		c.Store(1)
		if c.CompareAndSwap(2, 3) || !c.CompareAndSwap(1, 9) || c.Load() != 9 {
			t.Error(c.Load())
		}
	})
}

func TestCounterCountsEverywhere(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	c, err := mp.NewCounter(-5)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, err := mp.Call(ctx, addUp, c); err != nil {
				t.Error(err)
			}
		})
	}
	for range 1000 {
		c.Add(-1)
	}
	wait.Wait()
	if n := c.Load(); n != 4*1000-1000-5 {
		t.Errorf("the sum is %d", n)
	}
	c.Store(1)
	if c.CompareAndSwap(2, 3) || !c.CompareAndSwap(1, 9) || c.Load() != 9 {
		t.Error("CompareAndSwap does not")
	}
}

func ExampleValue() {
	type point struct{ X, Y int }
	v, err := mp.NewValue(point{1, 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = v.Update(context.Background(), func(p *point) { p.X, p.Y = p.Y, p.X })
	fmt.Println(v.Load(), err)
	// Output: {2 1} <nil>
}
