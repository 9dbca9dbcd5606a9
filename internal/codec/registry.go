package codec

import (
	"fmt"
	"reflect"
	"sync"
)

// registry holds the types that may travel inside interfaces, by name.
var registry = struct {
	sync.RWMutex
	byName map[string]reflect.Type
	byType map[reflect.Type]string
	at     map[string]fmt.Stringer
}{byName: make(map[string]reflect.Type), byType: make(map[reflect.Type]string), at: make(map[string]fmt.Stringer)}

// RegisterType allows values of type t inside interfaces, under a name that is the same in both
// processes. It panics if the name is empty or taken, or if t has a name already. Predeclared
// types, time.Time, time.Duration, and unnamed slices, arrays, maps and pointers of registered
// types need no registration. It is safe for concurrent use.
func RegisterType(name string, t reflect.Type) { RegisterTypeAt(name, t, nil) }

// RegisterTypeAt is RegisterType with the place of the call. A panic about the name ends with the
// text of at.
func RegisterTypeAt(name string, t reflect.Type, at fmt.Stringer) {
	if name == "" || t == nil {
		panic(fmt.Sprintf("mp: RegisterType(%q) of %v: the name must not be empty, and the type must not be nil", name, t))
	}
	registry.Lock()
	defer registry.Unlock()
	other, taken := registry.byName[name]
	earlier, named := registry.byType[t]
	switch {
	case taken && other == t:
		panic(fmt.Sprintf("mp: RegisterType(%q): the type %v is registered twice under this name%s", name, t, registeredAt(name)))
	case taken:
		panic(fmt.Sprintf("mp: RegisterType(%q) of %v: the name is taken by the type %v%s", name, t, other, registeredAt(name)))
	case named:
		panic(fmt.Sprintf("mp: RegisterType(%q): the type %v is already registered as %q%s", name, t, earlier, registeredAt(earlier)))
	}
	registry.byName[name] = t
	registry.byType[t] = name
	registry.at[name] = at
}

func registeredName(t reflect.Type) (string, bool) {
	registry.RLock()
	defer registry.RUnlock()
	name, ok := registry.byType[t]
	return name, ok
}

func registeredType(name []byte) (reflect.Type, bool) {
	registry.RLock()
	defer registry.RUnlock()
	t, ok := registry.byName[string(name)]
	return t, ok
}

// registeredAt returns the place where a name was registered, or "" if that is unknown.
func registeredAt(name string) string {
	if at := registry.at[name]; at != nil {
		return at.String()
	}
	return ""
}
