package mp

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"unicode"
)

// callSite is where the program called a function of this package. It is cheap to take, and
// turned into a file and a line when somebody asks.
type callSite [6]uintptr

// called is the place outside of this package that called the caller of called.
func called() (at callSite) {
	runtime.Callers(3, at[:])
	return at
}

// own is how the functions of this package are named, before the dot.
var own = reflect.TypeFor[callSite]().PkgPath()

// frame is the first frame that is not this package's.
func (at callSite) frame() runtime.Frame {
	n := 0
	for n < len(at) && at[n] != 0 {
		n++
	}
	frames := runtime.CallersFrames(at[:n])
	for {
		frame, more := frames.Next()
		if packageOf(frame.Function) != own || strings.HasSuffix(frame.File, "_test.go") || !more {
			return frame
		}
	}
}

// String is the file and the line, for the end of a sentence: "" when they are not known.
func (at callSite) String() string {
	frame := at.frame()
	if frame.File == "" {
		return ""
	}
	return fmt.Sprintf(", at %s:%d", shortFile(frame.File), frame.Line)
}

// shortFile is a file with its folder, which is enough to find it.
func shortFile(file string) string {
	file = filepath.ToSlash(file)
	dir := strings.LastIndexByte(file, '/')
	if dir < 0 {
		return file
	}
	return file[strings.LastIndexByte(file[:dir], '/')+1:]
}

// packageOf is the package of a function, as its name begins.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if dot := strings.IndexByte(function[slash:], '.'); dot >= 0 {
		return function[:slash+dot]
	}
	return function
}

// functionName is the name of a function of a package, such as main.square, or why another
// process could not be sure to mean the same function by it.
func functionName(fn any) (name, problem string) {
	pc := reflect.ValueOf(fn).Pointer()
	frames := runtime.CallersFrames([]uintptr{pc + 1})
	for {
		frame, more := frames.Next() // what is inlined into it comes first
		if name = frame.Function; !more {
			break
		}
	}
	local := strings.TrimPrefix(name[len(packageOf(name)):], ".")
	switch {
	case name == "":
		return "", "the function has no name"
	case !isIdentifier(local):
		return "", "the function is a literal, a method or an instance of a generic function, whose name may mean another one elsewhere"
	}
	return name, ""
}

// isIdentifier says whether s is a name of Go.
func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// typeName is the name of a type, such as main.Job or *main.Job, or why it has none that
// is the same in every process.
func typeName(t reflect.Type) (name, problem string) {
	star := ""
	if t.Name() == "" && t.Kind() == reflect.Pointer {
		star, t = "*", t.Elem()
	}
	switch {
	case t.Name() == "":
		return "", fmt.Sprintf("the type %v has no name", t)
	case t.PkgPath() == "":
		return star + t.Name(), ""
	}
	return star + t.PkgPath() + "." + t.Name(), ""
}

// nameFor is the name under which something is registered: the given one, or else the derived one.
// by is the function that was called.
func nameFor(by, given string, derive func() (name, problem string)) string {
	if given != "" {
		return given
	}
	name, problem := derive()
	if problem != "" {
		panic(fmt.Sprintf("mp: %s: the name is empty, and cannot be derived: %s: give it one", by, problem))
	}
	return name
}
