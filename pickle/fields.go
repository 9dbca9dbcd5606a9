package pickle

import (
	"reflect"
	"strings"
	"sync"
)

// field is a field of a struct that is an attribute, or a key, in Python.
type field struct {
	name  string
	index []int
}

// fields are those of a struct, in order.
type fields struct {
	list   []field
	byName map[string]int
	folded map[string]int // names in lower case without underscores
}

var fieldCache sync.Map // reflect.Type to *fields

// fieldsOf lists the exported fields of t. The fields of an embedded struct without a tag
// are t's own; an outer field hides an inner one of the same name.
func fieldsOf(t reflect.Type) *fields {
	if f, ok := fieldCache.Load(t); ok {
		return f.(*fields)
	}
	f := &fields{byName: make(map[string]int), folded: make(map[string]int)}
	depth := make(map[string]int)
	f.collect(t, nil, depth)
	for i, x := range f.list {
		if fold := fold(x.name); fold != x.name {
			if _, taken := f.folded[fold]; !taken {
				f.folded[fold] = i
			}
		}
	}
	actual, _ := fieldCache.LoadOrStore(t, f)
	return actual.(*fields)
}

func (f *fields) collect(t reflect.Type, outer []int, depth map[string]int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(outer[:len(outer):len(outer)], i)
		name, tagged := sf.Tag.Lookup("pickle")
		if name == "-" {
			continue
		}
		if sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct && !own[sf.Type] {
			f.collect(sf.Type, index, depth)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		if at, taken := f.byName[name]; taken {
			if depth[name] > len(index) {
				f.list[at].index, depth[name] = index, len(index)
			}
			continue
		}
		f.byName[name], depth[name] = len(f.list), len(index)
		f.list = append(f.list, field{name, index})
	}
}

func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// find returns the number of the field that an attribute goes into, or -1.
func (f *fields) find(name string) int {
	if i, ok := f.byName[name]; ok {
		return i
	}
	folded := fold(name)
	if i, ok := f.folded[folded]; ok {
		return i
	}
	if i, ok := f.byName[folded]; ok {
		return i
	}
	return -1
}

func (d *decoder) assignStruct(dst reflect.Value, x any) error {
	t := dst.Type()
	f := fieldsOf(t)
	if len(f.list) == 0 {
		if x == nil && t.NumField() == 0 {
			return nil // None is struct{}
		}
		if t.NumField() > 0 {
			return reason("%s has no exported fields", t)
		}
	}
	n, ok := x.(*node)
	if !ok {
		return misfit(x, t)
	}
	switch n.kind {
	case dictNode:
		return d.assignNamed(dst, f, n)
	case tupleNode:
		return d.assignPositional(dst, f, n)
	case objectNode:
		return d.assignInstance(dst, f, n)
	}
	return misfit(x, t)
}

// assignNamed sets fields by the keys of a dict. Keys without a field are skipped.
func (d *decoder) assignNamed(dst reflect.Value, f *fields, x any) error {
	pairs, ok, err := d.pairs(x)
	if err != nil {
		return err
	}
	if !ok {
		return misfit(x, dst.Type())
	}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			continue
		}
		at := f.find(key)
		if at < 0 {
			continue
		}
		v := dst.FieldByIndex(f.list[at].index)
		if err := d.assign(v, pairs[i+1]); err != nil {
			return within(err, "."+dst.Type().FieldByIndex(f.list[at].index).Name)
		}
	}
	return nil
}

// assignPositional sets the fields in order to the elements of a tuple or list.
func (d *decoder) assignPositional(dst reflect.Value, f *fields, x any) error {
	items, ok, err := d.elements(x)
	switch {
	case err != nil:
		return err
	case !ok:
		return misfit(x, dst.Type())
	case len(items) != len(f.list):
		return reason("%d elements do not fit the %d fields of %s", len(items), len(f.list), dst.Type())
	}
	for i, item := range items {
		if err := d.assign(dst.FieldByIndex(f.list[i].index), item); err != nil {
			return within(err, "."+dst.Type().FieldByIndex(f.list[i].index).Name)
		}
	}
	return nil
}

// assignInstance sets fields by the attributes of an object: its arguments in order, as
// those of a namedtuple, or the names in its state.
func (d *decoder) assignInstance(dst reflect.Value, f *fields, n *node) error {
	c := n.object
	if class, ok := classOf(c.class); ok && class.typ != dst.Type() && !class.enum() {
		return reason("a %s is registered as %s and does not fit %s", c.class, class.typ, dst.Type())
	}
	if len(c.args.items) > 0 {
		if err := d.assignPositional(dst, f, c.args); err != nil {
			return err
		}
	}
	if c.kwargs != nil {
		if err := d.assignNamed(dst, f, c.kwargs); err != nil {
			return err
		}
	}
	state, ok := c.state.(*node)
	switch {
	case c.state == nil && len(c.pairs) > 0:
		return d.assignNamed(dst, f, n) // a subclass of dict
	case c.state == nil:
		return nil
	case !ok || state.kind == objectNode:
		return misfit(n, dst.Type())
	case state.kind == dictNode:
		return d.assignNamed(dst, f, state)
	case state.kind == listNode: // dataclass(frozen=True, slots=True)
		return d.assignPositional(dst, f, state)
	}
	if len(state.items) != 2 {
		return misfit(n, dst.Type())
	}
	for _, part := range state.items { // __dict__ and __slots__, each a dict or None
		if part == nil {
			continue
		}
		if err := d.assignNamed(dst, f, part); err != nil {
			return err
		}
	}
	return nil
}
