package pickle

import "slices"

// maxName is the length of a qualified name beyond which getattr does not extend it, so
// that a chain of them costs no more than its own bytes.
const maxName = 256

func (m *machine) textGlobal() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.pushGlobal(module, name)
}

func (m *machine) stackGlobal() error {
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.pop()
	if err != nil {
		return err
	}
	n, ok1 := name.(string)
	mod, ok2 := module.(string)
	if !ok1 || !ok2 {
		return m.fail("a global whose name is a %s of a %s", describe(name), describe(module))
	}
	return m.pushGlobal(mod, n)
}

func (m *machine) pushGlobal(module, name string) error {
	g := Global{module, name}
	if !g.valid() {
		return m.fail("a global without a name in UTF-8")
	}
	if m.proto < 3 {
		g = python3Name(g)
	}
	m.push(named(g))
	return nil
}

// named is the value of a global: what it is, where that is known and not code, else its
// name.
func named(g Global) any {
	if g == (Global{"builtins", "Ellipsis"}) {
		return Ellipsis{}
	}
	if v, _, ok := member(g); ok {
		return v.Interface()
	}
	return g
}

// python3Name is what a name of Python 2 is called in Python 3. Protocols 0 to 2 use the
// old names, whichever Python wrote them.
func python3Name(g Global) Global {
	if renamed, ok := renamedGlobals[g]; ok {
		return renamed
	}
	if module, ok := renamedModules[g.Module]; ok {
		g.Module = module
	}
	return g
}

var renamedModules = map[string]string{
	"__builtin__": "builtins", "copy_reg": "copyreg", "exceptions": "builtins", "Queue": "queue",
	"UserDict": "collections", "UserList": "collections", "UserString": "collections", "repr": "reprlib",
}

var renamedGlobals = map[Global]Global{
	{"__builtin__", "xrange"}:        {"builtins", "range"},
	{"__builtin__", "unicode"}:       {"builtins", "str"},
	{"__builtin__", "long"}:          {"builtins", "int"},
	{"exceptions", "StandardError"}:  {"builtins", "Exception"},
	{"UserDict", "IterableUserDict"}: {"collections", "UserDict"},
}

// popArgs pops a tuple of arguments.
func (m *machine) popArgs() (*node, error) {
	x, err := m.pop()
	if err != nil {
		return nil, err
	}
	n, ok := x.(*node)
	if !ok || n.kind != tupleNode {
		return nil, m.fail("arguments that are a %s", describe(x))
	}
	return n, nil
}

func (m *machine) popClass() (Global, error) {
	x, err := m.pop()
	if err != nil {
		return Global{}, err
	}
	g, ok := x.(Global)
	if !ok {
		return Global{}, m.fail("a %s is called", describe(x))
	}
	return g, nil
}

// reduce is a call of a class or a function: it becomes a node that says so.
func (m *machine) reduce() error {
	args, err := m.popArgs()
	if err != nil {
		return err
	}
	class, err := m.popClass()
	if err != nil {
		return err
	}
	m.push(reduced(class, args))
	return nil
}

// reduced sees through the functions that only say how an object is made. It leaves alone
// what is shared: many calls with the same large arguments would copy them many times.
func reduced(class Global, args *node) any {
	inert := newObject(&call{class: class, args: args})
	first, ok := argAt(args.items, 0).(Global)
	if !ok || args.shared {
		return inert
	}
	switch rest := args.items[1:]; class {
	case Global{"copyreg", "__newobj__"}:
		return newObject(&call{class: first, args: newTuple(rest), new: true})
	case Global{"copyreg", "__newobj_ex__"}:
		positional, ok1 := argAt(rest, 0).(*node)
		kwargs, ok2 := argAt(rest, 1).(*node)
		if ok1 && ok2 && len(rest) == 2 && positional.kind == tupleNode && kwargs.kind == dictNode {
			return newObject(&call{class: first, args: positional, kwargs: kwargs, new: true})
		}
	case Global{"copyreg", "_reconstructor"}:
		if base, ok := argAt(rest, 0).(Global); ok && len(rest) == 2 {
			return reconstructed(first, base, rest[1], inert)
		}
	case Global{"builtins", "getattr"}:
		if name, ok := argAt(rest, 0).(string); ok && len(rest) == 1 && len(first.Name)+len(name) < maxName {
			return named(Global{first.Module, first.Name + "." + name})
		}
	}
	return inert
}

// reconstructed is an object of protocol 0 or 1: an instance of a subclass of base.
func reconstructed(class, base Global, state any, inert *node) any {
	c := &call{class: class, args: newTuple(nil), new: true}
	n, _ := state.(*node)
	switch {
	case base == Global{"builtins", "object"}:
	case n != nil && n.shared:
		return inert
	case base == Global{"builtins", "tuple"}:
		// A namedtuple is made of its fields, another subclass of one tuple.
		if _, ok := classOf(class); !ok || n == nil {
			return inert
		}
		c.args = n
	case n != nil && n.kind == listNode:
		c.items = n.items
	case n != nil && n.kind == dictNode:
		c.pairs = n.items
	default:
		c.args = newTuple([]any{state})
	}
	return newObject(c)
}

func newTuple(items []any) *node { return &node{kind: tupleNode, items: items} }

func newObject(c *call) *node { return &node{kind: objectNode, object: c} }

func argAt(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}

func (m *machine) newObj() error {
	args, err := m.popArgs()
	if err != nil {
		return err
	}
	class, err := m.popClass()
	if err != nil {
		return err
	}
	m.push(newObject(&call{class: class, args: args, new: true}))
	return nil
}

func (m *machine) newObjEx() error {
	x, err := m.pop()
	if err != nil {
		return err
	}
	kwargs, ok := x.(*node)
	if !ok || kwargs.kind != dictNode {
		return m.fail("keyword arguments that are a %s", describe(x))
	}
	if err := m.newObj(); err != nil {
		return err
	}
	if len(kwargs.items) > 0 {
		m.stack[len(m.stack)-1].(*node).object.kwargs = kwargs
	}
	return nil
}

// inst and obj make instances of protocol 0 and 1, the class before or behind the MARK.
func (m *machine) inst() error {
	if err := m.textGlobal(); err != nil {
		return err
	}
	class, err := m.popClass()
	if err != nil {
		return err
	}
	args, err := m.popMark()
	if err != nil {
		return err
	}
	m.push(newObject(&call{class: class, args: newTuple(slices.Clone(args)), new: len(args) == 0}))
	return nil
}

func (m *machine) obj() error {
	args, err := m.popMark()
	if err != nil {
		return err
	}
	class, ok := argAt(args, 0).(Global)
	if !ok {
		return m.fail("an instance of a %s", describe(argAt(args, 0)))
	}
	m.push(newObject(&call{class: class, args: newTuple(slices.Clone(args[1:])), new: len(args) == 1}))
	return nil
}

func (m *machine) opBuild() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	x, err := m.top()
	if err != nil {
		return err
	}
	n, ok := x.(*node)
	if !ok || n.kind != objectNode {
		return m.fail("a state for a %s", describe(x))
	}
	if n.object.state != nil {
		return m.fail("a second state for a %s", describe(x))
	}
	n.object.state = state
	return nil
}
