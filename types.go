package mp

import (
	"reflect"

	"github.com/gomultiprocessing/mp/internal/wire"
)

// RegisterType makes a type known by a name, so that its values may travel
// inside interface values, such as any. Types without a name of their own ([]T,
// map[K]V, *T) need no registration when their parts are known, nor do the
// predeclared types, time.Time, time.Duration, the errors that RegisterError makes
// known, and the types of error of this package, io/fs, os and syscall. What processes share
// is registered by its pointer: RegisterType[*Lock]("lock").
//
// It is called before Main, in every process alike, and panics when the name or
// the type is taken.
func RegisterType[T any](name string) {
	if entered.Load() {
		panic("mp: RegisterType(\"" + name + "\") after Main: other processes would not know it")
	}
	wire.RegisterType(name, reflect.TypeFor[T]())
}
