package mp

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// Importing net, os/exec, net/url or encoding/json would make every worker start later, also those
// of programs that do not use them. So the types of error of the standard library are known
// by their names: a RemoteError keeps the fields of such an error as bytes, and makes the
// error of them when errors.As asks for it, which brings the type along.

// standardTypes are the types that errors.As finds in a RemoteError.
var standardTypes = map[string]bool{
	"*os/exec.ExitError": true, "*os/exec.Error": true,
	"*net.OpError": true, "*net.DNSError": true, "*net.AddrError": true, "*net.ParseError": true, "*net.DNSConfigError": true,
	"net.InvalidAddrError": true, "net.UnknownNetworkError": true,
	"*net/url.Error": true, "net/url.EscapeError": true, "net/url.InvalidHostError": true,
	"*net/http.ProtocolError": true, "*net/http.MaxBytesError": true,
	"*net/textproto.Error": true, "net/textproto.ProtocolError": true,
	"*strconv.NumError": true, "*time.ParseError": true, "*regexp/syntax.Error": true, "text/template.ExecError": true,
	"*encoding/json.SyntaxError": true, "*encoding/json.UnmarshalTypeError": true, "*encoding/json.InvalidUnmarshalError": true,
	"*encoding/json.MarshalerError": true, "*encoding/json.UnsupportedTypeError": true,
	"*encoding/xml.SyntaxError": true, "encoding/xml.UnmarshalError": true, "*encoding/csv.ParseError": true,
	"encoding/base32.CorruptInputError": true, "encoding/base64.CorruptInputError": true, "encoding/hex.InvalidByteError": true,
	"encoding/asn1.SyntaxError": true, "encoding/asn1.StructuralError": true,
	"compress/flate.CorruptInputError": true, "compress/flate.InternalError": true, "compress/bzip2.StructuralError": true,
	"image/jpeg.FormatError": true, "image/jpeg.UnsupportedError": true, "image/png.FormatError": true, "image/png.UnsupportedError": true,
	"crypto/tls.AlertError": true,
}

// linkedTypes are those of packages that this one imports in any case.
var linkedTypes = map[string]reflect.Type{
	"*strconv.NumError": reflect.TypeFor[*strconv.NumError](), "*time.ParseError": reflect.TypeFor[*time.ParseError](),
}

// standardName is how a type stands in standardTypes.
func standardName(t reflect.Type) string {
	name, _ := typeName(t)
	return name
}

// encodeStandard writes the fields of an error of standardTypes, and returns its type's name. The name
// is "" if err has another type, or holds a value that cannot travel. The errors in wrapped travel along in any case; field
// writes every other error in it.
func encodeStandard(err error, wrapped []error, field func(b *codec.Buffer, err error) error) (name string, value *codec.Buffer) {
	v := reflect.ValueOf(err)
	if name = standardName(v.Type()); !standardTypes[name] || isNil(v) {
		return "", nil
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	value = &codec.Buffer{Copy: true}
	value.Errors = func(b *codec.Buffer, err error) error {
		for i, w := range wrapped {
			if identical(w, err) {
				b.Uvarint(uint64(i) + 1)
				return nil
			}
		}
		b.Uvarint(0)
		return field(b, err)
	}
	err = eachPart(copied, func(part reflect.Value) error { return encodePart(value, part) })
	if attached := len(value.Attachments()) > 0; err != nil || attached {
		value.Settle(false)
		return "", nil
	}
	return name, value
}

// eachPart calls f with each field of a struct, unexported ones too, or with what is no struct.
func eachPart(v reflect.Value, f func(part reflect.Value) error) error {
	if v.Kind() != reflect.Struct {
		return f(v)
	}
	for i := range v.NumField() {
		field := v.Field(i)
		if err := f(reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem()); err != nil {
			return err
		}
	}
	return nil
}

var (
	errorType = reflect.TypeFor[error]()
	typeType  = reflect.TypeFor[reflect.Type]()
)

var errPart = errors.New("an interface that cannot travel in an error")

// encodePart writes one field. An address is its network and its text, a type its text.
func encodePart(b *codec.Buffer, part reflect.Value) (err error) {
	if part.Kind() != reflect.Interface || part.Type() == errorType {
		return codec.EncodeValue(b, "err", part)
	}
	if part.IsNil() {
		b.Byte(0)
		return nil
	}
	defer func() {
		if recover() != nil {
			err = errPart
		}
	}()
	switch held := part.Interface().(type) {
	case reflect.Type:
		b.Byte(1)
		b.String(held.String())
	case interface{ Network() string }:
		text, ok := held.(interface{ String() string })
		if !ok {
			return errPart
		}
		b.Byte(1)
		b.String(held.Network())
		b.String(text.String())
	default:
		return errPart
	}
	return nil
}

// decodePart reads what encodePart wrote.
func decodePart(r *codec.Reader, part reflect.Value) error {
	if part.Kind() != reflect.Interface || part.Type() == errorType {
		return codec.DecodeValue(r, part)
	}
	if r.Byte() == 0 {
		return r.Err()
	}
	var held any
	if part.Type() == typeType {
		held = typeNamed(r.String())
	} else {
		held = &remoteAddr{network: r.String(), text: r.String()}
	}
	if r.Err() != nil || !reflect.TypeOf(held).Implements(part.Type()) {
		return errPart
	}
	part.Set(reflect.ValueOf(held))
	return nil
}

// remoteAddr is a net.Addr of another process.
type remoteAddr struct{ network, text string }

func (a *remoteAddr) Network() string { return a.network }

func (a *remoteAddr) String() string { return a.text }

// remoteType is a type of which only the name has come from another process.
type remoteType struct {
	reflect.Type // struct{}
	name         string
}

func (t *remoteType) String() string { return t.name }

func (t *remoteType) Name() string { return t.name }

// typeNamed is the type of that name, if it is a predeclared one.
func typeNamed(name string) reflect.Type {
	for _, t := range []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[float32](), reflect.TypeFor[float64](),
		reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
		reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	} {
		if t.String() == name {
			return t
		}
	}
	return &remoteType{Type: reflect.TypeFor[struct{}](), name: name}
}

