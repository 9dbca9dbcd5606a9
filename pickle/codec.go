package pickle

import (
	"reflect"
)

// maxDepth is how deep values may nest. Python's own pickler stops earlier.
const maxDepth = 5000

// Marshal returns v as a pickle of protocol 4, which every Python since 3.4 reads. The
// package comment says what becomes what. Maps whose keys are strings or integers are
// written in the order of their keys. Pointers, maps and slices that occur more than once
// are written once and stay shared. The error is an [*Error] with the path of the part
// that has no form in Python. Marshal is safe for concurrent use.
func Marshal(v any) ([]byte, error) { return (&Codec{}).Marshal(v) }

// Unmarshal reads a pickle of any protocol into *v. It executes nothing: classes that it
// does not know become an inert [Object], see the package comment. data must hold one
// pickle and nothing behind it; *v does not alias it. After an error *v may be partly set.
// Errors are a [*SyntaxError] or an [*Error] with a path. It takes time and memory in
// proportion to len(data). Unmarshal is safe for concurrent use.
func Unmarshal(data []byte, v any) error { return (&Codec{}).Unmarshal(data, v) }

// Codec is Marshal and Unmarshal for a protocol that has classes of its own, such as the
// proxies of multiprocessing.managers. The zero Codec is the package's functions. What the
// package knows by itself, and what is registered, is never offered to a Codec's functions.
// A Codec is safe for concurrent use if its functions are.
type Codec struct {
	// Build makes the value of an object of an unknown class. want is the type of the
	// place where it goes; the result must be assignable to it. If ok is false, o stays as
	// it is. The parts of o were built before o. Build must not keep o.Args or change it.
	Build func(o *Object, want reflect.Type) (v any, ok bool, err error)

	// Reduce is asked about each pointer, struct, map, func and channel whose type the
	// package does not know. Instead of v it may return what Python is to get, usually an
	// *Object. If ok is false, v is written by its fields, or refused.
	Reduce func(v any) (r any, ok bool, err error)
}

// Marshal is the function [Marshal] with c's classes.
func (c *Codec) Marshal(v any) ([]byte, error) { return c.Append(nil, v) }

// Append appends the pickle of v to b and returns it. After an error it returns b as it was.
func (c *Codec) Append(b []byte, v any) ([]byte, error) {
	if b == nil {
		b = make([]byte, 0, 128)
	}
	e := &encoder{codec: c, buf: append(b, opProto, 4)}
	e.written = e.room[:0]
	if err := e.any(v); err != nil {
		return b, finish(err)
	}
	return append(e.buf, opStop), nil
}

// Unmarshal is the function [Unmarshal] with c's classes.
func (c *Codec) Unmarshal(data []byte, v any) error {
	dst := reflect.ValueOf(v)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		return &Error{Path: "in", Reason: "Unmarshal into a " + reflectName(v) + "; it needs a pointer"}
	}
	m := &machine{data: data, stack: make([]any, 0, 16), memo: make([]any, 0, 16)}
	x, err := m.run()
	if err != nil {
		return err
	}
	d := &decoder{codec: c, budget: 1<<20 + 16*len(data)}
	if p, ok := v.(*any); ok {
		*p, err = d.natural(x)
		return finish(err)
	}
	return finish(d.assign(dst.Elem(), x))
}

func reflectName(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}
