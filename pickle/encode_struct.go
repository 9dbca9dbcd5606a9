package pickle

import (
	"reflect"
)

// structure writes a struct that no pointer was followed to.
func (e *encoder) structure(v reflect.Value) error { return e.structAt(v, -1) }

// structAt writes a struct: an instance of its class, or a dict. at is its place in
// written, or -1.
func (e *encoder) structAt(v reflect.Value, at int) error {
	t := v.Type()
	f := fieldsOf(t)
	if len(f.list) == 0 && t.NumField() > 0 {
		return reason("%s has no exported fields", t)
	}
	c, registered := typeClass(t)
	switch {
	case !registered && t.NumField() == 0:
		e.op(opNone)
		e.finishStruct(at)
		return nil
	case !registered:
		e.op(opEmptyDict)
		e.finishStruct(at)
		return e.attributes(v, f)
	}
	if err := e.global(c.global); err != nil {
		return err
	}
	if c.positional {
		err := e.tupleOf(len(f.list), func(i int) error { return e.field(v, f.list[i]) })
		if err != nil {
			return err
		}
		e.op(opReduce)
		e.finishStruct(at)
		return nil
	}
	e.op(opEmptyTuple, opNewObj)
	e.finishStruct(at)
	if len(f.list) == 0 {
		return nil
	}
	e.op(opEmptyDict)
	if err := e.attributes(v, f); err != nil {
		return err
	}
	e.op(opBuild)
	return nil
}

func (e *encoder) finishStruct(at int) {
	if at >= 0 {
		e.close(at)
	}
}

// attributes adds the fields to the dict before them.
func (e *encoder) attributes(v reflect.Value, f *fields) error {
	e.op(opMark)
	for _, field := range f.list {
		e.name(field.name)
		if err := e.field(v, field); err != nil {
			return err
		}
	}
	e.op(opSetItems)
	return nil
}

func (e *encoder) field(v reflect.Value, f field) error {
	x := v.FieldByIndex(f.index)
	if err := e.value(x); err != nil {
		return within(err, "."+v.Type().FieldByIndex(f.index).Name)
	}
	return nil
}
