package mp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strconv"
	"sync"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/task"
)

// known are the errors that are the same in every process.
var known = struct {
	mu     sync.RWMutex
	byName map[string]error
	name   map[error]string
	types  map[string]reflect.Type
	named  map[reflect.Type]string
	at     map[string]callSite // of the names that the program has registered
	typeAt map[string]callSite
}{
	byName: make(map[string]error), name: make(map[error]string),
	types: make(map[string]reflect.Type), named: make(map[reflect.Type]string),
	at: make(map[string]callSite), typeAt: make(map[string]callSite),
}

func init() {
	for name, err := range map[string]error{
		"context.Canceled": context.Canceled, "context.DeadlineExceeded": context.DeadlineExceeded,
		"io.EOF": io.EOF, "io.ErrUnexpectedEOF": io.ErrUnexpectedEOF, "io.ErrShortWrite": io.ErrShortWrite,
		"io.ErrShortBuffer": io.ErrShortBuffer, "io.ErrNoProgress": io.ErrNoProgress, "io.ErrClosedPipe": io.ErrClosedPipe,
		"fs.ErrInvalid": fs.ErrInvalid, "fs.ErrPermission": fs.ErrPermission, "fs.ErrExist": fs.ErrExist,
		"fs.ErrNotExist": fs.ErrNotExist, "fs.ErrClosed": fs.ErrClosed, "fs.SkipDir": fs.SkipDir, "fs.SkipAll": fs.SkipAll,
		"os.ErrNoDeadline": os.ErrNoDeadline, "os.ErrDeadlineExceeded": os.ErrDeadlineExceeded,
		"os.ErrProcessDone": os.ErrProcessDone, "os.ErrNoHandle": os.ErrNoHandle, "errors.ErrUnsupported": errors.ErrUnsupported,
		"strconv.ErrSyntax": strconv.ErrSyntax, "strconv.ErrRange": strconv.ErrRange,
		"mp.ErrNoMain": ErrNoMain, "mp.ErrNotRegistered": ErrNotRegistered, "mp.ErrOpen": ErrOpen, "mp.ErrClosed": ErrClosed,
		"mp.ErrTerminated": ErrTerminated, "mp.ErrCancelled": ErrCancelled, "mp.ErrMemory": ErrMemory, "mp.ErrFull": ErrFull,
		"mp.ErrRecycled": ErrRecycled, "mp.ErrResized": ErrResized, "mp.ErrIdle": ErrIdle,
		"mp.ErrEmpty": ErrEmpty, "mp.ErrNotOwner": ErrNotOwner, "mp.ErrAbandoned": ErrAbandoned, "mp.ErrBroken": ErrBroken,
	} {
		addSentinel("RegisterError", name, err, callSite{})
	}
	codec.Sentinels(sentinelName, sentinel)
	for name, t := range map[string]reflect.Type{
		"fs.PathError": reflect.TypeFor[fs.PathError](), "os.LinkError": reflect.TypeFor[os.LinkError](),
		"os.SyscallError": reflect.TypeFor[os.SyscallError](), "syscall.Errno": reflect.TypeFor[syscall.Errno](),
		"syscall.Signal": reflect.TypeFor[syscall.Signal](), "mp.TaskError": reflect.TypeFor[TaskError](),
		"mp.MapError": reflect.TypeFor[MapError](), "mp.WorkerDiedError": reflect.TypeFor[WorkerDiedError](),
		"mp.TimeoutError": reflect.TypeFor[TimeoutError](), "mp.PanicError": reflect.TypeFor[PanicError](),
		"mp.RemoteError": reflect.TypeFor[RemoteError](), "mp.ExitError": reflect.TypeFor[ExitError](),
	} {
		codec.RegisterType(name, t)
	}
}

// sentinel is the error of that name.
func sentinel(name string) (error, bool) {
	known.mu.RLock()
	defer known.mu.RUnlock()
	err, ok := known.byName[name]
	return err, ok
}

