package mp

import (
	"errors"
	"fmt"
	"os"
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

// moving is a shareable that leaves this process when it travels: its attachments have
// Settled. A pipe's end is one.
type moving interface {
	shareable
	moves()
}

func init() {
	wire.Hook(reflect.TypeFor[shareable](), encodeShared, decodeShared)
	wire.Moving(reflect.TypeFor[moving]())
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

// filed is what is in shared memory with a descriptor of its own.
type filed interface{ File() *os.File }

// filedAll is what has several.
type filedAll interface{ Files() []*os.File }

// attach has an object travel with the message.
func attach(b *wire.Buffer, what string, carrier any) error {
	o, ok := carrier.(filed)
	if !ok {
		if carrier == nil {
			return fmt.Errorf("a %s that was not made by New%s", what, what)
		}
		return errOfThread(what)
	}
	b.Attach(wire.Attachment{File: o.File()})
	return nil
}

// attachAll is attach for an object with several descriptors.
func attachAll(b *wire.Buffer, what string, carrier any) error {
	o, ok := carrier.(filedAll)
	if !ok {
		return errOfThread(what)
	}
	for _, f := range o.Files() {
		b.Attach(wire.Attachment{File: f})
	}
	return nil
}

func errOfThread(what string) error {
	return fmt.Errorf("a %s of package thread belongs to its process: use mp.New%s", what, what)
}
