package pickle

import (
	"math/big"
	"reflect"
	"time"
)

// madeKey is one type made of one shared node.
type madeKey struct {
	n *node
	t reflect.Type
}

var (
	errorType     = reflect.TypeFor[error]()
	bigIntType    = reflect.TypeFor[big.Int]()
	bigRatType    = reflect.TypeFor[big.Rat]()
	timeType      = reflect.TypeFor[time.Time]()
	durationType  = reflect.TypeFor[time.Duration]()
	itemType      = reflect.TypeFor[Item]()
	scalarType    = reflect.TypeFor[Scalar]()
	exceptionType = reflect.TypeFor[Exception]()
)

// own are the types that only the Python type they stand for goes into.
var own = map[reflect.Type]bool{
	bigRatType: true, timeType: true, durationType: true, exceptionType: true,
	reflect.TypeFor[Date](): true, reflect.TypeFor[TimeOfDay](): true, reflect.TypeFor[DateTime](): true,
	reflect.TypeFor[UUID](): true, reflect.TypeFor[Decimal](): true, reflect.TypeFor[Path](): true,
	reflect.TypeFor[WindowsPath](): true, reflect.TypeFor[Range](): true, reflect.TypeFor[Slice](): true,
	reflect.TypeFor[Ellipsis](): true, reflect.TypeFor[Global](): true, reflect.TypeFor[Object](): true,
	reflect.TypeFor[NDArray](): true, reflect.TypeFor[Array](): true, reflect.TypeFor[Scalar](): true,
	reflect.TypeFor[time.Location](): true, reflect.TypeFor[DefaultDict](): true, reflect.TypeFor[Deque](): true, reflect.TypeFor[ByteArray](): true,
}

// assign sets dst to x.
func (d *decoder) assign(dst reflect.Value, x any) error {
	t := dst.Type()
	n, _ := x.(*node)
	if n == nil && plainType(t) {
		return assignScalar(dst, x)
	}
	if t.Kind() == reflect.Interface || n == nil || !n.shared {
		return d.assignNew(dst, x)
	}
	if n.value != nil && reflect.TypeOf(n.value) == t {
		dst.Set(reflect.ValueOf(n.value)) // perhaps a registered class that is not filled yet
		return nil
	}
	key := madeKey{n, t}
	if v, ok := d.made[key]; ok {
		dst.Set(v)
		return nil
	}
	if d.active[key] {
		return reason("a cycle through this %s, which %s cannot hold", describe(x), t)
	}
	if d.made == nil {
		d.made, d.active = make(map[madeKey]reflect.Value), make(map[madeKey]bool)
	}
	d.active[key] = true
	defer delete(d.active, key)
	if err := d.assignNew(dst, x); err != nil {
		return err
	}
	kept := reflect.New(t).Elem()
	kept.Set(dst)
	d.made[key] = kept
	return nil
}

// remember lets a cycle through x find v, which is not filled yet.
func (d *decoder) remember(x any, v reflect.Value) {
	if n, ok := x.(*node); ok && n.shared {
		d.made[madeKey{n, v.Type()}] = v
	}
}

// plainType reports whether t is a predeclared bool, number or string.
func plainType(t reflect.Type) bool {
	k := t.Kind()
	return (k <= reflect.Complex128 || k == reflect.String) && t.PkgPath() == ""
}

func (d *decoder) assignNew(dst reflect.Value, x any) error {
	if err := d.enter(); err != nil {
		return err
	}
	err := d.assignKind(dst, x)
	d.depth--
	return err
}

func (d *decoder) assignKind(dst reflect.Value, x any) error {
	t := dst.Type()
	if class, ok := enumType(t); ok {
		return d.assignEnum(dst, x, class)
	}
	if own[t] {
		return d.assignOwn(dst, x)
	}
	if n, ok := x.(*node); ok && n.kind == objectNode && d.codec.Build != nil && t.Kind() != reflect.Interface {
		if done, err := d.assignBuilt(dst, n); done || err != nil {
			return err
		}
	}
	switch t.Kind() {
	case reflect.Interface:
		return d.assignInterface(dst, x)
	case reflect.Pointer:
		return d.assignPointer(dst, x)
	case reflect.Struct:
		return d.assignStruct(dst, x)
	case reflect.Map:
		return d.assignMap(dst, x)
	case reflect.Slice:
		return d.assignSlice(dst, x)
	case reflect.Array:
		return d.assignArray(dst, x)
	}
	v, err := d.natural(x)
	if err != nil {
		return err
	}
	return assignScalar(dst, v)
}

