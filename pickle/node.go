package pickle

// kind says what a node is.
type kind uint8

const (
	listNode kind = iota
	tupleNode
	dictNode
	setNode
	frozenSetNode
	objectNode
)

var kindNames = [...]string{"list", "tuple", "dict", "set", "frozenset", "object"}

// node is a container or an object as it was read, before it has a type in Go. All else
// is on the machine's stack as the Go value that it will be: nil, bool, int64, *big.Int,
// float64, string, []byte, ByteArray, Global.
type node struct {
	kind   kind
	shared bool  // the pickle refers to it, or to what it is part of, more than once
	busy   bool  // natural works on it
	items  []any // elements; of a dict, keys and values in turn
	value  any   // natural's, once it is known
	object *call
}

// call is how an object is made.
type call struct {
	class  Global
	args   *node // a tuple
	kwargs *node // a dict; nil: none
	new    bool  // by __new__
	state  any
	items  []any // APPENDS
	pairs  []any // SETITEMS, keys and values in turn
}

// describe names what x is in Python's words, for errors.
func describe(x any) string {
	switch x := x.(type) {
	case nil:
		return "None"
	case *node:
		if x.kind == objectNode {
			return x.object.class.String() + " object"
		}
		return kindNames[x.kind]
	case bool:
		return "bool"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case ByteArray:
		return "bytearray"
	case float64:
		return "float"
	case Global:
		return "global " + x.String()
	}
	return describeNatural(x)
}

// spread marks all that is part of a shared node as shared, too.
func spread(shared []*node) {
	visit := func(x any) {
		if n, ok := x.(*node); ok && n != nil && !n.shared {
			n.shared = true
			shared = append(shared, n)
		}
	}
	all := func(items []any) {
		for _, x := range items {
			visit(x)
		}
	}
	for len(shared) > 0 {
		n := shared[len(shared)-1]
		shared = shared[:len(shared)-1]
		all(n.items)
		if c := n.object; c != nil {
			visit(c.args)
			visit(c.kwargs)
			visit(c.state)
			all(c.items)
			all(c.pairs)
		}
	}
}
