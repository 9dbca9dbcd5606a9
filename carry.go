package mp

import (
	"context"
	"reflect"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/key"
)

func init() {
	hooks.Lock = func(c carrier.Lock) any { return &Lock{carrier: c} }
	hooks.RLock = func(c carrier.RLock) any { return &RLock{carrier: c} }
	hooks.Semaphore = func(c carrier.Semaphore) any { return &Semaphore{carrier: c} }
	hooks.Event = func(c carrier.Event) any { return &Event{carrier: c} }
	hooks.Barrier = func(c carrier.Barrier) any { return &Barrier{carrier: c} }
	hooks.Counter = func(c carrier.Counter) any { return &Counter{word: c.Word(), carrier: c} }
	hooks.GoroutinePool = func(cfg any) (any, error) { return carryPool(cfg.(PoolConfig)) }
}

// CarryQueue and the other functions whose names begin with Carry are for the packages of this
// module, such as thread, which make the types of this package in their own way. A program cannot
// call them: it has no key. It makes these types with the constructors of mp and of those packages.
//
// CarryQueue makes a Queue of what holds its items.
func CarryQueue[T any](_ key.Key, c carrier.Queue[T]) *Queue[T] { return &Queue[T]{carrier: c} }

// CarryConn makes an end of a pipe: see CarryQueue.
func CarryConn[T any](_ key.Key, c carrier.Conn[T]) *Conn[T] { return &Conn[T]{carrier: c} }

// CarryValue makes a Value of v: see CarryQueue. carry makes what holds its words, which it is
// given. The error is carry's, or that of a T that cannot be shared.
func CarryValue[T any](_ key.Key, v T, carry func(words []uint64) (carrier.Value, error)) (*Value[T], error) {
	return carryValue(v, carry)
}

// CarryArray makes an Array of n elements: see CarryQueue. carry makes what holds them, and is given
// how many they are and their bytes. The error is carry's, or that of NewArray for n and T.
func CarryArray[T any](_ key.Key, n int, carry func(n, size int) (carrier.Array[T], error)) (*Array[T], error) {
	return carryArray(n, carry)
}

// CarryFunc makes a Func that only this process knows: see CarryQueue.
func CarryFunc[In, Out any](_ key.Key, fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	return closure(fn)
}

// closure makes a Func that only this process knows.
func closure[In, Out any](fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	if fn == nil {
		panic("mp: thread.Func: the function is nil")
	}
	name := "func"
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		name = f.Name()
	}
	f := newFunc(name, fn)
	f.only = true
	return f
}
