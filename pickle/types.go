package pickle

// Tuple is a Python tuple.
type Tuple []any

// Set is a Python set. Its elements are in the order of arrival, which is Python's own
// order at the sender and means nothing. Marshal refuses elements that Python cannot hash.
type Set []any

// FrozenSet is a Python frozenset, see [Set].
type FrozenSet []any

// Item is one entry of a dict.
type Item struct{ Key, Value any }

// Dict is a Python dict in its order. Into an interface, a dict becomes a map[any]any; it
// becomes a Dict when a key has no equality in Go that means the same as in Python: a
// tuple, bytes, an int beyond 64 bits, an object. A target of type Dict takes every dict.
type Dict []Item

// Get returns the value of the first item whose key is key, a nil, bool, number or string.
func (d Dict) Get(key any) (value any, ok bool) {
	for _, item := range d {
		if plainKey(item.Key) && item.Key == key {
			return item.Value, true
		}
	}
	return nil, false
}

// OrderedDict is a collections.OrderedDict.
type OrderedDict []Item

// Counter is a collections.Counter.
type Counter []Item

// DefaultDict is a collections.defaultdict. Factory is nil or a [Global], such as
// {"builtins", "list"}; Go never calls it.
type DefaultDict struct {
	Factory any
	Items   Dict
}

// Deque is a collections.deque.
type Deque struct {
	Items  []any
	MaxLen *int // nil: no limit
}

// ByteArray is a Python bytearray; []byte is a Python bytes.
type ByteArray []byte

// Range is a Python range. One whose numbers need more than 64 bits becomes an [Object].
type Range struct{ Start, Stop, Step int64 }

// Slice is a Python slice, such as obj[1:10:2]. Each part is nil or an integer; a slice of
// anything else becomes an [Object].
type Slice struct{ Start, Stop, Step any }

// Ellipsis is Python's "...".
type Ellipsis struct{}

// Global is a class or a function by its name. It is inert: nothing looks it up.
type Global struct{ Module, Name string }

// String returns the name with its module.
func (g Global) String() string { return g.Module + "." + g.Name }

// Object is an instance of a class that has no type in Go, as far as the pickle tells. It
// is inert, and Marshal writes it back as it came. A *Object holds cycles.
type Object struct {
	Module, Name string
	Args         Tuple // of the call that makes it
	Kwargs       Dict
	New          bool  // made by __new__ with Args; else by calling the class or function
	State        any   // what its __setstate__ or __dict__ gets, usually a map[any]any of attributes
	Items        []any // the elements of a subclass of list
	Dict         Dict  // the entries of a subclass of dict
}

func (g Global) valid() bool {
	return g.Module != "" && g.Name != "" && validSurrogates(g.Module) && validSurrogates(g.Name)
}
