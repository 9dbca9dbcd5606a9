//go:build linux

package mp_test

import (
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// carrier is what the types that processes and goroutines both have are built on. What a
// test says of a carrier holds for each: a program moves from one to the other.
type carrier struct {
	goroutines bool
	remote     bool // see remote_test.go

	lock             func() (*mp.Lock, error)
	rlock            func() (*mp.RLock, error)
	semaphore        func(int) (*mp.Semaphore, error)
	boundedSemaphore func(int) (*mp.Semaphore, error)
	condition        func(*mp.Lock) (*mp.Condition, error)
	event            func() (*mp.Event, error)
	barrier          func(int) (*mp.Barrier, error)
	counter          func(int64) (*mp.Counter, error)
}

var carriers = map[string]carrier{
	"processes": {
		false, false, mp.NewLock, mp.NewRLock, mp.NewSemaphore, mp.NewBoundedSemaphore, mp.NewCondition, mp.NewEvent,
		mp.NewBarrier, mp.NewCounter,
	},
	"goroutines": {
		true, false, thread.NewLock, thread.NewRLock, thread.NewSemaphore, thread.NewBoundedSemaphore, thread.NewCondition, thread.NewEvent,
		thread.NewBarrier, thread.NewCounter,
	},
}

// remoteCarrier is behind a pipe of bytes.
var remoteCarrier = carrier{
	remote:           true,
	lock:             func() (*mp.Lock, error) { return theRemote().newLock() },
	semaphore:        func(n int) (*mp.Semaphore, error) { return theRemote().newSemaphore(n, false) },
	boundedSemaphore: func(n int) (*mp.Semaphore, error) { return theRemote().newSemaphore(n, true) },
	event:            func() (*mp.Event, error) { return theRemote().newEvent() },
}

// onCarriers runs a test on each of them.
func onCarriers(t *testing.T, test func(t *testing.T, c carrier)) {
	t.Helper()
	t.Parallel()
	for name, c := range carriers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
	if remotely(t) {
		t.Run("a byte pipe", func(t *testing.T) {
			t.Parallel()
			test(t, remoteCarrier)
		})
	}
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

// pipeOn is a pipe on a carrier, closed at the end.
func pipeOn[T any](t testing.TB, c carrier) (a, b *mp.Conn[T]) {
	t.Helper()
	a, b = unclosedPipeOn[T](t, c)
	return closedConns(t, a, b, nil)
}

func unclosedPipeOn[T any](t testing.TB, c carrier) (a, b *mp.Conn[T]) {
	t.Helper()
	a, b, err := mp.NewPipe[T]()
	if c.goroutines {
		a, b, err = thread.NewPipe[T]()
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func oneWayPipeOn[T any](t testing.TB, c carrier) (r, w *mp.Conn[T]) {
	t.Helper()
	r, w, err := mp.NewOneWayPipe[T]()
	if c.goroutines {
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

func valueOn[T any](c carrier, v T) (*mp.Value[T], error) {
	switch {
	case c.goroutines:
		return thread.NewValue(v)
	case c.remote:
		return newRemoteValue(v)
	}
	return mp.NewValue(v)
}

func arrayOn[T any](c carrier, n int) (*mp.Array[T], error) {
	if c.goroutines {
		return thread.NewArray[T](n)
	}
	return mp.NewArray[T](n)
}

// locksOn has one of each.
func locksOn(t testing.TB, c carrier) locksParcel {
	t.Helper()
	return locksParcel{
		Lock: must1(c.lock())(t), RLock: map[string]*mp.RLock{"r": must1(c.rlock())(t)},
		Semaphore: []*mp.Semaphore{must1(c.semaphore(1))(t), must1(c.boundedSemaphore(1))(t)},
		Condition: must1(c.condition(nil))(t), Event: must1(c.event())(t), Barrier: must1(c.barrier(2))(t),
	}
}

// each runs f in n goroutines, and waits for them.
func each(n int, f func(i int)) {
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
