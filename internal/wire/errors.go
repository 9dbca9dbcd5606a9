package wire

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Error is returned when a value cannot be encoded.
type Error struct {
	// Path names the place at the sender, such as in.Jobs[3].Next. The middle
	// of a very long path is left out.
	Path string
	// Reason says what is wrong there and what to do about it.
	Reason string
	// Index is the element of EncodeSlice that failed; -1 otherwise.
	Index int
	// Err is what a MarshalBinary method or a hook returned, or a *PanicError;
	// nil otherwise.
	Err error

	missing reflect.Type // that has no descriptor

	inner   []string // the steps next to the place, innermost first
	outer   []string // the steps next to the root, innermost first
	skipped int      // how many steps between them are left out
}

// Error returns the path and the reason.
func (e *Error) Error() string { return "mp: " + e.Path + ": " + strings.TrimPrefix(e.Reason, "mp: ") }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// DecodeError is returned when bytes are not the encoding of a value of the
// wanted type. It wraps io.ErrUnexpectedEOF if the bytes end too early.
type DecodeError struct {
	// Offset is the position in the message, in bytes, near the fault.
	Offset int64
	// Reason says what is wrong.
	Reason string
	// Err is io.ErrUnexpectedEOF, or what an UnmarshalBinary method or a hook
	// returned, or a *PanicError; nil otherwise.
	Err error
}

// Error returns the reason and the offset.
func (e *DecodeError) Error() string {
	text := fmt.Sprintf("mp: cannot decode at byte %d: %s", e.Offset, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// PanicError is a panic of a MarshalBinary or UnmarshalBinary method, or of a
// hook.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // the stack of the goroutine that panicked
}

// Error returns the panic value and the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ExitedError is a runtime.Goexit of a MarshalBinary or UnmarshalBinary method, or
// of a hook. The goroutine that encoded or decoded has ended by it: a function that
// it deferred finds the error in Buffer.Exited or Reader.Err.
type ExitedError struct {
	Type   reflect.Type
	Method string
}

// Error names the method.
func (e *ExitedError) Error() string {
	return fmt.Sprintf("mp: %s of %v called runtime.Goexit, which ends the goroutine", e.Method, e.Type)
}

// refused begins an error at the place where encoding stands. The callers on
// the way out add their steps, so paths cost nothing until something fails.
func refused(reason string) *Error { return &Error{Reason: reason, Index: -1} }

// steps that are kept next to the place and next to the root.
const keptSteps = 16

// within adds a step, such as .Name or [3], in front of the path.
func (e *Error) within(step string) *Error {
	if len(e.inner) < keptSteps {
		e.inner = append(e.inner, step)
		return e
	}
	if len(e.outer) == keptSteps {
		copy(e.outer, e.outer[1:])
		e.outer = e.outer[:keptSteps-1]
		e.skipped++
	}
	e.outer = append(e.outer, step)
	return e
}

func (e *Error) withinIndex(i int) *Error { return e.within("[" + strconv.Itoa(i) + "]") }

// finish puts the path together behind root.
func (e *Error) finish(root string) *Error {
	var path strings.Builder
	path.WriteString(root)
	for i := len(e.outer) - 1; i >= 0; i-- {
		path.WriteString(e.outer[i])
	}
	if e.skipped > 0 {
		fmt.Fprintf(&path, "...(%d more)...", e.skipped)
	}
	for i := len(e.inner) - 1; i >= 0; i-- {
		path.WriteString(e.inner[i])
	}
	e.Path = path.String()
	e.inner, e.outer, e.skipped = nil, nil, 0
	return e
}
