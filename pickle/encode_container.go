package pickle

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// identity is what makes two references the same: the type, the address and, of slices,
// the length.
type identity struct {
	t reflect.Type
	p uintptr
	n int
}

// reference is something that was written, or that is being written.
type reference struct {
	id    identity
	value reflect.Value // keeps the address taken
	memo  uint32
	done  bool
}

// fewReferences are searched one by one.
const fewReferences = 16

func (e *encoder) find(id identity) *reference {
	if len(e.written) <= fewReferences {
		for i := range e.written {
			if e.written[i].id == id {
				return &e.written[i]
			}
		}
		return nil
	}
	if i, ok := e.index[id]; ok {
		return &e.written[i]
	}
	return nil
}

// open notes that v is being written, or writes a reference if it has been.
func (e *encoder) open(v reflect.Value, n int) (at int, done bool, err error) {
	id := identity{v.Type(), v.Pointer(), n}
	if r := e.find(id); r != nil {
		if !r.done {
			return 0, false, reason("a cycle through this %s, which Python can only make of lists, dicts and objects", v.Type())
		}
		e.get(r.memo)
		return 0, true, nil
	}
	at = len(e.written)
	e.written = append(e.written, reference{id: id, value: v})
	switch {
	case at == fewReferences:
		e.index = make(map[identity]int, 4*fewReferences)
		for i := range e.written {
			e.index[e.written[i].id] = i
		}
	case at > fewReferences:
		e.index[id] = at
	}
	return at, false, nil
}

// close puts what is on Python's stack into the memo.
func (e *encoder) close(at int) {
	e.written[at].memo, e.written[at].done = e.memoize(), true
}

// once writes v if it is the first of its identity, and else a reference. Cycles through
// it are an error.
func (e *encoder) once(v reflect.Value, n int, write func(*encoder, reflect.Value) error) error {
	at, done, err := e.open(v, n)
	if done || err != nil {
		return err
	}
	if err := write(e, v); err != nil {
		return err
	}
	e.close(at)
	return nil
}

func (e *encoder) pointer(v reflect.Value) error {
	switch {
	case v.IsNil():
		e.op(opNone)
		return nil
	case v.Elem().Kind() != reflect.Struct:
		return e.value(v.Elem())
	}
	at, done, err := e.open(v, 0)
	if done || err != nil {
		return err
	}
	return e.structAt(v.Elem(), at)
}

func (e *encoder) slice(v reflect.Value) error {
	switch {
	case v.IsNil():
		e.op(opNone)
		return nil
	case v.Type().Elem().Kind() == reflect.Uint8:
		return e.byteSlice(v)
	case v.Len() == 0:
		e.op(opEmptyList)
		return nil
	}
	at, done, err := e.open(v, v.Len())
	if done || err != nil {
		return err
	}
	e.op(opEmptyList)
	e.close(at)
	return e.appends(v)
}

func (e *encoder) byteSlice(v reflect.Value) error {
	if v.Len() < sharedString {
		e.bytes(v.Bytes())
		return nil
	}
	return e.once(v, v.Len(), func(e *encoder, v reflect.Value) error {
		e.bytes(v.Bytes())
		return nil
	})
}

// appends writes the elements of a slice and appends them to the list before them.
func (e *encoder) appends(v reflect.Value) error {
	n := v.Len()
	if n != 1 {
		e.op(opMark)
	}
	if err := e.elements(v); err != nil {
		return err
	}
	if n != 1 {
		e.op(opAppends)
	} else {
		e.op(opAppend)
	}
	return nil
}

// elements writes the elements of a slice or an array.
func (e *encoder) elements(v reflect.Value) error {
	n := v.Len()
	switch v.Type().Elem().Kind() {
	case reflect.Int, reflect.Int64:
		if v.Type().Elem().PkgPath() == "" {
			for i := range n {
				e.int(v.Index(i).Int())
			}
			return nil
		}
	case reflect.Float64:
		if v.Type().Elem().PkgPath() == "" {
			for i := range n {
				e.float(v.Index(i).Float())
			}
			return nil
		}
	case reflect.String:
		if v.Type().Elem().PkgPath() == "" {
			for i := range n {
				if err := e.str(v.Index(i).String()); err != nil {
					return withinIndex(err, i)
				}
			}
			return nil
		}
	case reflect.Interface:
		if v.CanInterface() && v.Type().Elem() == anyType {
			for i, x := range v.Convert(reflect.TypeFor[[]any]()).Interface().([]any) {
				if err := e.any(x); err != nil {
					return withinIndex(err, i)
				}
			}
			return nil
		}
	}
	for i := range n {
		if err := e.value(v.Index(i)); err != nil {
			return withinIndex(err, i)
		}
	}
	return nil
}

