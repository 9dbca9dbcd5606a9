package pickle

import "slices"

// pushNode pushes a new container. It copies items, which may be the stack's.
func (m *machine) pushNode(k kind, items []any) {
	m.push(&node{kind: k, items: slices.Clone(items)})
}

// collect makes what is above the latest MARK a container.
func (m *machine) collect(k kind) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if k == dictNode && len(items)%2 != 0 {
		return m.fail("a dict with a key without a value")
	}
	m.pushNode(k, items)
	return nil
}

func (m *machine) emptyList() error  { m.pushNode(listNode, nil); return nil }
func (m *machine) emptyTuple() error { m.pushNode(tupleNode, nil); return nil }
func (m *machine) emptyDict() error  { m.pushNode(dictNode, nil); return nil }
func (m *machine) emptySet() error   { m.pushNode(setNode, nil); return nil }

func (m *machine) list() error      { return m.collect(listNode) }
func (m *machine) tuple() error     { return m.collect(tupleNode) }
func (m *machine) dict() error      { return m.collect(dictNode) }
func (m *machine) frozenSet() error { return m.collect(frozenSetNode) }

// tupleOf makes the n topmost values a tuple.
func (m *machine) tupleOf(n int) error {
	at := len(m.stack) - n
	if at < m.floor() {
		return m.fail("the stack is empty")
	}
	t := &node{kind: tupleNode, items: slices.Clone(m.stack[at:])}
	m.stack = append(m.stack[:at], t)
	return nil
}

func (m *machine) tuple1() error { return m.tupleOf(1) }
func (m *machine) tuple2() error { return m.tupleOf(2) }
func (m *machine) tuple3() error { return m.tupleOf(3) }

// extend appends items to the list, or the object, on top of the stack.
func (m *machine) extend(items []any) error {
	x, err := m.top()
	if err != nil {
		return err
	}
	switch n, _ := x.(*node); {
	case n != nil && n.kind == listNode:
		n.items = append(n.items, items...)
	case n != nil && n.kind == objectNode:
		n.object.items = append(n.object.items, items...)
	default:
		return m.fail("an element appended to a %s", describe(x))
	}
	return nil
}

func (m *machine) append1() error {
	x, err := m.pop()
	if err != nil {
		return err
	}
	return m.extend([]any{x})
}

func (m *machine) appends() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.extend(items)
}

// update adds keys and values, in turn, to the dict, or the object, on top of the stack.
func (m *machine) update(pairs []any) error {
	x, err := m.top()
	if err != nil {
		return err
	}
	if len(pairs)%2 != 0 {
		return m.fail("a dict with a key without a value")
	}
	switch n, _ := x.(*node); {
	case n != nil && n.kind == dictNode:
		n.items = append(n.items, pairs...)
	case n != nil && n.kind == objectNode:
		n.object.pairs = append(n.object.pairs, pairs...)
	default:
		return m.fail("an entry set in a %s", describe(x))
	}
	return nil
}

func (m *machine) setItem() error {
	value, err := m.pop()
	if err != nil {
		return err
	}
	key, err := m.pop()
	if err != nil {
		return err
	}
	return m.update([]any{key, value})
}

func (m *machine) setItems() error {
	pairs, err := m.popMark()
	if err != nil {
		return err
	}
	return m.update(pairs)
}

func (m *machine) addItems() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	x, err := m.top()
	if err != nil {
		return err
	}
	n, ok := x.(*node)
	if !ok || n.kind != setNode {
		return m.fail("an element added to a %s", describe(x))
	}
	n.items = append(n.items, items...)
	return nil
}
