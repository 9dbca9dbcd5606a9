package mp

import (
	"fmt"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// RegisterType makes a type known by a name, so that its values can travel inside interface values, such as any.
// Unnamed types ([]T, map[K]V, *T) need no registration if their parts are known. Nor do the predeclared types,
// time.Time, time.Duration, the errors of RegisterError, and the types of error of this package, io/fs, os and
// syscall. Any other error arrives as if a Func had returned it: as a RemoteError, unless RegisterErrorType
// knows its type. (It does not travel as a map key.) Register an object that processes share by its pointer:
// RegisterType[*Lock]("lock").
//
// Call it before Main, in every process alike. An empty name stands for the type's name with its package, such
// as main.Job. It panics if the name or the type is taken, and says where it was registered first. It panics
// after Main.
func RegisterType[T any](name string) {
	t := reflect.TypeFor[T]()
	name = nameFor("RegisterType", name, func() (string, string) { return typeName(t) })
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterType(%q) after Main: other processes would not know it; register in a package variable or an init function", name))
	}
	codec.RegisterTypeAt(name, t, called())
}

// RegisterCodec makes values of type T travel as the bytes that encode returns for them, wherever they appear:
// as input or output, as an item or message, as a field, element or key, at any depth, and inside interface
// values, for which it also acts as RegisterType. Use it for types that other encodings cannot carry or would
// carry wrong, such as messages of protobuf:
//
//	mp.RegisterCodec("event",
//		func(m *pb.Event) ([]byte, error) { return proto.Marshal(m) },
//		func(b []byte) (*pb.Event, error) { m := new(pb.Event); return m, proto.Unmarshal(b, m) })
//
// The codec is for exactly T and wins over every other encoding of T. A *T travels as a pointer to an encoded T;
// a codec of *T does not apply to T. If T is a pointer, nil arrives as nil and encode is not called. If T is an
// interface, the codec is for fields and elements of that type, whatever they hold.
//
// If encode fails or panics, the error names the place in the value, as for any value that cannot travel. An
// error of decode becomes that of the task, the Get or the Recv. decode may keep its argument. Both must be safe
// for concurrent use. A Value and an Array, which are memory, cannot have such a T.
//
// Call it before Main, in every process alike. An empty name stands for the type's name with its package. It
// panics if the name or the type is taken, and says where it was registered first. It panics after Main, if a
// function is nil, and if T is one of this package's types that processes share.
func RegisterCodec[T any](name string, encode func(T) ([]byte, error), decode func([]byte) (T, error)) {
	t := reflect.TypeFor[T]()
	name = nameFor("RegisterCodec", name, func() (string, string) { return typeName(t) })
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterCodec(%q) after Main: other processes would not know it; register in a package variable or an init function", name))
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
