//go:build linux

package testkit

import (
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/thread"
)

// Carrier is what the types that processes and goroutines both have are built on. What a
// test says of a carrier holds for each: a program moves from one to the other.
type Carrier struct {
	Goroutines bool
	remote     bool                  // see remote.go
	hosted     func() *hosted.Client // see hosted.go

	Lock             func() (*mp.Lock, error)
	Rlock            func() (*mp.RLock, error)
	Semaphore        func(int) (*mp.Semaphore, error)
	BoundedSemaphore func(int) (*mp.Semaphore, error)
	Condition        func(*mp.Lock) (*mp.Condition, error)
	Event            func() (*mp.Event, error)
	Barrier          func(int) (*mp.Barrier, error)
	Counter          func(int64) (*mp.Counter, error)
}

var Carriers = map[string]Carrier{
	"processes": {
		false, false, nil, mp.NewLock, mp.NewRLock, mp.NewSemaphore, mp.NewBoundedSemaphore, mp.NewCondition, mp.NewEvent,
		mp.NewBarrier, mp.NewCounter,
	},
	"goroutines": {
		true, false, nil, thread.NewLock, thread.NewRLock, thread.NewSemaphore, thread.NewBoundedSemaphore, thread.NewCondition, thread.NewEvent,
		thread.NewBarrier, thread.NewCounter,
	},
}

// remoteCarrier is behind a pipe of bytes.
var remoteCarrier = Carrier{
	remote:           true,
	Lock:             func() (*mp.Lock, error) { return TheRemote().NewLock() },
	Semaphore:        func(n int) (*mp.Semaphore, error) { return TheRemote().NewSemaphore(n, false) },
	BoundedSemaphore: func(n int) (*mp.Semaphore, error) { return TheRemote().NewSemaphore(n, true) },
	Event:            func() (*mp.Event, error) { return TheRemote().NewEvent() },
}

// OnCarriers runs a test on each of them.
func OnCarriers(t *testing.T, test func(t *testing.T, c Carrier)) {
	t.Helper()
	t.Parallel()
	for name, c := range Carriers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
	if onServers(t) {
		for name, client := range hostedClients {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, hostedCarrier(client))
			})
		}
	}
	if remotely(t) {
		t.Run("a byte pipe", func(t *testing.T) {
			t.Parallel()
			test(t, remoteCarrier)
		})
	}
}

// onServers says whether a test is of those for servers, which have no pipes, counters and arrays.
func onServers(t *testing.T) bool {
	for _, prefix := range []string{"TestLock", "TestRLock", "TestSemaphore", "TestCondition", "TestEvent", "TestBarrier", "TestHold", "TestValue"} {
		if strings.HasPrefix(t.Name(), prefix) {
			return true
		}
	}
	return false
}

// remotely says whether a test is of those for the carrier behind a byte pipe, which has a part of what there is.
func remotely(t *testing.T) bool {
	for _, prefix := range []string{"TestLock", "TestSemaphore", "TestEvent", "TestValue"} {
		if strings.HasPrefix(t.Name(), prefix) && !strings.HasPrefix(t.Name(), "TestLocks") {
			return true
		}
	}
	return false
}

// PipeOn is a pipe on a carrier, closed at the end.
func PipeOn[T any](t testing.TB, c Carrier) (a, b *mp.Conn[T]) {
	t.Helper()
	a, b = UnclosedPipeOn[T](t, c)
	return closedConns(t, a, b, nil)
}

func UnclosedPipeOn[T any](t testing.TB, c Carrier) (a, b *mp.Conn[T]) {
	t.Helper()
	a, b, err := mp.NewPipe[T]()
	if c.Goroutines {
		a, b, err = thread.NewPipe[T]()
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func OneWayPipeOn[T any](t testing.TB, c Carrier) (r, w *mp.Conn[T]) {
	t.Helper()
	r, w, err := mp.NewOneWayPipe[T]()
	if c.Goroutines {
		r, w, err = thread.NewOneWayPipe[T]()
	}
	return closedConns(t, r, w, err)
}

func closedConns[T any](t testing.TB, a, b *mp.Conn[T], err error) (_, _ *mp.Conn[T]) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

func ValueOn[T any](c Carrier, v T) (*mp.Value[T], error) {
	switch {
	case c.Goroutines:
		return thread.NewValue(v)
	case c.remote:
		return NewRemoteValue(v)
	case c.hosted != nil:
		return NewHostedValue(c.hosted(), v)
	}
	return mp.NewValue(v)
}

func ArrayOn[T any](c Carrier, n int) (*mp.Array[T], error) {
	if c.Goroutines {
		return thread.NewArray[T](n)
	}
	return mp.NewArray[T](n)
}

// LocksOn has one of each.
func LocksOn(t testing.TB, c Carrier) LocksParcel {
	t.Helper()
	return LocksParcel{
		Lock: Must(c.Lock())(t), RLock: map[string]*mp.RLock{"r": Must(c.Rlock())(t)},
		Semaphore: []*mp.Semaphore{Must(c.Semaphore(1))(t), Must(c.BoundedSemaphore(1))(t)},
		Condition: Must(c.Condition(nil))(t), Event: Must(c.Event())(t), Barrier: Must(c.Barrier(2))(t),
	}
}

// Each runs f in n goroutines, and waits for them.
func Each(n int, f func(i int)) {
	done := make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			f(i)
		}()
	}
	for range n {
		<-done
	}
}

// TooMany is what is said of bytes that no machine has.
func (c Carrier) TooMany() string {
	if c.Goroutines {
		return "elements of 1 bytes: "
	}
	return "bytes of shared memory"
}
