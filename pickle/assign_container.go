package pickle

import (
	"reflect"
)

// elements are the elements of anything that Python iterates like a list.
func (d *decoder) elements(x any) ([]any, bool, error) {
	n, ok := x.(*node)
	if !ok {
		items, ok := naturalElements(x)
		return items, ok, nil
	}
	if n.shared {
		if err := d.charge(len(n.items)); err != nil {
			return nil, false, err
		}
	}
	switch n.kind {
	case listNode, tupleNode, setNode, frozenSetNode:
		return n.items, true, nil
	case dictNode:
		return nil, false, nil
	}
	c := n.object
	switch c.class {
	case Global{"builtins", "list"}, Global{"builtins", "set"}, Global{"builtins", "frozenset"},
		Global{"builtins", "tuple"}, Global{"collections", "deque"}:
		if len(c.items) > 0 || len(c.args.items) == 0 {
			return c.items, true, nil
		}
		return d.elements(c.args.items[0])
	}
	return c.items, len(c.items) > 0 && len(c.pairs) == 0, nil
}

// naturalElements are those of a value that natural has made.
func naturalElements(x any) ([]any, bool) {
	switch x := x.(type) {
	case []any:
		return x, true
	case Tuple:
		return x, true
	case Set:
		return x, true
	case FrozenSet:
		return x, true
	case *Deque:
		return x.Items, true
	}
	return nil, false
}

// pairs are the keys and values, in turn, of anything that is a dict in Python.
func (d *decoder) pairs(x any) ([]any, bool, error) {
	n, ok := x.(*node)
	if !ok {
		return nil, false, nil
	}
	if n.shared {
		if err := d.charge(len(n.items)); err != nil {
			return nil, false, err
		}
	}
	if n.kind == dictNode {
		return n.items, true, nil
	}
	if n.kind != objectNode {
		return nil, false, nil
	}
	c := n.object
	switch c.class {
	case Global{"builtins", "dict"}, Global{"collections", "OrderedDict"}, Global{"collections", "Counter"}:
		if len(c.pairs) > 0 || len(c.args.items) == 0 {
			return c.pairs, true, nil
		}
		first, ok := c.args.items[0].(*node)
		if ok && first.kind == dictNode {
			return d.pairs(first)
		}
		return d.pairsOfPairs(c.args.items[0])
	case Global{"collections", "defaultdict"}:
		return c.pairs, true, nil
	}
	return c.pairs, len(c.pairs) > 0, nil
}

// pairsOfPairs takes apart a list of lists or tuples of two.
func (d *decoder) pairsOfPairs(x any) ([]any, bool, error) {
	items, ok, err := d.elements(x)
	if !ok || err != nil {
		return nil, false, err
	}
	flat := make([]any, 0, 2*len(items))
	for _, item := range items {
		pair, ok, err := d.elements(item)
		if !ok || err != nil || len(pair) != 2 {
			return nil, false, err
		}
		flat = append(flat, pair...)
	}
	return flat, true, nil
}

func (d *decoder) assignSlice(dst reflect.Value, x any) error {
	t := dst.Type()
	switch v := x.(type) {
	case nil:
		dst.SetZero()
		return nil
	case []byte:
		if t.Elem().Kind() == reflect.Uint8 {
			dst.SetBytes(v)
			return nil
		}
	case ByteArray:
		if t.Elem().Kind() == reflect.Uint8 {
			dst.SetBytes(v)
			return nil
		}
	}
	if t.Elem() == itemType {
		return d.assignItems(dst, x)
	}
	items, ok, err := d.elements(x)
	if err != nil {
		return err
	}
	if !ok {
		return d.assignVector(dst, x)
	}
	if t.Elem() == anyType {
		return d.assignAnys(dst, x, items)
	}
	switch p := dst.Addr().Interface().(type) { // the most common ones go faster
	case *[]string:
		return collect(d, p, items)
	case *[]int64:
		return collect(d, p, items)
	case *[]float64:
		return collect(d, p, items)
	}
	s := reflect.MakeSlice(t, len(items), len(items))
	for i, item := range items {
		if err := d.assign(s.Index(i), item); err != nil {
			return withinIndex(err, i)
		}
	}
	dst.Set(s)
	return nil
}

// collect sets *p to items, most of which are what they shall be already.
func collect[T any](d *decoder, p *[]T, items []any) error {
	s := make([]T, len(items))
	for i, item := range items {
		x, ok := item.(T)
		if ok {
			s[i] = x
			continue
		}
		if err := d.assign(reflect.ValueOf(&s[i]).Elem(), item); err != nil {
			return withinIndex(err, i)
		}
	}
	*p = s
	return nil
}

// assignAnys sets a slice of any. It is the one that an interface would get, so that both
// share their elements.
func (d *decoder) assignAnys(dst reflect.Value, x any, items []any) error {
	v, err := d.natural(x)
	if err != nil {
		return err
	}
	natural, ok := naturalElements(v)
	if !ok {
		if natural, err = d.naturals(items, true); err != nil {
			return err
		}
	}
	dst.Set(reflect.ValueOf(natural).Convert(dst.Type()))
	return nil
}

