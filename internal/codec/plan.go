package codec

import (
	"reflect"
	"sync"
	"sync/atomic"
)

// plan describes how values of one type are encoded and decoded. It is made once per type and does
// not change after it was published. Plans refer to the plans of their parts, so the plan of a
// recursive type refers to itself.
type plan struct {
	typ  reflect.Type
	size uintptr
	// flat: the value holds no pointers and travels as its size bytes of memory.
	flat bool
	// bools are the positions of bools in flat memory, which decoding normalises.
	bools []boolSpan
	// minSize is the smallest number of bytes that an encoded value takes. It is 0 only for flat
	// types of size 0.
	minSize int
	// maybeIncomparable: the value holds interfaces or is decoded by a method, so it may turn out
	// not to be a valid map key.
	maybeIncomparable bool

	encode func(b *Buffer, p address) *Error
	decode func(r *Reader, p address) error

	descriptor atomic.Pointer[[]byte] // see describe
	temps      sync.Pool              // of address, see getTemp
}

var (
	plans     sync.Map // reflect.Type to *plan, only complete ones
	compiling sync.Mutex
)

// planFor returns the plan of t, making it on the first call.
func planFor(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	compiling.Lock()
	defer compiling.Unlock()
	c := compiler{}
	p := c.plan(t)
	// Published only now: the plans of a recursive type are incomplete until the outermost is
	// complete.
	for t, p := range c {
		plans.LoadOrStore(t, p)
	}
	return p
}

// compiler holds the plans that one call of planFor makes.
type compiler map[reflect.Type]*plan

// plan returns the plan of t. Inside a recursive type it may be incomplete, and then is not flat,
// which is right: such a type holds a pointer.
func (c compiler) plan(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	if p := c[t]; p != nil {
		return p
	}
	p := &plan{typ: t, size: t.Size(), minSize: 1}
	c[t] = p
	if !c.special(p) {
		c.byKind(p)
	}
	if p.flat {
		c.flat(p)
	}
	return p
}

// special makes the plan of a type that is not encoded according to its kind.
func (c compiler) special(p *plan) bool {
	if own := customCodecOf(p.typ); own != nil {
		c.customCodec(p, own)
		return true
	}
	if reason := refusalOf(p.typ); reason != "" {
		c.refuse(p, reason)
		return true
	}
	if h := hookOf(p.typ); h != nil {
		c.hooked(p, h)
		return true
	}
	switch p.typ {
	case timeType:
		c.time(p)
		return true
	case locationPointerType:
		c.location(p)
		return true
	}
	return false
}

func (c compiler) byKind(p *plan) {
	switch p.typ.Kind() {
	case reflect.Bool:
		p.flat, p.bools = true, []boolSpan{{count: 1, stride: 1}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		p.flat = true
	case reflect.Array:
		c.array(p)
	case reflect.Struct:
		c.structure(p)
	case reflect.String:
		c.text(p)
	case reflect.Slice:
		c.slice(p)
	case reflect.Map:
		c.mapping(p)
	case reflect.Pointer:
		c.pointer(p)
	case reflect.Interface:
		c.iface(p)
	default: // Chan, Func, UnsafePointer
		c.refuse(p, unsupportedKind(p.typ))
	}
	switch {
	case p.flat && mayRefuse(p.typ):
		c.consenting(p)
	case !p.flat && marshals(p.typ):
		c.marshaler(p)
	}
}

// refuse makes a plan whose values cannot travel.
func (c compiler) refuse(p *plan, reason string) {
	p.encode = func(*Buffer, address) *Error { return refused(reason) }
	p.decode = func(r *Reader, _ address) error { return r.fail(reason) }
}

// getTemp returns a zero variable of the plan's type, for a value that has no address because it is
// inside a map or an interface.
func (p *plan) getTemp() address {
	if spare := p.temps.Get(); spare != nil {
		return spare.(address)
	}
	return newValue(p.typ)
}

// putTemp takes back a variable from getTemp, which must no longer be in use.
func (p *plan) putTemp(v address) {
	if p.size > keptCapacity {
		return
	}
	valueAt(p.typ, v).SetZero()
	p.temps.Put(v)
}
