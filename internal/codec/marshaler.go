package codec

import (
	"encoding"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
)

var (
	marshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// marshals reports whether values of type t are encoded by their own MarshalBinary and
// UnmarshalBinary.
func marshals(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return false
	}
	pointer := reflect.PointerTo(t)
	if !pointer.Implements(marshalerType) || !pointer.Implements(unmarshalerType) {
		return false
	}
	if t.PkgPath() == "net/url" && t.Name() == "URL" {
		return false // its text does not contain all fields
	}
	return !embeds(t, marshalerType) && !embeds(t, unmarshalerType)
}

// mayRefuse reports whether values of type t, which has no pointers, have a MarshalBinary. They
// travel as memory, which is exact, but the method is called first, because it may return an error.
func mayRefuse(t reflect.Type) bool {
	return t.PkgPath() != "" && reflect.PointerTo(t).Implements(marshalerType) && !embeds(t, marshalerType) && !isStandard(t)
}

// consenting makes the plan of such a type.
func (c compiler) consenting(p *plan) {
	t, size, bools := p.typ, p.size, p.bools
	p.flat, p.minSize = false, max(int(size), 1)
	p.encode = func(b *Buffer, v address) *Error {
		if err := b.checkConsent(t, v); err != nil {
			return err
		}
		b.data = append(b.data, memory(v, size)...)
		if size == 0 {
			b.Byte(0)
		}
		return nil
	}
	p.decode = func(r *Reader, v address) error {
		if size == 0 {
			r.Byte()
		}
		return r.flat(v, size, bools)
	}
}

// checkConsent calls MarshalBinary for its error.
func (b *Buffer) checkConsent(t reflect.Type, v address) *Error {
	err := guard(&b.exited, t, "MarshalBinary", func() error {
		_, err := pointerAt(t, v).Interface().(encoding.BinaryMarshaler).MarshalBinary()
		return err
	})
	if err == nil {
		return nil
	}
	e := refused(fmt.Sprintf("MarshalBinary of %v failed: %v", t, err))
	e.Err = err
	return e
}

// embeds reports whether the struct t embeds something that implements i. Then the methods of t
// may be promoted ones, which know only part of t.
func embeds(t, i reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for field := range t.Fields() {
		if field.Anonymous && (field.Type.Implements(i) || reflect.PointerTo(field.Type).Implements(i)) {
			return true
		}
	}
	return false
}

// marshaler makes the plan of a type that encodes itself: the length and a copy of what
// MarshalBinary returned, because the method may reuse the memory.
func (c compiler) marshaler(p *plan) {
	t := p.typ
	p.minSize, p.maybeIncomparable = 1, true
	p.encode = func(b *Buffer, v address) *Error {
		var encoded []byte
		b.walk.noteMarshaler(t)
		err := guard(&b.exited, t, "MarshalBinary", func() (err error) {
			encoded, err = pointerAt(t, v).Interface().(encoding.BinaryMarshaler).MarshalBinary()
			return err
		})
		if err != nil {
			e := refused(fmt.Sprintf("MarshalBinary of %v failed: %v", t, err))
			e.Err = err
			return e
		}
		b.rawCopy(encoded)
		return nil
	}
	p.decode = func(r *Reader, v address) error {
		encoded := r.Raw()
		if r.err != nil {
			return r.err
		}
		err := guard(&r.err, t, "UnmarshalBinary", func() error {
			valueAt(t, v).SetZero()
			return pointerAt(t, v).Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(encoded)
		})
		if err != nil && !r.tolerates("UnmarshalBinary of "+t.String(), err) {
			return r.err
		}
		return nil
	}
}

// guard turns a panic of the program's code into a *PanicError. It cannot stop runtime.Goexit,
// for example by t.FailNow, after which only deferred functions run. For these it sets *exited to
// an *ExitedError.
func guard(exited *error, t reflect.Type, method string, f func() error) (err error) {
	ended := true
	defer func() {
		if ended {
			*exited = &ExitedError{Type: t, Method: method}
		}
	}()
	err = catchPanic(f)
	ended = false
	return err
}

// catchPanic returns f's error, or its panic as an error. With GODEBUG=panicnil=1, recover cannot
// tell panic(nil) from runtime.Goexit, but after runtime.Goexit catchPanic does not return.
func catchPanic(f func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		if value == nil {
			value = new(runtime.PanicNilError) // what panic(nil) is without GODEBUG=panicnil=1
		}
		err = &PanicError{Value: value, Stack: debug.Stack()}
	}()
	err = f()
	returned = true
	return err
}

// rawCopy is Raw for memory that the buffer must not refer to.
func (b *Buffer) rawCopy(p []byte) {
	before := b.Copy
	b.Copy = true
	b.Raw(p)
	b.Copy = before
}
