package mp

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// detailed is an error that says more with %+v than in its text.
type detailed interface {
	error
	detail() string // all of it
}

// detailOf is what %+v prints of any error.
func detailOf(err error) string {
	if d, ok := err.(detailed); ok && !isNil(reflect.ValueOf(err)) {
		return d.detail()
	}
	return fmt.Sprintf("%+v", err)
}

// format prints an error: its detail with %+v, and else its text. fields are for %#v.
func format(s fmt.State, verb rune, err detailed, fields any) {
	switch {
	case verb == 'v' && s.Flag('#'):
		text := fmt.Sprintf("%#v", fields) // of a type without methods
		if at := strings.IndexByte(text, '{'); at >= 0 {
			text = text[at:]
		}
		io.WriteString(s, "&"+strings.TrimPrefix(fmt.Sprintf("%T", err), "*")+text)
	case verb == 'v' && s.Flag('+'):
		io.WriteString(s, errtext.OnePrefix(err.detail()))
	default:
		fmt.Fprintf(s, fmt.FormatString(s, verb), err.Error())
	}
}

// withStack is a text and the stack that goes with it.
func withStack(text, stack string) string {
	if stack == "" {
		return text
	}
	return text + "\n\n" + strings.TrimRight(programStack(stack), "\n")
}

// Format prints the text, with %+v and the stack of the program without this package's frames.
func (e *PanicError) Format(s fmt.State, verb rune) {
	type fields PanicError
	format(s, verb, e, (*fields)(e))
}

func (e *PanicError) detail() string { return withStack(e.Error(), e.Stack) }

// Format prints the text, with %+v and the stack of the program without this package's frames.
func (e *TimeoutError) Format(s fmt.State, verb rune) {
	type fields TimeoutError
	format(s, verb, e, (*fields)(e))
}

func (e *TimeoutError) detail() string { return withStack(e.Error(), e.Stack) }

// Format prints the text, with %+v and what the cause says by it, such as a stack.
func (e *TaskError) Format(s fmt.State, verb rune) {
	type fields TaskError
	format(s, verb, e, (*fields)(e))
}

func (e *TaskError) detail() string { return e.task() + ": " + detailOf(e.Err) }

// Format prints the text, with %+v and all that failed, each as %+v prints it.
func (e *MapError) Format(s fmt.State, verb rune) {
	type fields MapError
	format(s, verb, e, (*fields)(e))
}

func (e *MapError) detail() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mp: %d of %d tasks failed", len(e.Errs), e.Total)
	for _, err := range e.Errs {
		b.WriteString("\n" + strings.TrimPrefix(errtext.OnePrefix(detailOf(err)), "mp: "))
	}
	return b.String()
}

// Format prints the text, with %+v and what the cause says by it, and the process's last words.
func (e *ExitError) Format(s fmt.State, verb rune) {
	type fields ExitError
	format(s, verb, e, (*fields)(e))
}

func (e *ExitError) detail() string {
	text := e.Error()
	if e.Err != nil {
		text = e.told(detailOf(e.Err))
	}
	return withWords(text, e.Stderr)
}

// Format prints the text, with %+v and the worker's last words.
func (e *WorkerDiedError) Format(s fmt.State, verb rune) {
	type fields WorkerDiedError
	format(s, verb, e, (*fields)(e))
}

func (e *WorkerDiedError) detail() string { return withWords(e.Error(), e.Stderr) }

// withWords is a text and what was printed last.
func withWords(text, stderr string) string {
	if stderr == "" {
		return text
	}
	return strings.TrimRight(text, "\n") + "\nstderr:\n" + strings.TrimRight(stderr, "\n")
}

// Format prints the text, with %+v and the type, and how errors.Is could find a sentinel.
func (e *RemoteError) Format(s fmt.State, verb rune) {
	type fields RemoteError
	format(s, verb, e, (*fields)(e))
}

func (e *RemoteError) detail() string {
	switch {
	case e.Type == plainErrorType && len(e.wrapped) == 0:
		return e.Message + " (a " + e.Type + " of another process: if it is a sentinel, errors.Is finds it after mp.RegisterErrors)"
	case strings.HasPrefix(e.Type, "*errors.") || strings.HasPrefix(e.Type, "*fmt.") || e.standard != "":
		var b strings.Builder
		b.WriteString(e.Message)
		for _, w := range e.wrapped {
			if more := detailOf(w); more != w.Error() {
				b.WriteString("\n" + more)
			}
		}
		return b.String()
	}
	return e.Message + " (a " + e.Type + " of another process: errors.As finds it after mp.RegisterErrorType)"
}
