package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"
)

// customCodecs holds the codecs that the program has registered.
var customCodecs struct {
	sync.RWMutex
	byType map[reflect.Type]*customCodec
}

// customCodec is the program's codec for one type.
type customCodec struct {
	name   string
	encode func(v reflect.Value) ([]byte, error)
	decode func(p []byte) (reflect.Value, error)
}

// RegisterCustom makes enc and dec encode and decode all values of exactly type t, in place of the
// default encoding. dec may keep the bytes it gets. enc never gets a nil pointer. RegisterCustom
// recompiles existing plans, so it may be called after For, but not after a value was encoded or
// decoded.
//
// It panics if t already has a codec or a Hook.
func RegisterCustom(name string, t reflect.Type, enc func(v reflect.Value) ([]byte, error), dec func(p []byte) (reflect.Value, error)) {
	if hookOf(t) != nil {
		panic(fmt.Sprintf("mp: RegisterCodec(%q): mp encodes a %v itself, and no codec can replace that: remove this call", name, t))
	}
	compiling.Lock()
	defer compiling.Unlock()
	customCodecs.Lock()
	if earlier := customCodecs.byType[t]; earlier != nil {
		customCodecs.Unlock()
		panic(fmt.Sprintf("mp: RegisterCodec(%q): the type %v already has the codec %q%s", name, t, earlier.name, registeredAt(earlier.name)))
	}
	if customCodecs.byType == nil {
		customCodecs.byType = make(map[reflect.Type]*customCodec)
	}
	customCodecs.byType[t] = &customCodec{name: name, encode: enc, decode: dec}
	customCodecs.Unlock()
	plans.Clear()
	dynamicTypes.Lock()
	clear(dynamicTypes.plans)
	clear(dynamicTypes.rare[:])
	dynamicTypes.Unlock()
	codecs.Range(func(_, c any) bool {
		c.(interface{ recompile() }).recompile()
		return true
	})
}

func customCodecOf(t reflect.Type) *customCodec {
	customCodecs.RLock()
	defer customCodecs.RUnlock()
	return customCodecs.byType[t]
}

// customCodec makes the plan of a type with a registered codec. A pointer begins with a byte: 0 for
// nil, 1 otherwise. The length and the bytes follow.
func (c compiler) customCodec(p *plan, own *customCodec) {
	t := p.typ
	what := fmt.Sprintf("the codec %q of %v", own.name, t)
	pointer := t.Kind() == reflect.Pointer
	p.minSize, p.maybeIncomparable = 1, true
	p.encode = func(b *Buffer, v address) *Error {
		value := valueAt(t, v)
		if pointer {
			if value.IsNil() {
				b.Byte(0)
				return nil
			}
			if b.walk.inKey {
				return refused(reasonKeyPointer)
			}
			b.Byte(1)
		}
		var encoded []byte
		b.walk.noteMarshaler(t)
		err := guard(&b.exited, t, "the codec", func() (err error) {
			encoded, err = own.encode(value)
			return err
		})
		if err != nil {
			e := refused(fmt.Sprintf("%s failed: %v", what, err))
			e.Err = err
			return e
		}
		b.rawCopy(encoded)
		return nil
	}
	p.decode = func(r *Reader, v address) error { return decodeCustom(r, valueAt(t, v), own, what) }
}

// decodeCustom decodes a value of a type with a registered codec.
func decodeCustom(r *Reader, value reflect.Value, own *customCodec, what string) error {
	if value.Kind() == reflect.Pointer {
		switch r.Byte() {
		case 0:
			value.SetZero()
			return r.err
		case 1:
		default:
			return r.fail("the flag of a pointer is neither 0 nor 1")
		}
	}
	encoded := bytes.Clone(r.Raw()) // the codec may keep it, and the sender may still write to the message
	if r.err != nil {
		return r.err
	}
	err := guard(&r.err, value.Type(), "the codec", func() error {
		value.SetZero()
		got, err := own.decode(encoded)
		if err == nil {
			value.Set(got)
		}
		return err
	})
	if err != nil && !r.tolerates(what, err) {
		return r.err
	}
	return nil
}

// protoMessage is implemented by every generated protobuf message.
var protoMessage = reflect.TypeFor[interface{ ProtoMessage() }]()

// isProto reports whether t is the struct of a protobuf message. Such a message has hidden state
// that belongs to its process: once used, it holds addresses. A type with its own MarshalBinary and
// UnmarshalBinary is encoded by these methods and does not count.
func isProto(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(protoMessage) && !embeds(t, protoMessage) && !marshals(t)
}

// protoReason explains how to send a protobuf message.
func protoReason(t reflect.Type) string {
	return fmt.Sprintf("a *%v is a protobuf message, and its hidden state is valid only in its process: before Main, call mp.RegisterCodec[*%v](\"%v\", encode, decode), where encode calls proto.Marshal and decode calls proto.Unmarshal on a new message", t, t, t)
}
