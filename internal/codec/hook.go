package codec

import (
	"fmt"
	"reflect"
	"sync"
)

// hook encodes values of one type, or of all types that implement an interface.
type hook struct {
	typ    reflect.Type
	encode func(b *Buffer, v reflect.Value) error
	decode func(r *Reader, v reflect.Value) error
	reason string // not empty: values of the type are refused
}

// hooks holds all hooks. It is used only while plans are made.
var hooks struct {
	sync.RWMutex
	exact     map[reflect.Type]*hook
	byMethods []*hook // typ is an interface
}

// Hook makes enc and dec encode and decode values of type t wherever they appear. enc writes to b;
// dec reads the same from r in the other process and sets v. Both get an addressable value. If enc
// fails, the error becomes an *Error with the path.
//
// If t is an interface type, the hook applies to every type that implements it, which serves
// generic types. A struct whose pointer implements t, while the struct does not, is an object
// shared by pointer, and is refused by value. A struct that merely embeds an implementation is
// not affected.
//
// Hook panics if t already has a hook, or if a value of the type was encoded before. Call it when
// the program starts.
func Hook(t reflect.Type, enc func(b *Buffer, v reflect.Value) error, dec func(r *Reader, v reflect.Value) error) {
	addHook(&hook{typ: t, encode: enc, decode: dec})
}

// Refuse makes encoding values of type t fail with this reason; a nil pointer to one is allowed.
// If t is an interface type, this applies to every type that implements it or whose pointer does.
// The rules of Hook for when to call it apply.
func Refuse(t reflect.Type, reason string) {
	if reason == "" {
		reason = "values of type " + t.String() + " cannot travel to another process"
	}
	addHook(&hook{typ: t, reason: reason})
}

func addHook(h *hook) {
	compiling.Lock()
	defer compiling.Unlock()
	hooks.Lock()
	defer hooks.Unlock()
	if hooks.exact[h.typ] != nil {
		panic(fmt.Sprintf("codec: the type %v already has a hook", h.typ))
	}
	plans.Range(func(t, _ any) bool {
		if t := t.(reflect.Type); t == h.typ || h.typ.Kind() == reflect.Interface && h.appliesTo(t) {
			panic(fmt.Sprintf("codec: the hook for %v must be installed before values of type %v are encoded", h.typ, t))
		}
		return true
	})
	if hooks.exact == nil {
		hooks.exact = make(map[reflect.Type]*hook)
	}
	hooks.exact[h.typ] = h
	if h.typ.Kind() == reflect.Interface {
		hooks.byMethods = append(hooks.byMethods, h)
	}
}

// appliesTo reports whether t or *t implements the hook's interface by its own, not promoted,
// methods.
func (h *hook) appliesTo(t reflect.Type) bool {
	if t.Kind() == reflect.Interface || !t.Implements(h.typ) && !reflect.PointerTo(t).Implements(h.typ) {
		return false
	}
	if t.Kind() == reflect.Pointer {
		return !embeds(t.Elem(), h.typ)
	}
	return !embeds(t, h.typ)
}

// findHook returns the hook that applies to t, or nil.
func findHook(t reflect.Type) *hook {
	hooks.RLock()
	defer hooks.RUnlock()
	if h := hooks.exact[t]; h != nil {
		return h
	}
	for _, h := range hooks.byMethods {
		if h.appliesTo(t) && (h.reason == "" || t.Kind() != reflect.Pointer) {
			return h // a pointer to a refused type may be nil; otherwise its element is refused later
		}
	}
	return nil
}

func hookOf(t reflect.Type) *hook {
	if h := findHook(t); h != nil && h.reason == "" {
		return h
	}
	return nil
}

// refusalOf returns why values of type t cannot be encoded, or "".
func refusalOf(t reflect.Type) string {
	if customCodecOf(t) != nil {
		return ""
	}
	if h := findHook(t); h != nil {
		switch {
		case h.reason != "":
			return h.reason
		case h.typ.Kind() == reflect.Interface && !t.Implements(h.typ):
			return fmt.Sprintf("a %v is shared by its pointer and must not be copied: use a *%v", t, t)
		}
		return ""
	}
	if isProto(t) {
		return protoReason(t)
	}
	switch t.PkgPath() {
	case "unique":
		return fmt.Sprintf("a %v identifies something only in its process: send its value", t)
	case "weak":
		return fmt.Sprintf("a %v is an address in its process: send what it points to", t)
	case "os":
		if t.Name() == "File" || t.Name() == "Root" || t.Name() == "Process" {
			return fmt.Sprintf("an os.%s belongs to its process: send a name or pid, and open it in the other process", t.Name())
		}
	case "reflect":
		if t.Name() == "Value" || t.Name() == "rtype" {
			return "a reflection object belongs to its process: send what it describes"
		}
	}
	return ""
}

// unsupportedKind returns why a type of this kind cannot be encoded, or "".
func unsupportedKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Chan:
		return fmt.Sprintf("a channel (%v) belongs to its process: use a queue, or omit the field", t)
	case reflect.Func:
		return fmt.Sprintf("a function (%v) is code and captured memory of its process: send data, or omit the field", t)
	case reflect.UnsafePointer:
		return fmt.Sprintf("an address (%v) means nothing in another process: send what it points to", t)
	}
	return ""
}

// hooked makes the plan of a type with a hook. With its leading byte every value takes space, so
// the size of the message bounds a count of elements.
func (c compiler) hooked(p *plan, h *hook) {
	t := p.typ
	p.minSize, p.maybeIncomparable = 1, true
	p.encode = func(b *Buffer, v address) *Error {
		b.Byte(1)
		inKey := b.walk.inKey
		b.walk.inKey = false // what is encoded in the value's place need not be a key
		attached := len(b.attached)
		err := guard(&b.exited, t, "the hook", func() error { return h.encode(b, valueAt(t, v)) })
		for i := attached; i < len(b.attached); i++ {
			b.attached[i].owner = valueAt(t, v).Interface()
		}
		b.walk.inKey = inKey
		if err != nil {
			e := refused(err.Error())
			e.Err = err
			return e
		}
		return nil
	}
	p.decode = func(r *Reader, v address) error {
		if r.Byte() != 1 {
			return r.fail("a value of type " + t.String() + " is missing")
		}
		inKey := r.inKey
		r.inKey = false
		err := guard(&r.err, t, "the hook", func() error { return h.decode(r, valueAt(t, v)) })
		r.inKey = inKey
		if err != nil {
			return r.failWith("a value of type "+t.String(), err)
		}
		return r.err
	}
}