// rebuild makes the error of type t that e stands for. decode reads an error that e does not wrap.
func (e *RemoteError) rebuild(t reflect.Type, decode func(r *codec.Reader) error) (err error, ok bool) {
	v := reflect.New(t).Elem()
	to := v
	if t.Kind() == reflect.Pointer {
		v.Set(reflect.New(t.Elem()))
		to = v.Elem()
	}
	r := codec.NewReader(e.value)
	r.Errors = func(r *codec.Reader) error {
		switch i := r.Uvarint(); {
		case i == 0:
			return decode(r)
		case i <= uint64(len(e.wrapped)):
			return e.wrapped[i-1]
		}
		return &RemoteError{Type: "error", Message: "error not known"}
	}
	if eachPart(to, func(part reflect.Value) error { return decodePart(r, part) }) != nil || r.Done() != nil {
		return nil, false
	}
	defer func() {
		if recover() != nil { // what came is not what such an error is made of
			err, ok = nil, false
		}
	}()
	err = v.Interface().(error)
	_ = err.Error()
	return err, true
}

// remoteTimeout is a RemoteError that knows whether it was a timeout.
type remoteTimeout struct{ *RemoteError }

// Timeout is what the error said over there.
func (e *remoteTimeout) Timeout() bool { return e.flags&isTimeout != 0 }

// remoteNetError is a net.Error.
type remoteNetError struct{ remoteTimeout }

// Temporary is what the error said over there.
func (e *remoteNetError) Temporary() bool { return e.flags&isTemporary != 0 }

// flagsOf asks an error. Its methods may panic.
func flagsOf(err error) (flags byte) {
	defer func() { _ = recover() }()
	if isNetClosed(err) {
		flags |= flagNetClosed
	}
	if e, ok := err.(interface{ Timeout() bool }); ok {
		flags |= flagTimeout
		if e.Timeout() {
			flags |= isTimeout
		}
	}
	if e, ok := err.(interface{ Temporary() bool }); ok {
		flags |= flagTemporary
		if e.Temporary() {
			flags |= isTemporary
		}
	}
	return flags
}

// claims are the sentinels that an error says to be by its method Is.
func claims(err error) (names []string) {
	is, ok := err.(interface{ Is(error) bool })
	if t := reflect.TypeOf(err); !ok || t == reflect.TypeFor[*WorkerDiedError]() {
		return nil // the death of a nested pool's worker is nothing that happened to this one's
	}
	known.mu.RLock()
	all := make(map[string]error, len(known.byName))
	for name, sentinel := range known.byName {
		all[name] = sentinel
	}
	known.mu.RUnlock()
	for name, sentinel := range all {
		if func() (yes bool) {
			defer func() { _ = recover() }()
			return is.Is(sentinel)
		}() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
