package mp

import (
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// stackFrame is one frame of a stack as runtime.Stack writes it: two lines.
type stackFrame struct {
	function string // without arguments
	lines    string // both, with their ends
	file     string
	line     string
}

// framesOf takes a stack apart. What is no stack has no frames.
func framesOf(stack string) (head string, frames []stackFrame) {
	head, rest, _ := strings.Cut(stack, "\n")
	if !strings.HasPrefix(head, "goroutine ") {
		return "", nil
	}
	for rest != "" {
		call, after, _ := strings.Cut(rest, "\n")
		at, after2, _ := strings.Cut(after, "\n")
		if !strings.HasPrefix(at, "\t") {
			rest = after // such as "...additional frames elided..."
			continue
		}
		f := stackFrame{function: functionOf(call), lines: call + "\n" + at + "\n"}
		where, _, _ := strings.Cut(strings.TrimSpace(at), " ")
		if colon := strings.LastIndexByte(where, ':'); colon >= 0 {
			f.file, f.line = where[:colon], where[colon+1:]
		}
		frames = append(frames, f)
		rest = after2
	}
	return head, frames
}

// functionOf is the function of a line such as "main.(*T).run(0xc000, ...)".
func functionOf(call string) string {
	call = strings.TrimPrefix(call, "created by ")
	call, _, _ = strings.Cut(call, " in goroutine ")
	if strings.HasSuffix(call, ")") {
		if at := strings.LastIndexByte(call, '('); at > 0 {
			call = call[:at]
		}
	}
	return call
}

// standardFiles is the folder of the standard library's files, "" when they are known without.
var standardFiles = sync.OnceValue(func() string {
	f := runtime.FuncForPC(reflect.ValueOf(runtime.GC).Pointer())
	file, _ := f.FileLine(f.Entry())
	root, _, _ := strings.Cut(filepath.ToSlash(file), "runtime/")
	return root
})

// standard says whether a frame is of the Go runtime or of the standard library.
func (f *stackFrame) standard() bool {
	pkg := packageOf(f.function)
	if pkg == "runtime" || f.function == "panic" || strings.HasPrefix(pkg, "internal/") {
		return true
	}
	if root := standardFiles(); root != "" {
		return strings.HasPrefix(filepath.ToSlash(f.file), root)
	}
	first, _, _ := strings.Cut(pkg, "/")
	return pkg != "main" && !strings.Contains(first, ".") && strings.HasPrefix(f.file, pkg+"/")
}

// own says whether a frame is of the code that runs tasks.
func (f *stackFrame) own() bool {
	pkg := packageOf(f.function)
	return (pkg == own || pkg == own+"/thread" || strings.HasPrefix(pkg, own+"/internal/")) && !strings.HasSuffix(f.file, "_test.go")
}

// afterPanic leaves out what has run since the last panic: what recovered it.
func afterPanic(frames []stackFrame) []stackFrame {
	for i := range frames {
		if frames[i].function == "panic" {
			return frames[i+1:]
		}
	}
	return frames
}

// placeIn is the program's innermost place in a stack, such as "main.go:17 main.crash": "" when
// there is none.
func placeIn(stack string) string {
	_, frames := framesOf(stack)
	for _, f := range afterPanic(frames) {
		if f.file == "" || f.standard() || f.own() || strings.HasPrefix(f.lines, "created by ") {
			continue
		}
		file := filepath.ToSlash(f.file)
		return file[strings.LastIndexByte(file, '/')+1:] + ":" + f.line + " " + f.function[strings.LastIndexByte(f.function, '/')+1:]
	}
	return ""
}

// inParentheses is a place for the end of an error's text.
func inParentheses(place string) string {
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

// programStack is a stack without the frames of this package, and without what recovered a panic.
// What is no stack stays as it is.
func programStack(stack string) string {
	head, frames := framesOf(stack)
	if len(frames) == 0 {
		return stack
	}
	var b strings.Builder
	b.WriteString(head + "\n")
	for _, f := range afterPanic(frames) {
		if !f.own() {
			b.WriteString(f.lines)
		}
	}
	return b.String()
}

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
