package thread_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// balance is whole only if its numbers are equal. It is large, so that it changes while it is read.
type balance [1 << 10]int64

// Load sees no half of a change, and does not wait for an Update.
func TestValueIsWhole(t *testing.T) {
	t.Parallel()
	v := must(thread.NewValue(balance{}))
	var group sync.WaitGroup
	const writers, many = 3, 2000
	for range writers {
		group.Go(func() {
			for range many {
				err := v.Update(t.Context(), func(b *balance) {
					for i := range b {
						b[i]++
					}
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for last := int64(0); last < writers*many; {
		b := v.Load()
		for _, n := range b {
			if n != b[0] || n < last {
				t.Fatal("torn, or gone back:", n, b[0], last)
			}
		}
		last = b[0]
		runtime.Gosched()
	}
	group.Wait()
}

func TestValueUpdates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := must(thread.NewValue(1))
		hold, held := make(chan struct{}), make(chan struct{})
		go v.Update(t.Context(), func(n *int) {
			*n = 2
			close(held)
			<-hold
		})
		<-held
		if v.Load() != 1 {
			t.Error("an Update that goes on is seen:", v.Load())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		for _, err := range []error{v.Store(ctx, 3), v.Update(ctx, nil)} {
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second || !strings.HasPrefix(err.Error(), "mp: Value.") {
				t.Error(err, time.Since(began))
			}
		}
		close(hold)
		if err := v.Update(t.Context(), func(n *int) { *n *= 10 }); err != nil || v.Load() != 20 {
			t.Error(err, v.Load())
		}
		func() {
			defer func() { recover() }()
			v.Update(t.Context(), func(n *int) { *n = 0; panic("inside") })
		}()
		if err := v.Store(t.Context(), v.Load()+1); err != nil || v.Load() != 21 {
			t.Error(err, v.Load())
		}
	})
}

func TestValueRefuses(t *testing.T) {
	t.Parallel()
	type named struct{ Names []string }
	if _, err := thread.NewValue(named{}); err == nil || !strings.Contains(err.Error(), "named.Names") {
		t.Error(err)
	}
	for _, err := range []error{failure(thread.NewArray[*int](1)), failure(thread.NewArray[named](1))} {
		if err == nil || !strings.Contains(err.Error(), "address of this process") {
			t.Error(err)
		}
	}
}

func TestCounter(t *testing.T) {
	t.Parallel()
	c := must(thread.NewCounter(-5))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				c.Add(1)
			}
		})
	}
	group.Wait()
	if n := c.Load(); n != 3995 {
		t.Error(n)
	}
	c.Store(1)
	if c.CompareAndSwap(2, 3) || !c.CompareAndSwap(1, 9) || c.Load() != 9 {
		t.Error(c.Load())
	}
}

func TestArray(t *testing.T) {
	t.Parallel()
	a := must(thread.NewArray[float64](3))
	s := a.Slice()
	s[2] = 1.5
	if again := a.Slice(); &again[0] != &s[0] || again[2] != 1.5 || len(again) != 3 || a.Len() != 3 {
		t.Error(again)
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil || a.Slice() != nil || a.Len() != 3 {
		t.Error(err, a.Slice(), a.Len())
	}
	if s[2] != 1.5 {
		t.Error("what was taken is gone")
	}
	if a, err := thread.NewArray[int](0); err != nil || a.Slice() == nil {
		t.Error(err)
	}
}

// A size that cannot be is an error and not the end of the program.
func TestArrayOfAbsurdSize(t *testing.T) {
	t.Parallel()
	absurd := []int{math.MaxInt, math.MaxInt/8 - 1}
	if math.MaxInt > math.MaxInt32 {
		absurd = append(absurd, math.MaxInt/1000)
	}
	for _, n := range absurd {
		if a, err := thread.NewArray[[8]int64](n); err == nil || !strings.HasPrefix(err.Error(), "mp: Array[") {
			t.Error(n, a.Len(), err)
		}
	}
	if _, err := thread.NewArray[int](-1); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if promised, _ := os.ReadFile("/proc/sys/vm/overcommit_memory"); strings.HasPrefix(string(promised), "1") {
		t.Skip("the system promises memory that it has not")
	}
	for bytes := uint64(1 << 45); bytes < math.MaxInt; bytes *= 2 { // most of these Go would try to get, and fail
		if a, err := thread.NewArray[byte](int(bytes)); err == nil {
			t.Error(bytes, a.Len())
		}
	}
}
