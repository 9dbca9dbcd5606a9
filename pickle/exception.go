package pickle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Exception is a Python exception, as an error and as a value. Into an interface, the
// exceptions of the builtins and of the standard library's modules of concurrency become a
// *Exception; a target of type error or *Exception takes those of every class.
//
// Marshal makes an exception of every error: that which a class was given by
// [RegisterError], a class of the standard library that means the same (io.EOF is an
// EOFError), else a RuntimeError with the error's text.
//
// In Python's own pickles an exception has no cause and no traceback, unless the sender
// wraps it as multiprocessing.pool and concurrent.futures do; what they add is Traceback.
// Python gets Cause as __cause__, or else Traceback as a cause that prints it.
type Exception struct {
	Class     string // ValueError, queue.Empty: the builtins without their module
	Args      Tuple
	Notes     []string       // of add_note
	Cause     error          // nil: none
	Traceback string         // in text; "": not known
	Attrs     map[string]any // other attributes
}

// Error returns class and arguments as Python prints them below a traceback.
func (e *Exception) Error() string {
	var text strings.Builder
	text.WriteString(e.Class)
	for i, arg := range e.Args {
		text.WriteString([]string{": ", ", "}[min(i, 1)])
		if s, ok := arg.(string); ok {
			text.WriteString(s)
			continue
		}
		text.WriteString(shortText(arg))
	}
	for _, note := range e.Notes {
		text.WriteString("\n" + note)
	}
	return text.String()
}

// shortText prints scalars; of the rest it only tells what it is, because it may be large,
// or contain itself.
func shortText(arg any) string {
	switch arg := arg.(type) {
	case nil:
		return "None"
	case bool, int64, float64, fmt.Stringer:
		return cut(fmt.Sprint(arg))
	}
	return "<" + describe(arg) + ">"
}

// Unwrap returns the cause.
func (e *Exception) Unwrap() error { return e.Cause }

// Is reports whether target is what e's class means: an error of [RegisterError], or a
// *Exception of the same class or one of its base classes in the builtins, whatever its
// other fields.
func (e *Exception) Is(target error) bool {
	if t, ok := target.(*Exception); ok {
		for class := e.Class; class != ""; class = baseClasses[class] {
			if class == t.Class {
				return true
			}
		}
		return false
	}
	for _, known := range knownErrors() {
		if known.class == e.Class && errors.Is(known.err, target) {
			return true
		}
	}
	return false
}

type classError struct {
	class string
	err   error
}

var standardErrors = []classError{
	{"EOFError", io.EOF}, {"TimeoutError", context.DeadlineExceeded}, {"TimeoutError", os.ErrDeadlineExceeded},
	{"FileNotFoundError", fs.ErrNotExist}, {"FileExistsError", fs.ErrExist}, {"PermissionError", fs.ErrPermission},
	{"NotImplementedError", errors.ErrUnsupported}, {"concurrent.futures._base.CancelledError", context.Canceled},
}

// RegisterError makes an error and a class of exceptions one: Marshal writes an error that
// is err, by errors.Is, as an instance of the class with the error's text, and an
// [Exception] of the class is err. class is written as in [Exception]. An error may have
// several classes, of which the first is written.
func RegisterError(class string, err error) {
	registry.Lock()
	defer registry.Unlock()
	registry.errors = append(slices.Clip(registry.errors), classError{class, err})
}

func knownErrors() []classError {
	registry.RLock()
	defer registry.RUnlock()
	if len(registry.errors) == 0 {
		return standardErrors
	}
	return slices.Concat(registry.errors, standardErrors)
}

// classFor is the class that Marshal writes err as.
func classFor(err error) string {
	for _, known := range knownErrors() {
		if errors.Is(err, known.err) {
			return known.class
		}
	}
	return "RuntimeError"
}

func exceptionClass(g Global) string {
	switch g.Module {
	case "builtins":
		return g.Name
	case "_queue", "_pickle": // in C; the same classes
		g.Module = g.Module[1:]
	}
	return g.Module + "." + g.Name
}

// global splits the class at its last dot.
func (e *Exception) global() Global {
	if i := strings.LastIndexByte(e.Class, '.'); i >= 0 {
		return Global{e.Class[:i], e.Class[i+1:]}
	}
	return Global{"builtins", e.Class}
}

// exception makes the exception that a call describes.
func (d *decoder) exception(n *node) (any, error) {
	o, err := d.inert(n)
	if err != nil {
		return nil, err
	}
	if state, ok := o.State.(map[any]any); o.State != nil && !ok || !namesOnly(state) {
		return o, nil
	}
	return d.exceptionOf(o)
}

func namesOnly(state map[any]any) bool {
	for key := range state {
		if _, ok := key.(string); !ok {
			return false
		}
	}
	return true
}

// exceptionOf is exception, paid for: many objects may have the same large state.
func (d *decoder) exceptionOf(o *Object) (*Exception, error) {
	state, _ := o.State.(map[any]any)
	notes, _ := state["__notes__"].([]any)
	return o.exception(), d.charge(len(state) + len(notes))
}

// exception reads o as an exception's class with its arguments and attributes.
func (o *Object) exception() *Exception {
	e := &Exception{Class: exceptionClass(Global{o.Module, o.Name}), Args: o.Args}
	state, _ := o.State.(map[any]any)
	for key, value := range state {
		name, ok := key.(string)
		if !ok {
			continue
		}
		switch name {
		case "__cause__":
			if cause, ok := value.(error); ok {
				e.Cause = cause
				continue
			}
			if value == nil {
				continue
			}
		case "__notes__":
			if notes, ok := textNotes(value); ok {
				e.Notes = notes
				continue
			}
		}
		if e.Attrs == nil {
			e.Attrs = make(map[string]any)
		}
		e.Attrs[name] = value
	}
	return e
}

func textNotes(value any) ([]string, bool) {
	items, _ := value.([]any)
	notes := make([]string, 0, len(items))
	for _, item := range items {
		note, ok := item.(string)
		if !ok {
			return nil, false
		}
		notes = append(notes, note)
	}
	return notes, len(notes) > 0
}

// state is what Python sets as the exception's attributes.
func (e *Exception) state() Dict {
	var state Dict
	for _, name := range slices.Sorted(maps.Keys(e.Attrs)) {
		state = append(state, Item{name, e.Attrs[name]})
	}
	if len(e.Notes) > 0 {
		state = append(state, Item{"__notes__", e.Notes})
	}
	if e.Cause != nil {
		state = append(state, Item{"__cause__", e.Cause})
	}
	return state
}
