package wire

import (
	"fmt"
	"reflect"
	"sync"
)

// hook carries the values of one type, or of all types with certain methods.
type hook struct {
	typ    reflect.Type
	encode func(b *Buffer, v reflect.Value) error
	decode func(r *Reader, v reflect.Value) error
	reason string // not empty: values of the type are refused
}

// hooks are few, and looked at only while plans are made.
var hooks struct {
	sync.RWMutex
	exact     map[reflect.Type]*hook
	byMethods []*hook // typ is an interface
}

// Hook makes values of type t travel by enc and dec wherever they appear. enc
// writes to b what dec, in the other process, reads from r to set v; both get
// an addressable value. An error of enc becomes an *Error with the path.
//
// If t is an interface type, the hook carries every type that implements it,
// which serves generic types. A struct whose pointer implements t, but not the
// struct itself, is refused by value: it is an object that is shared by
// pointer. A struct that merely embeds an implementation is not concerned.
//
// Hook panics if t has a hook, or if a value of the type was encoded already.
// Call it when the program starts.
func Hook(t reflect.Type, enc func(b *Buffer, v reflect.Value) error, dec func(r *Reader, v reflect.Value) error) {
	addHook(&hook{typ: t, encode: enc, decode: dec})
}

// Refuse makes encoding of values of type t an *Error with this reason; a nil
// pointer to one may travel. If t is an interface type, that goes for every
// type which implements it or whose pointer does. Otherwise as Hook.
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
		panic(fmt.Sprintf("wire: the type %v has a hook already", h.typ))
	}
	plans.Range(func(t, _ any) bool {
		if t := t.(reflect.Type); t == h.typ || h.typ.Kind() == reflect.Interface && h.appliesTo(t) {
			panic(fmt.Sprintf("wire: the hook for %v comes too late, values of type %v have travelled already", h.typ, t))
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

// reaches says whether the hook for an interface concerns t or its pointer by
// methods of their own.
func (h *hook) appliesTo(t reflect.Type) bool {
	if t.Kind() == reflect.Interface || !t.Implements(h.typ) && !reflect.PointerTo(t).Implements(h.typ) {
		return false
	}
	if t.Kind() == reflect.Pointer {
		return !embeds(t.Elem(), h.typ)
	}
	return !embeds(t, h.typ)
}

// findHook returns the hook that concerns t, or nil.
func findHook(t reflect.Type) *hook {
	hooks.RLock()
	defer hooks.RUnlock()
	if h := hooks.exact[t]; h != nil {
		return h
	}
	for _, h := range hooks.byMethods {
		if h.appliesTo(t) && (h.reason == "" || t.Kind() != reflect.Pointer) {
			return h // a pointer to something refused may be nil, its element is met later
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

// refusalOf returns why values of type t cannot travel; "" if they may.
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
		return fmt.Sprintf("a %v is an identity of this process: send its value", t)
	case "weak":
		return fmt.Sprintf("a %v is an address of this process: send what it points to", t)
	case "os":
		if t.Name() == "File" || t.Name() == "Root" || t.Name() == "Process" {
			return fmt.Sprintf("an os.%s belongs to its process: send a name or number, and open it in the other process", t.Name())
		}
	case "reflect":
		if t.Name() == "Value" || t.Name() == "rtype" {
			return "a reflection object belongs to its process: send what it describes"
		}
	}
	return ""
}

// hopelessKind says why a type of this kind cannot travel; "" for other kinds.
func unsupportedKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Chan:
		return fmt.Sprintf("a channel (%v) belongs to its process: use a queue, or leave the field out", t)
	case reflect.Func:
		return fmt.Sprintf("a function (%v) is code and captured memory of its process: send data, or leave the field out", t)
	case reflect.UnsafePointer:
		return fmt.Sprintf("an address (%v) means nothing in another process: send what it points to", t)
	}
	return ""
}

// hooked makes the plan of a type that a hook carries. The byte in front keeps
// values that write nothing from being free, so that counts stay honest.
func (c compiler) hooked(p *plan, h *hook) {
	t := p.typ
	p.minSize, p.maybeIncomparable = 1, true
	p.encode = func(b *Buffer, v address) *Error {
		b.Byte(1)
		inKey := b.walk.inKey
		b.walk.inKey = false // what stands for the value need not be a key
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
