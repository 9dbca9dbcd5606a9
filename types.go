package mp

import (
	"fmt"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// RegisterType makes a type known by a name, so that its values may travel
// inside interface values, such as any. Types without a name of their own ([]T,
// map[K]V, *T) need no registration when their parts are known, nor do the
// predeclared types, time.Time, time.Duration, the errors that RegisterError makes
// known, and the types of error of this package, io/fs, os and syscall. Any other error arrives
// as if a Func had returned it: as a RemoteError, unless RegisterErrorType knows its type. (As
// a key of a map it does not travel.) What processes share
// is registered by its pointer: RegisterType[*Lock]("lock").
//
// It is called before Main, in every process alike. An empty name stands for that of the
// type with its package, such as main.Job. It panics when the name or the type is taken, and
// says where it was registered first.
func RegisterType[T any](name string) {
	t := reflect.TypeFor[T]()
	name = nameFor("RegisterType", name, func() (string, string) { return typeName(t) })
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterType(%q) after Main: other processes would not know it", name))
	}
	codec.RegisterTypeAt(name, t, called())
}

// RegisterCodec makes values of type T travel as the bytes that encode makes of them, wherever
// they appear: as input or output, as an item or message, as a field, an element or a key, at
// any depth, and inside interface values, for which it is RegisterType as well. It is for
// types that other encodings would not carry, or not as they should, such as messages of protobuf:
//
//	mp.RegisterCodec("event",
//		func(m *pb.Event) ([]byte, error) { return proto.Marshal(m) },
//		func(b []byte) (*pb.Event, error) { m := new(pb.Event); return m, proto.Unmarshal(b, m) })
//
// It is for T exactly, and wins over every other encoding of T. A *T travels as a pointer to what
// is encoded; a codec of a *T says nothing of a T. When T is a pointer, nil arrives as nil
// and encode is not called. When T is an interface, it is for fields and
// elements of that type, whatever they hold.
//
// An error or a panic of encode is an error that names the place in the value, as any value that
// cannot travel; one of decode is that of the task, or of the Get or Recv. What decode
// gets is its to keep. Both are called by any number of goroutines at once. A
// Value and an Array, which are memory, cannot have such a T.
//
// It is called before Main, in every process alike. It panics when the name or the type is taken,
// and says where it was registered first, and when T is one of this package's types that
// processes share. An empty name is that of the type with its package.
func RegisterCodec[T any](name string, encode func(T) ([]byte, error), decode func([]byte) (T, error)) {
	t := reflect.TypeFor[T]()
	name = nameFor("RegisterCodec", name, func() (string, string) { return typeName(t) })
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterCodec(%q) after Main: other processes would not know it", name))
	}
	if encode == nil || decode == nil {
		panic(fmt.Sprintf("mp: RegisterCodec(%q): a function is nil", name))
	}
	codec.RegisterTypeAt(name, t, called())
	codec.RegisterCustom(name, t,
		func(v reflect.Value) ([]byte, error) { return encode(*v.Addr().Interface().(*T)) },
		func(p []byte) (reflect.Value, error) {
			v, err := decode(p)
			return reflect.ValueOf(&v).Elem(), err
		})
	funcs.planAgain()
}
