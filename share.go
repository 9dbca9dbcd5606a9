package mp

import (
	"errors"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/wire"
)

// shareable is an object that is not copied when it travels: the other process has
// the same one. Queues, pipe ends, locks, shared values and memories are.
type shareable interface {
	// share writes what the other process needs to have the object, attachments
	// included. The handle is not nil.
	share(b *wire.Buffer) error
	// adopt makes a new handle one of the object that share wrote.
	adopt(r *wire.Reader) error
}

func init() {
	wire.Hook(reflect.TypeFor[shareable](), encodeShared, decodeShared)
}

func encodeShared(b *wire.Buffer, v reflect.Value) error {
	if v.IsNil() {
		b.Byte(0)
		return nil
	}
	b.Byte(1)
	return v.Interface().(shareable).share(b)
}

func decodeShared(r *wire.Reader, v reflect.Value) error {
	switch r.Byte() {
	case 0:
		v.SetZero()
		return r.Err()
	case 1:
		handle := reflect.New(v.Type().Elem())
		if err := handle.Interface().(shareable).adopt(r); err != nil {
			return err
		}
		v.Set(handle)
		return r.Err()
	}
	if err := r.Err(); err != nil {
		return err
	}
	return errors.New("neither nil nor an object")
}
