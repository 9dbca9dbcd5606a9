package mp

import (
	"context"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/key"
)

// The functions of this file are the doors by which packages of this module, such as
// thread, build the types of this package on carriers of their own. Nobody else has the
// key: a program makes these types with the constructors of mp or of those packages.

// CarryQueue is for packages of this module: it makes a Queue of what holds its items.
func CarryQueue[T any](_ key.Key, c queueCarrier[T]) *Queue[T] { return &Queue[T]{carrier: c} }

// QueueErrors is for packages of this module: they are what a queue says when it is closed,
// and of a TaskDone too many.
func QueueErrors(_ key.Key) (closed, notGot error) { return errQueueClosed, errQueueNotGot }

// CarryConn is for packages of this module: it makes an end of a pipe.
func CarryConn[T any](_ key.Key, c connCarrier[T]) *Conn[T] { return &Conn[T]{carrier: c} }

// CarryLock is for packages of this module: it makes a Lock.
func CarryLock(_ key.Key, c lockCarrier) *Lock { return &Lock{carrier: c} }

// LockCarrier is for packages of this module: it is what a Lock was made of, nil for one
// that was not made.
func LockCarrier(_ key.Key, l *Lock) any {
	if !l.made() {
		return nil
	}
	return l.carrier
}

// RLockCarrier is LockCarrier for an RLock.
func RLockCarrier(_ key.Key, l *RLock) any {
	if !l.made() {
		return nil
	}
	return l.carrier
}

// CarryRLockCondition is for packages of this module: it makes a Condition of an RLock.
func CarryRLockCondition(_ key.Key, l *RLock, c conditionCarrier) *Condition {
	return &Condition{carrier: c, lock: &Lock{carrier: l.carrier}}
}

// CarryRLock is for packages of this module: it makes an RLock of what a Lock is made of.
func CarryRLock(_ key.Key, c lockCarrier) *RLock { return &RLock{carrier: c} }

// CarrySemaphore is for packages of this module: it makes a Semaphore.
func CarrySemaphore(_ key.Key, c semaphoreCarrier) *Semaphore { return &Semaphore{carrier: c} }

// CarryCondition is for packages of this module: it makes a Condition of a Lock.
func CarryCondition(_ key.Key, l *Lock, c conditionCarrier) *Condition {
	return &Condition{carrier: c, lock: &Lock{carrier: l.carrier}}
}

// CarryEvent is for packages of this module: it makes an Event.
func CarryEvent(_ key.Key, c eventCarrier) *Event { return &Event{carrier: c} }

// CarryBarrier is for packages of this module: it makes a Barrier.
func CarryBarrier(_ key.Key, c barrierCarrier) *Barrier { return &Barrier{carrier: c} }

// CarryValue is for packages of this module: it makes a Value of v. carry makes what holds
// its words, which it is given. The error is that of a T that cannot be shared.
func CarryValue[T any, C valueCarrier](_ key.Key, v T, carry func(words []uint64) C) (*Value[T], error) {
	return carryValue(v, carry)
}

// CarryCounter is for packages of this module: it makes a Counter.
func CarryCounter(_ key.Key, word *atomic.Uint64) *Counter { return &Counter{word: word} }

// CarryArray is for packages of this module: it makes an Array of n elements in memory
// of this process only. The error is that of NewArray for n and T.
func CarryArray[T any](_ key.Key, n int) (*Array[T], error) { return carryArray[T](n) }

// CarryPool is for packages of this module: it makes a Pool of goroutines.
func CarryPool(_ key.Key, cfg PoolConfig) (*Pool, error) { return carryPool(cfg) }

// CarryFunc is for packages of this module: it makes a Func that only this process knows.
func CarryFunc[In, Out any](_ key.Key, fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	return closure(fn)
}
