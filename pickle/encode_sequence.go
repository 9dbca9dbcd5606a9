package pickle

import (
	"reflect"
)

// addSequences registers the writers of slices that are not lists.
func addSequences(add func(reflect.Type, writer)) {
	add(reflect.TypeFor[Tuple](), func(e *encoder, v reflect.Value) error {
		if v.Len() == 0 {
			e.op(opEmptyTuple)
			return nil
		}
		return e.once(v, v.Len(), func(e *encoder, v reflect.Value) error {
			return e.tuple(v.Interface().(Tuple))
		})
	})
	add(reflect.TypeFor[Set](), func(e *encoder, v reflect.Value) error {
		if v.Len() == 0 {
			e.op(opEmptySet)
			return nil
		}
		return e.once(v, v.Len(), func(e *encoder, v reflect.Value) error {
			e.op(opEmptySet, opMark)
			err := e.keys(v)
			e.op(opAddItems)
			return err
		})
	})
	add(reflect.TypeFor[FrozenSet](), func(e *encoder, v reflect.Value) error {
		if v.Len() == 0 {
			e.op(opMark, opFrozenSet)
			return nil
		}
		return e.once(v, v.Len(), func(e *encoder, v reflect.Value) error {
			e.op(opMark)
			err := e.keys(v)
			e.op(opFrozenSet)
			return err
		})
	})
	add(reflect.TypeFor[ByteArray](), func(e *encoder, v reflect.Value) error {
		if v.Len() == 0 {
			return e.call("builtins", "bytearray")
		}
		return e.once(v, v.Len(), func(e *encoder, v reflect.Value) error {
			return e.call("builtins", "bytearray", v.Bytes())
		})
	})
	add(reflect.TypeFor[Dict](), func(e *encoder, v reflect.Value) error {
		return e.inOrder(v, func() error { e.op(opEmptyDict); return nil })
	})
	add(reflect.TypeFor[OrderedDict](), func(e *encoder, v reflect.Value) error {
		return e.inOrder(v, func() error { return e.call("collections", "OrderedDict") })
	})
	add(reflect.TypeFor[Counter](), func(e *encoder, v reflect.Value) error {
		return e.inOrder(v, func() error { return e.call("collections", "Counter") })
	})
}

// keys writes the elements of a set.
func (e *encoder) keys(v reflect.Value) error {
	for i := range v.Len() {
		if err := hashable(v.Index(i), new(someParts)); err != nil {
			return withinIndex(err, i)
		}
	}
	return e.elements(v)
}

// inOrder writes a dict, which make begins, and then its entries.
func (e *encoder) inOrder(v reflect.Value, make func() error) error {
	if v.Len() == 0 {
		return make()
	}
	at, done, err := e.open(v, v.Len())
	if done || err != nil {
		return err
	}
	if err := make(); err != nil {
		return err
	}
	e.close(at)
	return e.setItems(v.Convert(reflect.TypeFor[[]Item]()).Interface().([]Item))
}

// setItems adds entries to the dict before them.
func (e *encoder) setItems(items []Item) error {
	if len(items) == 0 {
		return nil
	}
	e.op(opMark)
	for _, item := range items {
		if err := hashable(reflect.ValueOf(item.Key), new(someParts)); err != nil {
			return within(err, ".keys()")
		}
		if err := e.any(item.Key); err != nil {
			return within(err, ".keys()")
		}
		if err := e.any(item.Value); err != nil {
			return withinKey(err, item.Key)
		}
	}
	e.op(opSetItems)
	return nil
}

func (e *encoder) deque(v Deque) error {
	args := []any{}
	if v.MaxLen != nil {
		if *v.MaxLen < 0 {
			return reason("a deque with a negative length")
		}
		args = []any{Tuple{}, *v.MaxLen}
	}
	if err := e.call("collections", "deque", args...); err != nil {
		return err
	}
	if len(v.Items) == 0 {
		return nil
	}
	return e.appends(reflect.ValueOf(v.Items))
}

func (e *encoder) defaultDict(v DefaultDict) error {
	args := []any{}
	if v.Factory != nil {
		if _, ok := v.Factory.(Global); !ok {
			return within(reason("a factory that is no Global"), ".Factory")
		}
		args = append(args, v.Factory)
	}
	if err := e.call("collections", "defaultdict", args...); err != nil {
		return err
	}
	return e.setItems(v.Items)
}

// object writes an inert object as it was.
func (e *encoder) object(o Object) error {
	if err := e.global(Global{o.Module, o.Name}); err != nil {
		return err
	}
	if err := e.value(reflect.ValueOf(o.Args)); err != nil {
		return within(err, ".Args")
	}
	switch {
	case len(o.Kwargs) > 0:
		if !o.New {
			return reason("an Object with Kwargs, but not New: a pickle has no form for it")
		}
		if err := e.any(o.Kwargs); err != nil {
			return within(err, ".Kwargs")
		}
		e.op(opNewObjEx)
	case o.New:
		e.op(opNewObj)
	default:
		e.op(opReduce)
	}
	return e.objectParts(o)
}

func (e *encoder) objectParts(o Object) error {
	if len(o.Items) > 0 {
		if err := e.appends(reflect.ValueOf(o.Items)); err != nil {
			return within(err, ".Items")
		}
	}
	if err := e.setItems(o.Dict); err != nil {
		return within(err, ".Dict")
	}
	if o.State == nil {
		return nil
	}
	if err := e.any(o.State); err != nil {
		return within(err, ".State")
	}
	e.op(opBuild)
	return nil
}
