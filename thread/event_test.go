package thread_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// A Set frees all waiters, also when Clear follows at once.
func TestEventPulse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := must(thread.NewEvent())
		freed := make(chan error, 100)
		for range cap(freed) {
			go func() { freed <- e.Wait(t.Context()) }()
		}
		synctest.Wait()
		e.Set()
		e.Clear()
		synctest.Wait()
		if len(freed) != cap(freed) || e.IsSet() {
			t.Errorf("%d are free, set: %v", len(freed), e.IsSet())
		}
		for range len(freed) {
			if err := <-freed; err != nil {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := e.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
		e.Set()
		if err := e.Wait(ctx); err != nil {
			t.Error("of an event that is set, with a ctx that was done at entry:", err)
		}
		if err := e.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A Set frees whoever waits, also one whose ctx ends just after it.
func TestEventSetBeforeTheCtxEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := must(thread.NewEvent())
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			freed := make(chan error)
			go func() { freed <- e.Wait(ctx) }()
			synctest.Wait()
			e.Set()
			cancel()
			if err := <-freed; err != nil {
				t.Error(err)
			}
			e.Clear()
		}
	})
}

func TestEventInSelect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := must(thread.NewEvent()), must(thread.NewEvent())
		selected := make(chan []int, 1)
		go func() { selected <- must(mp.Select(t.Context(), a, b)) }()
		synctest.Wait()
		b.Set()
		if ready := <-selected; !slices.Equal(ready, []int{1}) {
			t.Error(ready)
		}
		a.Set()
		if ready, err := mp.Select(t.Context(), a, b); !slices.Equal(ready, []int{0, 1}) {
			t.Error(ready, err)
		}
	})
}