// assignItems sets a Dict, OrderedDict, Counter or another slice of items.
func (d *decoder) assignItems(dst reflect.Value, x any) error {
	pairs, ok, err := d.pairs(x)
	if err != nil {
		return err
	}
	if !ok {
		return misfit(x, dst.Type())
	}
	items, err := d.items(pairs)
	if err != nil {
		return err
	}
	dst.Set(reflect.ValueOf([]Item(items)).Convert(dst.Type()))
	return nil
}

// assignVector sets a slice to the elements of an array, or to bytes that need building.
func (d *decoder) assignVector(dst reflect.Value, x any) error {
	n, ok := x.(*node)
	if !ok || n.kind != objectNode {
		return misfit(x, dst.Type())
	}
	v, err := d.natural(x)
	if err != nil {
		return err
	}
	var data any
	switch v := v.(type) {
	case *NDArray:
		if len(v.Shape) != 1 {
			return reason("an array of %d dimensions does not fit %s; use NDArray", len(v.Shape), dst.Type())
		}
		data = v.Data
	case *Array:
		data = v.Data
	case *Object:
		return misfit(v, dst.Type())
	case []byte, ByteArray:
		return d.assignSlice(dst, v)
	default:
		return setTo(dst, v)
	}
	from := reflect.ValueOf(data)
	if from.Type().AssignableTo(dst.Type()) {
		dst.Set(from)
		return nil
	}
	if err := d.charge(from.Len()); err != nil {
		return err
	}
	s := reflect.MakeSlice(dst.Type(), from.Len(), from.Len())
	for i := range from.Len() {
		if err := d.assign(s.Index(i), widen(from.Index(i))); err != nil {
			return withinIndex(err, i)
		}
	}
	dst.Set(s)
	return nil
}

func (d *decoder) assignArray(dst reflect.Value, x any) error {
	t := dst.Type()
	if n, ok := x.(*node); ok && n.kind == objectNode {
		// Arrays and deques go the way of slices.
		s := reflect.New(reflect.SliceOf(t.Elem())).Elem()
		if err := d.assignSlice(s, x); err != nil {
			return err
		}
		if s.Len() != t.Len() {
			return reason("%d elements do not fit %s", s.Len(), t)
		}
		reflect.Copy(dst, s)
		return nil
	}
	if b, ok := asBytes(x); ok && t.Elem().Kind() == reflect.Uint8 {
		if len(b) != t.Len() {
			return reason("%d bytes do not fit %s", len(b), t)
		}
		for i, c := range b {
			dst.Index(i).SetUint(uint64(c))
		}
		return nil
	}
	items, ok, err := d.elements(x)
	switch {
	case err != nil:
		return err
	case !ok:
		return misfit(x, t)
	case len(items) != t.Len():
		return reason("%d elements do not fit %s", len(items), t)
	}
	for i, item := range items {
		if err := d.assign(dst.Index(i), item); err != nil {
			return withinIndex(err, i)
		}
	}
	return nil
}

func (d *decoder) assignMap(dst reflect.Value, x any) error {
	t := dst.Type()
	if x == nil {
		dst.SetZero()
		return nil
	}
	pairs, ok, err := d.pairs(x)
	if err != nil {
		return err
	}
	if !ok {
		return d.assignKeys(dst, x)
	}
	m := reflect.MakeMapWithSize(t, len(pairs)/2)
	d.remember(x, m)
	key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
	for i := 0; i < len(pairs); i += 2 {
		key.SetZero()
		value.SetZero()
		if err := d.assignKey(key, pairs[i]); err != nil {
			return within(err, ".keys()["+cut(describe(pairs[i]))+"]")
		}
		if err := d.assign(value, pairs[i+1]); err != nil {
			return withinKey(err, pairs[i])
		}
		m.SetMapIndex(key, value)
	}
	dst.Set(m)
	return nil
}

func (d *decoder) assignKey(key reflect.Value, x any) error {
	if err := d.assign(key, x); err != nil {
		return err
	}
	if !key.Comparable() {
		return reason("a %s cannot be the key of a map; use a Dict", describe(x))
	}
	return nil
}

// assignKeys sets a map that is a set: its values are struct{} or bool.
func (d *decoder) assignKeys(dst reflect.Value, x any) error {
	t := dst.Type()
	present := reflect.New(t.Elem()).Elem()
	n, isNode := x.(*node)
	isSet := isNode && (n.kind == setNode || n.kind == frozenSetNode || n.kind == objectNode)
	switch {
	case !isSet:
		return misfit(x, t)
	case t.Elem().Kind() == reflect.Bool:
		present.SetBool(true)
	case t.Elem().Kind() != reflect.Struct || t.Elem().NumField() != 0:
		return misfit(x, t)
	}
	items, ok, err := d.elements(x)
	if err != nil {
		return err
	}
	if !ok {
		return misfit(x, t)
	}
	m := reflect.MakeMapWithSize(t, len(items))
	key := reflect.New(t.Key()).Elem()
	for i, item := range items {
		key.SetZero()
		if err := d.assignKey(key, item); err != nil {
			return withinIndex(err, i)
		}
		m.SetMapIndex(key, present)
	}
	dst.Set(m)
	return nil
}
