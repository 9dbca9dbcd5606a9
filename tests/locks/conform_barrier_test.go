//go:build linux

package locks_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestBarrierRounds(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		const parties, rounds = 5, 50
		b := testkit.Must(c.Barrier(parties))(t)
		if b.Parties() != parties || b.Waiting() != 0 || b.Broken() {
			t.Error(b.Parties(), b.Waiting(), b.Broken())
		}
		var places [rounds][parties]atomic.Int32
		var actions atomic.Int32
		testkit.Each(parties, func(int) {
			for r := range rounds {
				place, err := b.WaitDo(ctx, func() error { actions.Add(1); return nil })
				if err != nil {
					t.Error(err)
					return
				}
				if n := actions.Load(); n < int32(r)+1 || n > int32(r)+2 {
					t.Errorf("after round %d there were %d actions", r, n)
				}
				places[r][place].Add(1)
			}
		})
		for r := range places {
			for p := range places[r] {
				if n := places[r][p].Load(); n != 1 {
					t.Errorf("place %d of round %d was given %d times", p, r, n)
				}
			}
		}
		one := testkit.Must(c.Barrier(1))(t)
		if place, err := one.Wait(ctx); place != 0 || err != nil {
			t.Error(place, err)
		}
		if err := testkit.ErrorOf(c.Barrier(1<<20 + 1)); !errors.Is(err, fs.ErrInvalid) {
			t.Error(err)
		}
	})
}

// waitingAt has n goroutines wait at the barrier, and returns when they do.
func waitingAt(ctx context.Context, b *mp.Barrier, n int) (outcomes chan error) {
	outcomes = make(chan error, n)
	for range n {
		go func() {
			_, err := b.Wait(ctx)
			outcomes <- err
		}()
	}
	for b.Waiting() < n {
		runtime.Gosched()
	}
	return outcomes
}

func allBroken(t *testing.T, what string, outcomes chan error) {
	t.Helper()
	for range cap(outcomes) {
		if err := <-outcomes; !errors.Is(err, mp.ErrBroken) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBarrierBreaks(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(3))(t)
		passes := func(what string) {
			t.Helper()
			others := waitingAt(ctx, b, 2)
			if _, err := b.Wait(ctx); err != nil {
				t.Error(what, err)
			}
			for range 2 {
				if err := <-others; err != nil {
					t.Error(what, err)
				}
			}
		}
		others := waitingAt(ctx, b, 2)
		b.Abort()
		allBroken(t, "Abort", others)
		if !b.Broken() || b.Waiting() != 0 || !errors.Is(testkit.ErrorOf(b.Wait(ctx)), mp.ErrBroken) {
			t.Error("it does not stay broken")
		}
		b.Reset()
		passes("after Abort and Reset")

		others = waitingAt(ctx, b, 2)
		b.Reset()
		allBroken(t, "Reset", others)
		passes("after Reset")

		others = waitingAt(ctx, b, 1)
		if _, err := b.Wait(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		allBroken(t, "a ctx that ended", others)
		b.Reset()
		b.Reset() // of a new one
		if _, err := b.Wait(testkit.Cancelled()); !errors.Is(err, context.Canceled) || b.Broken() {
			t.Error("a ctx that was done at entry:", err)
		}
		passes("at last")
	})
}

func TestBarrierActionsThatFail(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(2))(t)
		failed := errors.New("failed")
		for name, action := range map[string]func() error{
			"an error": func() error { return failed },
			"a panic":  func() error { panic("inside") },
			"an end":   func() error { runtime.Goexit(); return nil },
			"an Abort": func() error { return b.Abort() },
		} {
			other := waitingAt(ctx, b, 1)
			testkit.Each(1, func(int) {
				defer func() { recover() }()
				_, err := b.WaitDo(ctx, action)
				if name == "an error" && err != failed || name == "an Abort" && !errors.Is(err, mp.ErrBroken) {
					t.Error(name, err)
				}
			})
			allBroken(t, name, other)
			if !b.Broken() {
				t.Error(name)
			}
			b.Reset()
		}
	})
}

// Those beyond the parties wait for the next round, also while the action runs.
func TestBarrierMoreThanParties(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(2))(t)
		beyond := make(chan error, 2)
		other := waitingAt(ctx, b, 1)
		_, err := b.WaitDo(ctx, func() error {
			if b.Waiting() != 2 || b.Broken() {
				t.Error(b.Waiting(), b.Broken())
			}
			if _, err := b.Wait(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) || b.Broken() {
				t.Error("a party that had not come yet breaks nothing:", err, b.Broken())
			}
			for range 2 {
				go func() {
					_, err := b.Wait(ctx)
					beyond <- err
				}()
			}
			return nil
		})
		for _, err := range []error{err, <-other, <-beyond, <-beyond} {
			if err != nil {
				t.Error(err)
			}
		}
		var through atomic.Int32
		testkit.Each(20, func(int) {
			if _, err := b.Wait(ctx); err == nil {
				through.Add(1)
			}
		})
		if through.Load() != 20 {
			t.Error(through.Load())
		}
	})
}
