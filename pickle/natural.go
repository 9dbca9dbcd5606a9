package pickle

import (
	"math"
	"math/big"
	"math/cmplx"
	"reflect"
	"slices"
	"time"
)

// decoder turns nodes into Go values. A node that the pickle refers to only once is used
// up: its items become those of the Go value. One that is shared stays as it is, because
// it may be needed as another type; each type is made of it once.
type decoder struct {
	codec  *Codec
	depth  int
	budget int // steps that are not paid for by bytes of the pickle
	made   map[madeKey]reflect.Value
	active map[madeKey]bool
	zones  map[string]*time.Location
}

// charge pays for n steps of work on something that the pickle may repeat with few bytes.
func (d *decoder) charge(n int) error {
	if d.budget -= n; d.budget < 0 {
		return reason("the pickle repeats shared parts so often that it would take far more than its size")
	}
	return nil
}

func (d *decoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return reason("nested deeper than %d", maxDepth)
	}
	return nil
}

var anyType = reflect.TypeFor[any]()

// natural returns x as the Go value that an interface gets.
func (d *decoder) natural(x any) (any, error) {
	n, ok := x.(*node)
	if !ok {
		return x, nil
	}
	if n.value != nil {
		return n.value, nil
	}
	if n.busy {
		return nil, reason("a cycle through this %s, which a Go value cannot hold", describe(n))
	}
	if err := d.enter(); err != nil {
		return nil, err
	}
	n.busy = true
	v, err := d.build(n)
	n.busy = false
	d.depth--
	if err != nil {
		return nil, err
	}
	n.value = v
	return v, nil
}

func (d *decoder) build(n *node) (any, error) {
	switch n.kind {
	case dictNode:
		return d.dict(n)
	case objectNode:
		return d.instance(n, anyType)
	}
	items, err := d.naturals(n.items, n.shared)
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case tupleNode:
		return Tuple(items), nil
	case setNode:
		return Set(items), nil
	case frozenSetNode:
		return FrozenSet(items), nil
	}
	return items, nil
}

// naturals converts items, in place unless they are kept. The result is not nil.
func (d *decoder) naturals(items []any, keep bool) ([]any, error) {
	if items == nil {
		return []any{}, nil
	}
	if keep {
		items = slices.Clone(items)
	}
	for i, x := range items {
		if _, ok := x.(*node); !ok {
			continue
		}
		v, err := d.natural(x)
		if err != nil {
			return nil, withinIndex(err, i)
		}
		items[i] = v
	}
	return items[:len(items):len(items)], nil
}

// dict makes a map[any]any, or a Dict if a key needs one.
func (d *decoder) dict(n *node) (any, error) {
	plain := true
	for i := 0; i < len(n.items) && plain; i += 2 {
		plain = plainKey(n.items[i])
	}
	if !plain {
		return d.dictInOrder(n)
	}
	m := make(map[any]any, len(n.items)/2)
	n.value = m // a cycle finds it
	for i := 0; i < len(n.items); i += 2 {
		v, err := d.natural(n.items[i+1])
		if err != nil {
			return nil, withinKey(err, n.items[i])
		}
		m[n.items[i]] = v
	}
	return m, nil
}

// dictInOrder converts the keys, too, and decides by what they became.
func (d *decoder) dictInOrder(n *node) (any, error) {
	items, err := d.items(n.items)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if !plainKey(item.Key) {
			return items, nil
		}
	}
	m := make(map[any]any, len(items))
	for _, item := range items {
		m[item.Key] = item.Value
	}
	return m, nil
}

// items converts keys and values, in turn, into entries. The result is not nil.
func (d *decoder) items(pairs []any) (Dict, error) {
	items := make(Dict, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, err := d.natural(pairs[i])
		if err != nil {
			return nil, within(err, ".keys()["+describe(pairs[i])+"]")
		}
		value, err := d.natural(pairs[i+1])
		if err != nil {
			return nil, withinKey(err, key)
		}
		items = append(items, Item{key, value})
	}
	return items, nil
}

// plainKey reports whether Go's equality of x in an interface is Python's.
func plainKey(x any) bool {
	switch x := x.(type) {
	case float64:
		return !math.IsNaN(x) // equals nothing in Go; Python finds it by its identity
	case complex128:
		return !cmplx.IsNaN(x)
	case nil, bool, int64, string, time.Duration, Date, DateTime, UUID, Decimal, Path, WindowsPath, Ellipsis, Global:
		return true
	}
	_, enum := enumOf(x)
	return enum
}

// instance makes the value of an object for a place of type want: by the table, as a
// registered class, by the Codec, or as an inert Object.
func (d *decoder) instance(n *node, want reflect.Type) (any, error) {
	c := n.object
	if build, ok := builders[c.class]; ok {
		v, ok, err := build(d, n)
		if ok || err != nil {
			return v, err
		}
	} else if class, ok := classOf(c.class); ok {
		return d.registered(n, class)
	} else if isException(c.class) && !c.new {
		return d.exception(n)
	}
	o, err := d.inert(n)
	if err != nil || d.codec.Build == nil {
		return o, err
	}
	v, ok, err := d.codec.Build(o, want)
	switch {
	case err != nil:
		return nil, hookError(err)
	case ok:
		return v, nil
	}
	return o, nil
}

func (d *decoder) inert(n *node) (*Object, error) {
	c := n.object
	o := &Object{Module: c.class.Module, Name: c.class.Name, New: c.new}
	if d.codec.Build == nil {
		n.value = o // a cycle finds it
	}
	args, err := d.natural(c.args)
	if err != nil {
		return nil, within(err, ".Args")
	}
	o.Args = args.(Tuple)
	if c.kwargs != nil {
		if err := d.charge(len(c.kwargs.items)); err != nil {
			return nil, err
		}
		if o.Kwargs, err = d.items(c.kwargs.items); err != nil {
			return nil, within(err, ".Kwargs")
		}
	}
	if c.items != nil {
		if o.Items, err = d.naturals(c.items, n.shared); err != nil {
			return nil, within(err, ".Items")
		}
	}
	if c.pairs != nil {
		if o.Dict, err = d.items(c.pairs); err != nil {
			return nil, within(err, ".Dict")
		}
	}
	if o.State, err = d.natural(c.state); err != nil {
		return nil, within(err, ".State")
	}
	return o, nil
}

// describeNatural names what x is in Python's words.
func describeNatural(x any) string {
	switch x := x.(type) {
	case int64, *big.Int:
		return "int"
	case complex128:
		return "complex"
	case []any:
		return "list"
	case Tuple:
		return "tuple"
	case Set:
		return "set"
	case FrozenSet:
		return "frozenset"
	case Dict, map[any]any:
		return "dict"
	case *Object:
		return cut(x.Module+"."+x.Name) + " object"
	case *Exception:
		return cut(x.Class)
	case time.Time, DateTime:
		return "datetime"
	case time.Duration:
		return "timedelta"
	}
	return reflectName(x)
}
