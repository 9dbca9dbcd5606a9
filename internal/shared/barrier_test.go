//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["rounds"] = func(files []*os.File, args []string) { // goes through so many rounds
		b := openBarrier(files[0])
		for range atoi(args[0]) {
			_, err := b.Wait(context.Background(), nil)
			must(err)
		}
	}
	roles["act"] = func(files []*os.File, _ []string) { // says so inside of the action, and stays
		b := openBarrier(files[0])
		e, err := shared.OpenEvent(files[1])
		must(err)
		b.Wait(context.Background(), func() error { e.Set(); forever(); return nil })
	}
}

func openBarrier(f *os.File) *shared.Barrier {
	b, err := shared.OpenBarrier(f)
	must(err)
	blindIfAsked()
	return b
}

func newBarrier(t *testing.T, parties int) *shared.Barrier {
	t.Helper()
	b, err := shared.NewBarrier(parties)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// crowd has n goroutines wait, and returns what became of them.
func crowd(b *shared.Barrier, ctx context.Context, n int, action func() error) (places []int, errs []error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range n {
		wait.Go(func() {
			place, err := b.Wait(ctx, action)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			places = append(places, place)
		})
	}
	wait.Wait()
	slices.Sort(places)
	return places, errs
}

func TestBarrierRounds(t *testing.T) {
	t.Parallel()
	b := newBarrier(t, 4)
	const rounds = 1000
	a := play(t, "rounds", []*os.File{b.File()}, "1000")
	var actions atomic.Int32
	for range rounds {
		places, errs := crowd(b, soon(t), 3, func() error { actions.Add(1); return nil })
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for i := range places {
			if places[i] < i || places[i] > i+1 || i > 0 && places[i] == places[i-1] {
				t.Fatalf("the places are %v", places)
			}
		}
	}
	a.ended()
	if n := actions.Load(); n > rounds || b.Waiting() != 0 || b.Broken() {
		t.Errorf("%d actions, %d wait", n, b.Waiting())
	}
	one := newBarrier(t, 1)
	for range 10 {
		if place, err := one.Wait(soon(t), nil); place != 0 || err != nil {
			t.Error(place, err)
		}
	}
	if _, err := shared.NewBarrier(0); err == nil {
		t.Error("a barrier for nobody")
	}
}

func TestBarrierMoreThanParties(t *testing.T) {
	t.Parallel()
	b := newBarrier(t, 3)
	places, errs := crowd(b, soon(t), 30, nil)
	if len(errs) > 0 || len(places) != 30 {
		t.Fatal(places, errs)
	}
	for i := range places {
		if places[i] != i/10 {
			t.Fatalf("the places are %v", places)
		}
	}
}

func TestBarrierBreaks(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for name, breaks := range map[string]func(b *shared.Barrier) (own error){
		"abort": func(b *shared.Barrier) error { b.Abort(); return nil },
		"ctx": func(b *shared.Barrier) error {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if _, err := b.Wait(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		},
		"action": func(b *shared.Barrier) error {
			go b.Wait(context.Background(), nil)
			for b.Waiting() < 3 {
				time.Sleep(time.Millisecond)
			}
			if _, err := b.Wait(context.Background(), func() error { return failed }); !errors.Is(err, failed) {
				return err
			}
			return nil
		},
		"panic": func(b *shared.Barrier) (err error) {
			go b.Wait(context.Background(), nil)
			for b.Waiting() < 3 {
				time.Sleep(time.Millisecond)
			}
			defer func() { recover() }()
			b.Wait(context.Background(), func() error { panic("at the barrier") })
			return errors.New("no panic")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBarrier(t, 4)
			done := make(chan []error)
			go func() {
				_, errs := crowd(b, soon(t), 2, nil)
				done <- errs
			}()
			for b.Waiting() < 2 {
				time.Sleep(time.Millisecond)
			}
			if err := breaks(b); err != nil {
				t.Error(err)
			}
			for _, err := range <-done {
				if !errors.Is(err, carrier.ErrBarrierBroken) {
					t.Error(err)
				}
			}
			if _, err := b.Wait(soon(t), nil); !errors.Is(err, carrier.ErrBarrierBroken) || !b.Broken() || b.Waiting() != 0 {
				t.Error("later:", err)
			}
			b.Reset()
			if places, errs := crowd(b, soon(t), 4, nil); len(places) != 4 || b.Broken() {
				t.Error("after Reset:", places, errs)
			}
		})
	}
}

// Reset frees those who wait with an error, each of them, however late it looks.
func TestBarrierResetAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := newBarrier(t, 2)
	for range 300 {
		done := make(chan error)
		go func() {
			_, err := b.Wait(soon(t), nil)
			done <- err
		}()
		for b.Waiting() < 1 {
			time.Sleep(10 * time.Microsecond)
		}
		b.Reset()
		if places, errs := crowd(b, soon(t), 2, nil); len(errs) > 0 || len(places) != 2 {
			t.Fatal(errs)
		}
		if err := <-done; !errors.Is(err, carrier.ErrBarrierBroken) {
			t.Fatalf("freed by Reset: %v", err)
		}
	}
}

func TestBarrierBreaksWhenAPartyDies(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(*child){"its parent says so": (*child).kill, "nobody says so": (*child).killUnnoticed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBarrier(t, 3)
			c := play(t, "rounds", []*os.File{b.File()}, "1")
			for b.Waiting() < 1 {
				time.Sleep(time.Millisecond)
			}
			first := c
			go func() {
				time.Sleep(10 * time.Millisecond)
				kill(first)
			}()
			if _, err := b.Wait(soon(t), nil); !errors.Is(err, carrier.ErrBarrierBroken) {
				t.Error(err)
			}
			b.Reset()
			c = play(t, "rounds", []*os.File{b.File()}, "1") // dies before the others come
			for b.Waiting() < 1 {
				time.Sleep(time.Millisecond)
			}
			kill(c)
			if _, errs := crowd(b, soon(t), 2, nil); len(errs) != 2 {
				t.Error("the dead has come through the barrier:", errs)
			}
			b.Reset()
			e := newEvent(t)
			done := make(chan []error)
			go func() { _, errs := crowd(b, soon(t), 2, nil); done <- errs }()
			for b.Waiting() < 2 {
				time.Sleep(time.Millisecond)
			}
			c = play(t, "act", []*os.File{b.File(), e.File()}) // dies inside of the action
			must(e.Wait(soon(t)))
			kill(c)
			if errs := <-done; len(errs) != 2 {
				t.Error("gone on without the action:", errs)
			}
		})
	}
}
