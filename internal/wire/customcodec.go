package wire

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"
)

// ownEncodings are the types whose values the program encodes itself.
var customCodecs struct {
	sync.RWMutex
	byType map[reflect.Type]*customCodec
}

// ownEncoding is what the program has registered for one type.
type customCodec struct {
	name   string
	encode func(v reflect.Value) ([]byte, error)
	decode func(p []byte) (reflect.Value, error)
}

// RegisterCodec makes values of exactly type t travel as enc encodes them, wherever they appear,
// whatever would carry them otherwise. dec gets bytes that it may keep. A nil pointer is not
// encoded. Plans and codecs that were made before are made anew, so it may be called after
// For, but before a value is encoded or decoded.
//
// It panics if t has such an encoding, or is carried by a Hook.
func RegisterCodec(name string, t reflect.Type, enc func(v reflect.Value) ([]byte, error), dec func(p []byte) (reflect.Value, error)) {
	if hookOf(t) != nil {
		panic(fmt.Sprintf("mp: RegisterCodec(%q): a %v is carried by this package", name, t))
	}
	compiling.Lock()
	defer compiling.Unlock()
	customCodecs.Lock()
	if earlier := customCodecs.byType[t]; earlier != nil {
		customCodecs.Unlock()
		panic(fmt.Sprintf("mp: RegisterCodec(%q): the type %v has the codec %q already%s", name, t, earlier.name, registeredAt(earlier.name)))
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
		c.(interface{ remake() }).remake()
		return true
	})
}

func customCodecOf(t reflect.Type) *customCodec {
	customCodecs.RLock()
	defer customCodecs.RUnlock()
	return customCodecs.byType[t]
}

// encoded makes the plan of a type that the program encodes: the length and the bytes, after
// a byte that says whether a pointer is nil.
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

// decodeOwn reads a value that the program has encoded.
func decodeCustom(r *Reader, value reflect.Value, own *customCodec, what string) error {
	if value.Kind() == reflect.Pointer {
		switch r.Byte() {
		case 0:
			value.SetZero()
			return r.err
		case 1:
		default:
			return r.fail("a pointer is neither nil nor not nil")
		}
	}
	encoded := bytes.Clone(r.Raw()) // the codec may keep it, and nobody else writes to it
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

// protoMessage is what every generated protobuf message has.
var protoMessage = reflect.TypeFor[interface{ ProtoMessage() }]()

// isProto says whether t is the struct of a protobuf message. Such a struct has hidden state that belongs to
// its process: once the message was used it holds addresses. A type with methods of its own
// for it, MarshalBinary and UnmarshalBinary, travels by these.
func isProto(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(protoMessage) && !embeds(t, protoMessage) && !marshals(t)
}

// protoReason says what to do about a protobuf message.
func protoReason(t reflect.Type) string {
	return fmt.Sprintf("a *%v is a protobuf message, whose hidden state belongs to its process: before Main call mp.RegisterCodec[*%v](\"%v\", encode, decode), where encode calls proto.Marshal, and decode proto.Unmarshal into a new message", t, t, t)
}
