package mp

import (
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
