package wire

import (
	"fmt"
	"reflect"
	"unicode"
	"unicode/utf8"
)

var errorType = reflect.TypeFor[error]()

// sentinels finds errors that are the same in every process by their names.
var sentinels struct {
	name   func(error) (name string, ok bool)
	byName func(name string) (err error, ok bool)
}

// Sentinels makes errors travel inside interfaces by their names, as long as their
// types are not registered. It is called once, before a value is encoded.
func Sentinels(name func(err error) (name string, ok bool), byName func(name string) (err error, ok bool)) {
	sentinels.name, sentinels.byName = name, byName
}

// encodeSentinel writes what an interface holds if it is a sentinel.
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
	return r.fail(fmt.Sprintf("an interface of type %v holds an error %.100q, which this process does not have", t, name))
}

// errorField makes the plan of the type error. Inside an error, see Buffer.Errors,
// such a field holds what an error wraps.
func (c compiler) errorField(p *plan) {
	p.keyed = true
	p.encode = func(b *Buffer, v address) *Error {
		err := *at[error](v)
		if b.Errors == nil || err == nil || b.walk.inKey {
			return encodeDynamic(b, v, errorType)
		}
		b.Byte(tagError)
		if err := b.descend(); err != nil {
			return err
		}
		if err := b.Errors(b, err); err != nil {
			return refused(err.Error())
		}
		b.ascend()
		return nil
	}
	p.decode = func(r *Reader, v address) error {
		tag := r.Byte()
		if tag != tagError || r.Errors == nil {
			return decodeDynamic(r, v, errorType, tag)
		}
		if err := r.descend(); err != nil {
			return err
		}
		if *at[error](v) = r.Errors(r); r.err == nil && *at[error](v) == nil {
			return r.fail("an error is missing")
		}
		r.ascend()
		return r.err
	}
}

// unregistered says what to do about an interface that holds an outer, for which the
// type missing would have to be known.
func unregistered(outer, missing reflect.Type) string {
	register := fmt.Sprintf("call mp.RegisterType[%v](\"a name\") when the program starts", missing)
	first, _ := utf8.DecodeRuneInString(missing.Name())
	foreign := missing.PkgPath() != "" && missing.PkgPath() != "main" && !unicode.IsUpper(first)
	switch isError := outer.Implements(errorType); {
	case isError && foreign:
		return fmt.Sprintf("an interface holds an error of type %v, which another process does not know: errors that a Func returns travel by themselves, inside a value send its text, or an error type of your own after mp.RegisterType", outer)
	case foreign:
		register += ", in the package of that type; if that is not yours, send something else"
	}
	return fmt.Sprintf("an interface holds a value of type %v, which is not registered: %s", outer, register)
}
