package codec

import (
	"fmt"
	"reflect"
	"unicode"
	"unicode/utf8"
)

var errorType = reflect.TypeFor[error]()

// sentinels identifies errors that exist in every process by their names.
var sentinels struct {
	name   func(error) (name string, ok bool)
	byName func(name string) (err error, ok bool)
}

// Sentinels makes known errors in interfaces travel by name, unless their types are registered. It
// must be called once, before any value is encoded.
func Sentinels(name func(err error) (name string, ok bool), byName func(name string) (err error, ok bool)) {
	sentinels.name, sentinels.byName = name, byName
}

// errorsInValues encodes errors of types that are not registered: see Errors.
var errorsInValues struct {
	encode func(b *Buffer, err error) error
	decode func(r *Reader) error
}

// Errors makes enc and dec encode and decode all other errors in interfaces, unless Buffer.Errors
// and Reader.Errors are set. dec returns the error that replaces the original, which may be nil
// only if r.Err is not. Errors must be called once, before any value is encoded.
func Errors(enc func(b *Buffer, err error) error, dec func(r *Reader) error) {
	errorsInValues.encode, errorsInValues.decode = enc, dec
}

// encodeError encodes a value held by an interface of type t if it is an error that may travel as
// one. Otherwise it returns reason, the error that explains why the value's type has no descriptor.
func encodeError(b *Buffer, held reflect.Value, t reflect.Type, reason *Error) *Error {
	encode := b.Errors
	if encode == nil {
		encode = errorsInValues.encode
	}
	err, ok := held.Interface().(error)
	if !ok || encode == nil || b.walk.inKey || refusalOf(held.Type()) != "" {
		return reason // a decoded error would not be equal as a key
	}
	if t != errorType && t.NumMethod() > 0 {
		// The interface may have methods that only the original type has.
		probe := Buffer{Copy: true, Errors: b.Errors}
		if err := writeError(&probe, err, encode); err != nil {
			return err
		}
		r := NewReader(probe.Bytes())
		if r.Byte(); readError(r, newValue(t), t) != nil {
			return reason
		}
	}
	return writeError(b, err, encode)
}

func writeError(b *Buffer, err error, encode func(*Buffer, error) error) *Error {
	b.Byte(tagError)
	if err := b.descend(); err != nil {
		return err
	}
	if err := encode(b, err); err != nil {
		return refused(err.Error())
	}
	b.ascend()
	return nil
}

// readError reads what follows tagError into an interface of type t.
func readError(r *Reader, v address, t reflect.Type) error {
	decode := r.Errors
	if decode == nil {
		decode = errorsInValues.decode
	}
	if decode == nil || r.inKey {
		return r.fail("an interface holds an error where none is allowed")
	}
	if err := r.descend(); err != nil {
		return err
	}
	err := decode(r)
	switch {
	case r.err != nil:
		return r.err
	case err == nil:
		return r.fail("an error is missing")
	case !reflect.TypeOf(err).Implements(t):
		return r.fail(fmt.Sprintf("an interface of type %v cannot hold a %T", t, err))
	}
	valueAt(t, v).Set(reflect.ValueOf(err))
	r.ascend()
	return nil
}

// encodeSentinel writes the value if it is a sentinel, and reports whether it is.
func encodeSentinel(b *Buffer, held reflect.Value) bool {
	if sentinels.name == nil {
		return false
	}
	err, ok := held.Interface().(error)
	if !ok {
		return false
	}
	name, ok := sentinels.name(err)
	if ok {
		b.Byte(tagSentinel)
		b.String(name)
	}
	return ok
}

// decodeSentinel reads the rest of a sentinel into an interface of type t.
func decodeSentinel(r *Reader, v address, t reflect.Type) error {
	name := r.Raw()
	if r.err != nil {
		return r.err
	}
	if sentinels.byName != nil {
		if err, ok := sentinels.byName(string(name)); ok && reflect.TypeOf(err).Implements(t) {
			valueAt(t, v).Set(reflect.ValueOf(err))
			return nil
		}
	}
	return r.fail(fmt.Sprintf("an interface of type %v holds the error %.100q, which this process does not know", t, name))
}

// errorField makes the plan of the type error. Inside an error, see Buffer.Errors, such a field
// holds what the error wraps.
func (c compiler) errorField(p *plan) {
	p.maybeIncomparable = true
	p.encode = func(b *Buffer, v address) *Error {
		err := *at[error](v)
		if b.Errors == nil || err == nil || b.walk.inKey {
			return encodeDynamic(b, v, errorType)
		}
		return writeError(b, err, b.Errors)
	}
	p.decode = func(r *Reader, v address) error { return decodeDynamic(r, v, errorType, r.Byte()) }
}

// unregistered returns the reason for refusing an interface that holds a value of type outer. The
// type missing, a part of outer, is not registered.
func unregistered(outer, missing reflect.Type) string {
	register := fmt.Sprintf("call mp.RegisterType[%v](\"a name\") when the program starts", missing)
	first, _ := utf8.DecodeRuneInString(missing.Name())
	foreign := missing.PkgPath() != "" && missing.PkgPath() != "main" && !unicode.IsUpper(first)
	switch isError := outer.Implements(errorType); {
	case isError && foreign:
		return fmt.Sprintf("an interface holds an error of type %v, which is not registered: use a field of type error, which takes any error, call mp.RegisterErrorType[%v](\"a name\") when the program starts, or send the text", outer, outer)
	case foreign:
		register += " in the package of that type, or send something else"
	}
	return fmt.Sprintf("an interface holds a value of type %v, which is not registered: %s", outer, register)
}
