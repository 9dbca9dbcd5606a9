package mp

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
)

// shareable is an object that is not copied when it travels: the other process has
// the same one. Queues, pipe ends, locks, shared values and memories are.
type shareable interface {
	// share writes what the other process needs to have the object, as carrier.Object's Share
	// does. The handle is not nil.
	share(b *codec.Buffer) error
	// adopt makes a new handle one of the object that share wrote, behind its kind.
	adopt(k carrier.Kind, r *codec.Reader) error
}

// moving is a shareable that leaves this process when it travels: its attachments have
// Settled. A pipe's end is one.
type moving interface {
	shareable
	moves()
}

func init() {
	codec.Hook(reflect.TypeFor[shareable](), encodeShared, decodeShared)
	codec.RegisterMoving(reflect.TypeFor[moving]())
}

func encodeShared(b *codec.Buffer, v reflect.Value) error {
	if v.IsNil() {
		b.Byte(0)
		return nil
	}
	return v.Interface().(shareable).share(b)
}

func decodeShared(r *codec.Reader, v reflect.Value) error {
	k := carrier.Kind(r.Byte())
	if err := r.Err(); err != nil {
		return err
	}
	if k == 0 {
		v.SetZero()
		return nil
	}
	handle := reflect.New(v.Type().Elem())
	if err := handle.Interface().(shareable).adopt(k, r); err != nil {
		return err
	}
	if h, is := handle.Interface().(listable); is {
		h.list()
	}
	v.Set(handle)
	return r.Err()
}

// shareCarrier has the carrier of a handle write what another process needs. It is nil if the handle was
// not made.
func shareCarrier(b *codec.Buffer, what string, c carrier.Object, closed *atomic.Bool) error {
	if c == nil {
		return fmt.Errorf("a %s that was not made by New%s", what, what)
	}
	if closed.Load() {
		return errOf(what, c, closed)
	}
	return c.Share(b)
}

// adoptCarrier opens the carrier of a new handle.
func adoptCarrier[C carrier.Object](of *C, k carrier.Kind, r *codec.Reader) error {
	c, err := carrier.Open[C](k, r)
	if err == nil {
		*of = c
	}
	return err
}

// notMade is the error of a handle that is nil or zero. Methods that return no error panic
// with it; those are small enough to be inlined only if this is not.
//
//go:noinline
func notMade(what string) error {
	return carrier.NewError(fmt.Sprintf("the %s is nil, or was not made by New%s", what, what), ErrClosed)
}

// needCtx panics if a method that waits was given no context, as the functions of package context do:
// a nil context is a mistake in the program, and waiting without end would hide it.
func needCtx(ctx context.Context, method string) {
	if ctx == nil {
		panicNilCtx(method)
	}
}

// panicNilCtx is apart so that needCtx is inlined.
//
//go:noinline
func panicNilCtx(method string) {
	panic("mp: " + method + ": the context is nil: use context.Background() to wait without end")
}

// errOf is why a handle cannot be used, for its method Err. c is nil if the handle was not made.
func errOf(what string, c carrier.Object, closed *atomic.Bool) error {
	switch {
	case c == nil:
		return notMade(what)
	case closed.Load():
		return carrier.NewError(fmt.Sprintf("this handle of the %s was closed", what), ErrClosed)
	}
	return c.Err()
}

// closeHandle closes a handle once, for its method Close.
func closeHandle(c carrier.Object, closed *atomic.Bool) error {
	if c == nil || !closed.CompareAndSwap(false, true) {
		return nil
	}
	return c.Close()
}
