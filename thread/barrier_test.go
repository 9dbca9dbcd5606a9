package thread_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func TestBarrierPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := must(thread.NewBarrier(4))
		places := make(chan int, 4)
		actions := 0
		for round := range 3 {
			for i := range 4 {
				if b.Waiting() != i {
					t.Errorf("%d wait, not %d", b.Waiting(), i)
				}
				go func() { places <- must(b.WaitDo(t.Context(), func() error { actions++; return nil })) }()
				synctest.Wait()
			}
			var got []int
			for range 4 {
				got = append(got, <-places)
			}
			if slices.Sort(got); !slices.Equal(got, []int{0, 1, 2, 3}) || actions != round+1 {
				t.Error(got, actions)
			}
		}
		if b.Waiting() != 0 || b.Broken() || b.Parties() != 4 {
			t.Error(b.Waiting(), b.Broken(), b.Parties())
		}
	})
}

func TestBarrierBreaksWithACtx(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := must(thread.NewBarrier(3))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		impatient, patient := make(chan error), make(chan error)
		go func() { impatient <- failure(b.Wait(ctx)) }()
		go func() { patient <- failure(b.Wait(t.Context())) }()
		began := time.Now()
		if err := <-impatient; !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Error(err, time.Since(began))
		}
		if err := <-patient; !errors.Is(err, mp.ErrBroken) || !b.Broken() || b.Waiting() != 0 {
			t.Error(err)
		}
		if err := failure(b.Wait(t.Context())); !errors.Is(err, mp.ErrBroken) {
			t.Error(err)
		}
		b.Reset()
		if err := failure(b.Wait(ctx)); !errors.Is(err, context.DeadlineExceeded) || b.Broken() {
			t.Error("a ctx that was done at entry:", err)
		}
	})
}

// If the barrier breaks while the action runs, WaitDo says so after it. Who has come
// beyond the parties has not arrived.
func TestBarrierBreaksDuringTheAction(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*mp.Barrier, context.CancelFunc){
		"Abort": func(b *mp.Barrier, _ context.CancelFunc) { b.Abort() },
		"Reset": func(b *mp.Barrier, _ context.CancelFunc) { b.Reset() },
		"a ctx": func(_ *mp.Barrier, cancel context.CancelFunc) { cancel() },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := must(thread.NewBarrier(2))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			other, beyond := make(chan error, 1), make(chan error, 1)
			go func() { other <- failure(b.Wait(ctx)) }()
			synctest.Wait()
			acted := false
			_, err := b.WaitDo(t.Context(), func() error {
				if b.Waiting() != 2 || b.Broken() {
					t.Error(name, b.Waiting(), b.Broken())
				}
				go func() { beyond <- failure(b.Wait(t.Context())) }()
				synctest.Wait()
				breaks(b, cancel)
				synctest.Wait()
				acted = true
				return nil
			})
			if !errors.Is(err, mp.ErrBroken) || !acted {
				t.Error(name, err, acted)
			}
			if err := <-other; name == "a ctx" && !errors.Is(err, context.Canceled) || name != "a ctx" && !errors.Is(err, mp.ErrBroken) {
				t.Error(name, err)
			}
			if name == "Reset" {
				if _, err := b.Wait(t.Context()); err != nil {
					t.Error("who was beyond belongs to the new round:", err)
				}
			}
			if err := <-beyond; name == "Reset" && err != nil || name != "Reset" && !errors.Is(err, mp.ErrBroken) {
				t.Error(name, err)
			}
		})
	}
}

func TestBarrierRefuses(t *testing.T) {
	t.Parallel()
	for _, parties := range []int{0, -1, 1<<20 + 1} {
		if err := failure(thread.NewBarrier(parties)); !errors.Is(err, fs.ErrInvalid) {
			t.Error(parties, err)
		}
	}
}
