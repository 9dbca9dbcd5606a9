//go:build linux

package locks_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// A store with room for one item, whose two Conditions have the same Lock: no wake-up is lost,
// though waits end all the time and only one waiter is notified.
func TestConditionsOfOneLock(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l := testkit.Must(c.Lock())(t)
		filled, taken := testkit.Must(c.Condition(l))(t), testkit.Must(c.Condition(l))(t)
		items := 0
		// change waits until there is that number of items, has it be the other number, and tells one.
		change := func(wait context.Context, from int, mine, others *mp.Condition) error {
			h := testkit.Must(l.Acquire(ctx))(t)
			h, err := mine.WaitFor(wait, h, func() bool { return items == from })
			if err != nil {
				return err
			}
			items = 1 - from
			return errors.Join(others.Notify(h, 1), h.Release())
		}
		testkit.Each(8, func(i int) {
			from, mine, others := 0, taken, filled
			if i%2 == 1 {
				from, mine, others = 1, filled, taken
			}
			for n := range 200 {
				err := context.DeadlineExceeded
				for try := 0; i < 4 && try < 5 && err != nil; try++ { // half of them are impatient
					wait, cancel := context.WithTimeout(ctx, time.Duration((n*7+i*13)%60)*time.Microsecond)
					err = change(wait, from, mine, others)
					cancel()
				}
				if err != nil {
					err = change(ctx, from, mine, others)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		if items != 0 || l.Locked() {
			t.Error(items, l.Locked())
		}
	})
}

// Parties whose ctx ends break the barrier for the others of their round, and a round has
// either all parties or none.
func TestBarrierWhosePartiesGiveUp(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		const parties = 3
		b := testkit.Must(c.Barrier(parties))(t)
		var through atomic.Int64
		testkit.Each(2*parties-1, func(i int) {
			for n := range 200 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(50+(n*31+i*17)%300)*time.Microsecond)
				_, err := b.WaitDo(ctx, func() error { return nil })
				cancel()
				switch {
				case err == nil:
					through.Add(1)
				case errors.Is(err, mp.ErrBroken):
					b.Reset()
				case !errors.Is(err, context.DeadlineExceeded):
					t.Error(err)
				}
			}
		})
		if n := through.Load(); n%parties != 0 {
			t.Errorf("%d went through, %d at a time", n, parties)
		}
	})
}
