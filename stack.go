package mp

import (
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
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
