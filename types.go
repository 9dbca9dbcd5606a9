package mp

import (
	"fmt"
	"reflect"

	"github.com/gomultiprocessing/mp/internal/wire"
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
	wire.RegisterTypeAt(name, t, called())
}
