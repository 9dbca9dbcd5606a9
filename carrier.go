package mp

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/key"
)

// The functions of this file are the doors by which packages of this module, such as
// thread, build the types of this package on carriers of their own. Nobody else has the
// key: a program makes these types with the constructors of mp or of those packages.

// CarryQueue is for packages of this module: it makes a Queue of what holds its items.
func CarryQueue[T any](_ key.Key, c carrier.Queue[T]) *Queue[T] { return &Queue[T]{carrier: c} }

// CarryConn is for packages of this module: it makes an end of a pipe.
func CarryConn[T any](_ key.Key, c carrier.Conn[T]) *Conn[T] { return &Conn[T]{carrier: c} }

// CarryLock is for packages of this module: it makes a Lock.
func CarryLock(_ key.Key, c carrier.Lock) *Lock { return &Lock{carrier: c} }

// CarryRLock is for packages of this module: it makes an RLock of what a Lock is made of.
func CarryRLock(_ key.Key, c carrier.Lock) *RLock { return &RLock{carrier: c} }

// CarrySemaphore is for packages of this module: it makes a Semaphore.
func CarrySemaphore(_ key.Key, c carrier.Semaphore) *Semaphore { return &Semaphore{carrier: c} }

// CarryEvent is for packages of this module: it makes an Event.
func CarryEvent(_ key.Key, c carrier.Event) *Event { return &Event{carrier: c} }

// CarryBarrier is for packages of this module: it makes a Barrier.
func CarryBarrier(_ key.Key, c carrier.Barrier) *Barrier { return &Barrier{carrier: c} }

// CarryValue is for packages of this module: it makes a Value of v. carry makes what holds
// its words, which it is given. The error is that of a T that cannot be shared.
func CarryValue[T any, C carrier.Value](_ key.Key, v T, carry func(words []uint64) C) (*Value[T], error) {
	return carryValue(v, carry)
}

// CarryCounter is for packages of this module: it makes a Counter.
func CarryCounter(_ key.Key, c carrier.Counter) *Counter { return &Counter{word: c.Word(), carrier: c} }

// CarryArray is for packages of this module: it makes an Array of n elements in memory
// of this process only. The error is that of NewArray for n and T.
func CarryArray[T any](_ key.Key, n int) (*Array[T], error) { return carryArray[T](n) }

// CarryPool is for packages of this module: it makes a Pool of goroutines.
func CarryPool(_ key.Key, cfg PoolConfig) (*Pool, error) { return carryPool(cfg) }

// CarryFunc is for packages of this module: it makes a Func that only this process knows.
func CarryFunc[In, Out any](_ key.Key, fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	return closure(fn)
}