func (e *encoder) array(v reflect.Value) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b := make([]byte, v.Len())
		for i := range b {
			b[i] = byte(v.Index(i).Uint())
		}
		e.bytes(b)
		return nil
	}
	return e.tupleOf(v.Len(), func(i int) error { return e.value(v.Index(i)) })
}

func (e *encoder) mapping(v reflect.Value) error {
	if v.IsNil() {
		e.op(opNone)
		return nil
	}
	at, done, err := e.open(v, 0)
	if done || err != nil {
		return err
	}
	isSet := v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem().NumField() == 0
	if isSet {
		e.op(opEmptySet)
	} else {
		e.op(opEmptyDict)
	}
	e.close(at)
	keys := sortedKeys(v)
	if len(keys) == 0 {
		return nil
	}
	e.op(opMark)
	for _, key := range keys {
		if err := e.key(key); err != nil {
			return err
		}
		if isSet {
			continue
		}
		if err := e.value(v.MapIndex(key)); err != nil {
			return withinKey(err, widen(key))
		}
	}
	if isSet {
		e.op(opAddItems)
	} else {
		e.op(opSetItems)
	}
	return nil
}

// sortedKeys are the keys of a map in an order that depends on nothing else, so that equal
// values have equal pickles. A NaN as a key cannot be looked up and is left out.
func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	if v.Type().Key().Kind() == reflect.String {
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		return keys
	}
	keys = slices.DeleteFunc(keys, func(key reflect.Value) bool { return !key.Equal(key) })
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b reflect.Value) int {
	if a.Kind() == reflect.Interface {
		a, b = a.Elem(), b.Elem()
	}
	switch {
	case a.Kind() != b.Kind():
		return cmp.Compare(a.Kind(), b.Kind())
	case a.Kind() == reflect.String && a.Type() == b.Type():
		return strings.Compare(a.String(), b.String())
	case a.CanInt() && a.Type() == b.Type():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint() && a.Type() == b.Type():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat() && a.Type() == b.Type():
		return cmp.Compare(a.Float(), b.Float())
	case !a.IsValid():
		return 0
	}
	return strings.Compare(fmt.Sprintf("%s %v", a.Type(), a), fmt.Sprintf("%s %v", b.Type(), b))
}

// key writes a key of a dict or an element of a set: something that Python can hash.
func (e *encoder) key(v reflect.Value) error {
	if err := hashable(v, new(someParts)); err != nil {
		return within(err, ".keys()")
	}
	return e.value(v)
}

// someParts is how many parts of a tuple are looked at.
const someParts = 1000

func hashable(v reflect.Value, left *int) error {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if *left--; !v.IsValid() || *left < 0 {
		return nil
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer && unhashable[t.Elem()] {
		t = t.Elem()
	}
	switch {
	case unhashable[t]:
	case t == tupleType:
		for i := range v.Len() {
			if err := hashable(v.Index(i), left); err != nil {
				return err
			}
		}
		return nil
	case t == frozenSetType || own[t] || isRegistered(t):
		return nil
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return nil
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
	case t.Kind() == reflect.Struct && t.NumField() > 0:
	default:
		return nil
	}
	return reason("a %s is a %s in Python, which cannot be a key or an element of a set", t, pythonKind(t))
}

var (
	tupleType     = reflect.TypeFor[Tuple]()
	frozenSetType = reflect.TypeFor[FrozenSet]()
	setType       = reflect.TypeFor[Set]()
	byteArrayType = reflect.TypeFor[ByteArray]()
)

// unhashable are types of this package that Python cannot hash, beside lists, sets and dicts.
var unhashable = map[reflect.Type]bool{
	byteArrayType: true, reflect.TypeFor[Deque](): true, reflect.TypeFor[DefaultDict](): true,
	reflect.TypeFor[NDArray](): true, reflect.TypeFor[Array](): true,
}

// pythonKind is what a type that cannot be hashed becomes.
func pythonKind(t reflect.Type) string {
	switch {
	case t == setType:
		return "set"
	case unhashable[t]:
		return strings.ToLower(t.Name())
	case t.Kind() == reflect.Slice && t.Elem() != itemType:
		return "list"
	}
	return "dict"
}
