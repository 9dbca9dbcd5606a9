package thread_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// baggage is what cannot go to another process.
type baggage struct {
	Lock      *mp.Lock
	RLock     *mp.RLock
	Semaphore *mp.Semaphore
	Condition *mp.Condition
	Event     *mp.Event
	Barrier   *mp.Barrier
	Value     *mp.Value[int]
	Counter   *mp.Counter
	Array     *mp.Array[int]
	Pipe      *mp.Conn[int]
}

var carryBaggage = mp.Register("thread/baggage", func(context.Context, baggage) (mp.None, error) { return mp.None{}, nil })

// Objects of package thread belong to their process: passing one is an error before another process is started.
func TestWhatDoesNotTravel(t *testing.T) {
	t.Parallel()
	pipe, other := ends[int]()
	for what, in := range map[string]baggage{
		"Lock":      {Lock: must(thread.NewLock())},
		"RLock":     {RLock: must(thread.NewRLock())},
		"Semaphore": {Semaphore: must(thread.NewSemaphore(1))},
		"Condition": {Condition: must(thread.NewCondition(nil))},
		"Event":     {Event: must(thread.NewEvent())},
		"Barrier":   {Barrier: must(thread.NewBarrier(1))},
		"Value":     {Value: must(thread.NewValue(1))},
		"Counter":   {Counter: must(thread.NewCounter(1))},
		"Array":     {Array: must(thread.NewArray[int](1))},
		"Pipe":      {Pipe: pipe},
	} {
		want := "in." + what + ": a " + what + " of package thread belongs to its process: use mp.New" + what
		p, err := mp.Start(t.Context(), carryBaggage, in)
		if err == nil {
			t.Error(what, "has left", p.Join(t.Context()))
		} else if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := pipe.Send(t.Context(), 1); err != nil || must(other.Recv(t.Context())) != 1 {
		t.Error("the end that did not leave:", err)
	}
}

// What was made outside of a bubble can be waited for in one, in the next and outside.
func TestLocksOutliveBubbles(t *testing.T) {
	t.Parallel()
	l, s, c := must(thread.NewLock()), must(thread.NewSemaphore(0)), must(thread.NewCondition(nil))
	e, b := must(thread.NewEvent()), must(thread.NewBarrier(2))
	here, there := ends[int]()
	use := func(t *testing.T) {
		h := must(l.Acquire(t.Context()))
		done := make(chan error, 6)
		go func() { h, err := l.Acquire(t.Context()); h.Release(); done <- err }()
		go func() { done <- failure(s.Acquire(t.Context())) }()
		waits := make(chan struct{})
		go func() {
			h := must(c.Acquire(t.Context()))
			close(waits)
			h, err := c.Wait(t.Context(), h)
			h.Release()
			done <- err
		}()
		go func() { done <- e.Wait(t.Context()) }()
		go func() { done <- failure(b.Wait(t.Context())) }()
		go func() { done <- failure(there.Recv(t.Context())) }()
		<-waits
		notify(t, c, 1)
		h.Release()
		s.Release(1)
		e.Set()
		must(b.Wait(t.Context()))
		here.Send(t.Context(), 1)
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		e.Clear()
	}
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			use(t)
			time.Sleep(time.Second)
		})
		use(t)
	}
}
