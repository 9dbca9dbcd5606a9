package pickle

import (
	"fmt"
	"strconv"
	"strings"
)

// SyntaxError says that data is not a pickle, is cut short, or needs what Unmarshal refuses:
// persistent ids, extension codes, out-of-band buffers.
type SyntaxError struct {
	Offset int // of the opcode
	Reason string
	Err    error // io.ErrUnexpectedEOF when data is cut short, else nil
}

// Error returns the reason and the place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("pickle: at byte %d: %s", e.Offset, e.Reason)
}

// Unwrap returns e.Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Error says which part of a value cannot be converted, and why.
type Error struct {
	Path   string // such as in.Jobs[3].Next; "in" is the whole value
	Reason string
	Err    error // that of a Codec's function, or nil

	steps   []string // innermost first, while Path is empty
	skipped int
}

// Error returns the path and the reason.
func (e *Error) Error() string { return "pickle: " + e.Path + ": " + e.Reason }

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// reason is an Error whose path is not known yet.
func reason(format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...)}
}

// hookError is the error of a Codec's function.
func hookError(err error) error { return &Error{Reason: err.Error(), Err: err} }

// keptSteps is the number of steps of a path that are kept at its inner end, and at its outer.
const keptSteps = 12

// within prepends a step to the path of err.
func within(err error, step string) error {
	if e, ok := err.(*Error); ok {
		if len(e.steps) >= 2*keptSteps {
			copy(e.steps[keptSteps:], e.steps[keptSteps+1:])
			e.steps = e.steps[:len(e.steps)-1]
			e.skipped++
		}
		e.steps = append(e.steps, step)
	}
	return err
}

func withinIndex(err error, i int) error { return within(err, "["+strconv.Itoa(i)+"]") }

// withinKey prepends a dict's key.
func withinKey(err error, key any) error {
	switch k := key.(type) {
	case string:
		return within(err, "["+strconv.Quote(cut(k))+"]")
	case nil, bool, int64, float64:
		return within(err, fmt.Sprintf("[%v]", k))
	}
	return within(err, "["+describe(key)+"]")
}

func cut(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}

// finish joins the path.
func finish(err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	var path strings.Builder
	path.WriteString("in")
	for i := len(e.steps) - 1; i >= 0; i-- {
		path.WriteString(e.steps[i])
		if i == keptSteps && e.skipped > 0 {
			fmt.Fprintf(&path, "...(%d more)...", e.skipped)
		}
	}
	e.Path, e.steps = path.String(), nil
	return e
}
