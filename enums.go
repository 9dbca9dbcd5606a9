package mp

import (
	"fmt"
	"slices"
	"strings"
)

// enumNames are those of the values of an enumeration, in order.
type enumNames []string

// of is the name of a value, when that of the first one is first.
func (ns enumNames) of(value, first int) string {
	if i := value - first; i >= 0 && i < len(ns) {
		return ns[i]
	}
	return fmt.Sprintf("unknown (%d)", value)
}

// unmarshalName sets v to the value that has a name, of those from first on.
func unmarshalName[E ~int](v *E, typ string, ns enumNames, first int, text []byte) error {
	if i := slices.Index(ns, string(text)); i >= 0 {
		*v = E(i + first)
		return nil
	}
	var i int
	if n, err := fmt.Sscanf(string(text), "unknown (%d)", &i); n == 1 && err == nil && ns.of(i, first) == string(text) {
		*v = E(i)
		return nil
	}
	return fmt.Errorf("mp: %q is no %s: it is one of %s", text, typ, strings.Join(ns, ", "))
}
