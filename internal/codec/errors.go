package codec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Error is returned when a value cannot be encoded.
type Error struct {
	// Path names the place at the sender, such as in.Jobs[3].Next. A very long path is shortened
	// in the middle.
	Path string
	// Reason says what is wrong there and what to do about it.
	Reason string
	// Index is the element of EncodeSlice that failed, or -1.
	Index int
	// Err is what a MarshalBinary method, a codec or a hook returned, or a *PanicError; otherwise
	// nil.
	Err error

	missing reflect.Type // the type without a descriptor

	inner   []string // the steps next to the failure, innermost first
	outer   []string // the steps next to the root, innermost first
	skipped int      // number of steps between them that are left out
}

// Error returns the path and the reason.
func (e *Error) Error() string { return errtext.OnePrefix("mp: " + e.Path + ": " + e.Reason) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// DecodeError is returned when bytes are not the encoding of a value of the expected type. It
// wraps io.ErrUnexpectedEOF if the bytes end too early.
type DecodeError struct {
	// Offset is the position near the fault in the message, in bytes.
	Offset int64
	// Reason says what is wrong.
	Reason string
	// Err is io.ErrUnexpectedEOF, what an UnmarshalBinary method, a codec or a hook returned, or
	// a *PanicError; otherwise nil.
	Err error
}

// Error returns the reason and the offset.
func (e *DecodeError) Error() string {
	text := fmt.Sprintf("mp: cannot decode at byte %d: %s", e.Offset, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return errtext.OnePrefix(text)
}

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// PanicError is a panic of a MarshalBinary or UnmarshalBinary method, a codec or a hook.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // the stack of the goroutine that panicked
}

// Error returns the panic value and the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ExitedError reports that a MarshalBinary or UnmarshalBinary method, a codec or a hook called
// runtime.Goexit. The goroutine that was encoding or decoding ends; its deferred functions find the
// error in Buffer.Exited or Reader.Err.
type ExitedError struct {
	Type   reflect.Type
	Method string
}

// Error names the method.
func (e *ExitedError) Error() string {
	return fmt.Sprintf("mp: %s of %v called runtime.Goexit, which ends the goroutine: return an error instead", e.Method, e.Type)
}

// refused returns an error at the current place. The callers add their steps on the way out, so
// paths cost nothing until something fails.
func refused(reason string) *Error { return &Error{Reason: reason, Index: -1} }

// keptSteps is the number of steps kept at each end of a path.
const keptSteps = 16

// within prepends a step, such as .Name or [3], to the path.
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

// finish joins the path after root.
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