func misfit(x any, t reflect.Type) error { return reason("a %s does not fit %s", describe(x), t) }

// assignBuilt lets the Codec make an object of an unknown class for dst.
func (d *decoder) assignBuilt(dst reflect.Value, n *node) (done bool, err error) {
	c := n.object
	if _, known := builders[c.class]; known {
		return false, nil
	}
	if _, known := classOf(c.class); known {
		return false, nil
	}
	v, err := d.instance(n, dst.Type())
	if _, inert := v.(*Object); inert || err != nil {
		return false, err
	}
	return true, setTo(dst, v)
}

// setTo sets dst to v if their types allow it.
func setTo(dst reflect.Value, v any) error {
	if v == nil {
		dst.SetZero()
		return nil
	}
	rv := reflect.ValueOf(v)
	switch t := dst.Type(); {
	case rv.Type().AssignableTo(t):
		dst.Set(rv)
	case rv.Kind() == reflect.Pointer && !rv.IsNil() && rv.Type().Elem() == t:
		dst.Set(rv.Elem())
	default:
		return misfit(v, t)
	}
	return nil
}

func (d *decoder) assignInterface(dst reflect.Value, x any) error {
	var v any
	var err error
	if n, ok := x.(*node); ok && n.kind == objectNode && n.value == nil && !n.busy && d.codec.Build != nil && dst.NumMethod() > 0 {
		v, err = d.instance(n, dst.Type())
	} else {
		v, err = d.natural(x)
	}
	if err != nil {
		return err
	}
	if o, ok := v.(*Object); ok && dst.Type() == errorType && !o.New {
		// an exception's class that is not known as one
		if v, err = d.exceptionOf(o); err != nil {
			return err
		}
	}
	return setTo(dst, v)
}

func (d *decoder) assignPointer(dst reflect.Value, x any) error {
	t := dst.Type()
	if x == nil {
		dst.SetZero()
		return nil
	}
	if n, ok := x.(*node); ok && n.kind == objectNode {
		if class, ok := classOf(n.object.class); ok && class.typ == t.Elem() && !class.enum() {
			v, err := d.natural(x) // one value for all places, whether typed or not
			if err != nil {
				return err
			}
			return setTo(dst, v)
		}
	}
	if t.Elem() == bigIntType {
		return d.assignBigInt(dst, x)
	}
	if own[t.Elem()] {
		v, err := d.natural(x)
		if err != nil {
			return err
		}
		if o, ok := v.(*Object); ok && t.Elem() == exceptionType && !o.New {
			if v, err = d.exceptionOf(o); err != nil {
				return err
			}
		}
		if v != nil && reflect.TypeOf(v) == t {
			return setTo(dst, v)
		}
	}
	p := reflect.New(t.Elem())
	if named := reflect.New(t).Elem(); p.Type() != t {
		named.Set(p.Convert(t))
		d.remember(x, named)
	} else {
		d.remember(x, p)
	}
	if err := d.assign(p.Elem(), x); err != nil {
		return err
	}
	dst.Set(p.Convert(t))
	return nil
}

func (d *decoder) assignBigInt(dst reflect.Value, x any) error {
	v, err := d.natural(x)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case int64:
		dst.Set(reflect.ValueOf(big.NewInt(v)))
	case *big.Int:
		dst.Set(reflect.ValueOf(v))
	default:
		return misfit(x, dst.Type())
	}
	return nil
}

// assignOwn sets a type that stands for one Python type.
func (d *decoder) assignOwn(dst reflect.Value, x any) error {
	if n, ok := x.(*node); ok && n.kind == objectNode && dst.Type() == scalarType {
		v, ok, err := d.scalar(n)
		if err != nil || ok {
			if err == nil {
				dst.Set(reflect.ValueOf(*v))
			}
			return err
		}
	}
	v, err := d.natural(x)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		if dst.Kind() != reflect.Slice {
			return misfit(v, dst.Type())
		}
	case DateTime:
		if dst.Type() == timeType {
			dst.Set(reflect.ValueOf(v.In(time.Local)))
			return nil
		}
	case *Object:
		if dst.Type() == exceptionType && !v.New {
			e, err := d.exceptionOf(v)
			if err != nil {
				return err
			}
			return setTo(dst, e)
		}
	case []byte:
		if dst.Kind() == reflect.Slice { // ByteArray
			dst.SetBytes(v)
			return nil
		}
	}
	return setTo(dst, v)
}
