package pickle

import (
	"fmt"
	"reflect"
	"sync"
)

// class is a Python class that was registered.
type class struct {
	global     Global
	typ        reflect.Type
	positional bool
	members    map[string]reflect.Value // of an enum, by name
	names      map[any]string           // of an enum
}

func (c *class) enum() bool { return c.members != nil }

var registry struct {
	sync.RWMutex
	byName map[Global]*class
	byType map[reflect.Type]*class
	errors []classError
}

// Register makes T, a struct, and the Python class one. Into an interface the class becomes
// a *T; Marshal writes a T, or a *T, as an instance that is made by __new__ without
// arguments and gets its attributes set, as Python's own pickles do: that is right for
// plain classes and for dataclasses without slots. The attributes are T's exported fields,
// under their names or as the tag `pickle:"name"` says; "-" leaves a field out. module and
// name are what Python calls __module__ and __qualname__.
//
// What comes may have been made in any way: attributes by name, slots, a namedtuple. It
// may lack attributes, or have some that T has not.
//
// Register panics for a T that is no struct, and if the name or T is taken. Call it before
// values are exchanged, best from init.
func Register[T any](module, name string) { registerStruct[T](module, name, false) }

// RegisterPositional is [Register] for classes whose instances Marshal shall make by
// calling them with the fields in order: namedtuples, dataclasses with slots, or any class
// that checks its arguments.
func RegisterPositional[T any](module, name string) { registerStruct[T](module, name, true) }

func registerStruct[T any](module, name string, positional bool) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("pickle: Register of %s, which is no struct", t))
	}
	register(&class{global: Global{module, name}, typ: t, positional: positional})
}

// RegisterEnum makes T and a Python enum one. members are the enum's names and the values
// of T that stand for them. Marshal writes a member by its name, so the values need not be
// Python's. Python itself may write a member by its value; such a pickle is understood if
// that value, an int or str, converts to the T of a member. For a Flag it also may be any
// combination. RegisterEnum panics like [Register].
func RegisterEnum[T comparable](module, name string, members map[string]T) {
	c := &class{global: Global{module, name}, typ: reflect.TypeFor[T](),
		members: make(map[string]reflect.Value, len(members)), names: make(map[any]string, len(members))}
	if c.typ.PkgPath() == "" {
		panic(fmt.Sprintf("pickle: RegisterEnum of %s; it needs a type of its own", c.typ))
	}
	for name, v := range members {
		c.members[name] = reflect.ValueOf(v)
		if old, ok := c.names[v]; !ok || name < old {
			c.names[v] = name
		}
	}
	register(c)
}

func register(c *class) {
	if _, known := builders[c.global]; known || own[c.typ] || isException(c.global) {
		panic(fmt.Sprintf("pickle: %s or %s has its meaning already", c.global, c.typ))
	}
	registry.Lock()
	defer registry.Unlock()
	if registry.byName == nil {
		registry.byName, registry.byType = make(map[Global]*class), make(map[reflect.Type]*class)
	}
	if old := registry.byName[c.global]; old != nil {
		panic(fmt.Sprintf("pickle: %s is registered already, as %s", c.global, old.typ))
	}
	if old := registry.byType[c.typ]; old != nil {
		panic(fmt.Sprintf("pickle: %s is registered already, as %s", c.typ, old.global))
	}
	registry.byName[c.global], registry.byType[c.typ] = c, c
}

func classOf(g Global) (*class, bool) {
	registry.RLock()
	defer registry.RUnlock()
	c, ok := registry.byName[g]
	return c, ok
}

func typeClass(t reflect.Type) (*class, bool) {
	registry.RLock()
	defer registry.RUnlock()
	c, ok := registry.byType[t]
	return c, ok
}

func enumType(t reflect.Type) (*class, bool) {
	if t.PkgPath() == "" {
		return nil, false
	}
	c, ok := typeClass(t)
	return c, ok && c.enum()
}

// enumOf is the enum that x is a value of.
func enumOf(x any) (*class, bool) {
	if x == nil {
		return nil, false
	}
	return enumType(reflect.TypeOf(x))
}

// registered makes the value of a registered class for an interface.
func (d *decoder) registered(n *node, c *class) (any, error) {
	if c.enum() {
		v := reflect.New(c.typ).Elem()
		err := d.assignEnum(v, n, c)
		return v.Interface(), err
	}
	p := reflect.New(c.typ)
	n.value = p.Interface() // a cycle finds it
	return n.value, d.assignInstance(p.Elem(), fieldsOf(c.typ), n)
}

// member is the value of Module.Enum.NAME.
func member(g Global) (reflect.Value, *class, bool) {
	for i := len(g.Name) - 1; i > 0; i-- {
		if g.Name[i] == '.' {
			c, ok := classOf(Global{g.Module, g.Name[:i]})
			if !ok || !c.enum() {
				break
			}
			v, ok := c.members[g.Name[i+1:]]
			return v, c, ok
		}
	}
	return reflect.Value{}, nil, false
}

// assignEnum sets a member by its name, by a call of its class with its value, or by the
// bare value.
func (d *decoder) assignEnum(dst reflect.Value, x any, c *class) error {
	value := x
	switch x := x.(type) {
	case nil:
		return misfit(x, c.typ)
	case *node:
		if x.kind != objectNode || x.object.class != c.global || len(x.object.args.items) != 1 {
			return misfit(x, c.typ)
		}
		value = x.object.args.items[0]
	default:
		if reflect.TypeOf(x) == c.typ {
			dst.Set(reflect.ValueOf(x))
			return nil
		}
	}
	v, err := d.natural(value)
	if err != nil {
		return err
	}
	switch dst.Kind() {
	case reflect.Struct, reflect.Interface, reflect.Pointer, reflect.Array:
		return reason("%s(%s): only its names are known", c.global, describe(v))
	}
	if err := assignScalar(dst, v); err != nil {
		return err
	}
	if _, ok := c.names[dst.Interface()]; ok || dst.CanInt() || dst.CanUint() {
		return nil // an int that is no member may be a combination of flags
	}
	return reason("%s has no member of that value", c.global)
}
