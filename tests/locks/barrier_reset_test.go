//go:build linux

package locks_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// A party that a Reset throws out, and that comes again at once, is in the new round.
func TestBarrierResetLetsThoseComeAgain(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(3))(t)
		for i := range 200 {
			outcomes := make(chan error, 2)
			for range 2 {
				go func() {
					_, err := b.Wait(ctx)
					if !errors.Is(err, mp.ErrBroken) {
						outcomes <- errors.Join(errors.New("not thrown out"), err)
						return
					}
					_, err = b.Wait(ctx)
					outcomes <- err
				}()
			}
			for b.Waiting() != 2 {
				runtime.Gosched()
			}
			if err := b.Reset(); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Wait(ctx); err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			for range 2 {
				if err := <-outcomes; err != nil {
					t.Fatalf("round %d: one who came again: %v", i, err)
				}
			}
		}
	})
}

// A round that is reset while its last party acts is broken, and the next one is not.
func TestBarrierResetDuringTheAction(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(2))(t)
		for range 100 {
			others := waitingAt(ctx, b, 1)
			_, err := b.WaitDo(ctx, func() error { return b.Reset() })
			if !errors.Is(err, mp.ErrBroken) || b.Broken() {
				t.Fatal(err, b.Broken())
			}
			allBroken(t, "the other", others)
			others = waitingAt(ctx, b, 1)
			if _, err := b.Wait(ctx); err != nil {
				t.Fatal(err)
			}
			if err := <-others; err != nil {
				t.Fatal(err)
			}
		}
	})
}