// RegisterError makes a sentinel error known, so that errors.Is finds it in errors from another process. Call it
// before Main, in every process alike. The name stands for the error in messages; an empty name stands for the
// one that RegisterErrors gives.
//
// It panics if the name or the error is taken, and says where it was registered first. It panics if err is nil
// or cannot be compared, and after Main.
//
// Some errors need no registration: the sentinels of context, io, io/fs, os, strconv and this package,
// net.ErrClosed, exec.ErrNotFound and the like, errors.ErrUnsupported, and every syscall.Errno.
func RegisterError(name string, err error) {
	addSentinel("RegisterError", name, err, called())
}

// RegisterErrors is RegisterError for any number of sentinels. It makes each name from the calling package and
// the error's text, as in "example.com/store: not found". Call it before Main, from an init function or a
// package variable of the package that declares the sentinels.
//
// It panics as RegisterError does. If two sentinels of a package have the same text, give each a name by
// RegisterError.
func RegisterErrors(errs ...error) {
	at := called()
	for _, err := range errs {
		addSentinel("RegisterErrors", "", err, at)
	}
}

// addSentinel makes an error known that somebody has registered by the function called by.
func addSentinel(by, name string, err error, at callSite) {
	what := func() string { // a start of a process registers dozens: only a panic needs it
		if name == "" {
			return by
		}
		return fmt.Sprintf("%s(%q)", by, name)
	}
	if err == nil || !reflect.TypeOf(err).Comparable() {
		panic(fmt.Sprintf("mp: %s: %v is not an error that can be compared: use one of errors.New, or RegisterErrorType", what(), err))
	}
	if name == "" {
		name = packageOf(at.frame().Function) + ": " + task.Text(err)
		what = func() string { return fmt.Sprintf("%s(%q)", by, task.Text(err)) }
	}
	if entered.Load() {
		panic(fmt.Sprintf("mp: %s after Main: other processes would not know it; register in a package variable or an init function", what()))
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if other, taken := known.name[err]; taken {
		panic(fmt.Sprintf("mp: %s: the error is registered as %q already%s", what(), other, known.at[other]))
	}
	if _, taken := known.byName[name]; taken {
		panic(fmt.Sprintf("mp: %s: another error is registered as %q already%s: give this one another name, by RegisterError", what(), name, known.at[name]))
	}
	known.byName[name], known.name[err], known.at[name] = err, name, at
}

// RegisterErrorType makes a type of error known, so that errors.As finds it in errors from another process. Its
// fields must be able to travel; a value whose fields cannot arrives as a RemoteError. Fields of type error may
// hold any error, which travels as errors do. Call it before Main, in every process alike. The name stands for
// the type in messages; an empty name stands for the type's name with its package.
//
// It panics if the name or the type is taken, and says where it was registered first. It panics if E is an
// interface, and after Main.
//
// Some types need no registration: those of this package, io/fs, os, syscall, strconv and time. errors.As also
// finds those of os/exec, net, net/url, encoding/json and others of the standard library: see RemoteError.
func RegisterErrorType[E error](name string) {
	addErrorType(name, reflect.TypeFor[E](), called())
}

func addErrorType(name string, t reflect.Type, at callSite) {
	if t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q): %v is an interface: register the types that implement it", name, t))
	}
	name = nameFor("RegisterErrorType", name, func() (string, string) { return typeName(t) })
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q) after Main: other processes would not know it; register in a package variable or an init function", name))
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if other, taken := known.named[t]; taken {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q): the type %v is registered as %q already%s", name, t, other, known.typeAt[other]))
	}
	if other, taken := known.types[name]; taken {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q): the name is taken by the type %v%s", name, other, known.typeAt[name]))
	}
	known.types[name], known.named[t], known.typeAt[name] = t, name, at
}

func sentinelName(err error) (string, bool) {
	if err == nil || !reflect.TypeOf(err).Comparable() {
		return "", false
	}
	defer func() { _ = recover() }() // comparable by its type, but not by what is in it
	known.mu.RLock()
	defer known.mu.RUnlock()
	name, ok := known.name[err]
	return name, ok
}
