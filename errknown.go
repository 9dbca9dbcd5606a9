package mp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"sync"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/wire"
)

// known are the errors that are the same in every process.
var known = struct {
	mu     sync.RWMutex
	byName map[string]error
	name   map[error]string
	types  map[string]reflect.Type
	named  map[reflect.Type]string
}{
	byName: make(map[string]error), name: make(map[error]string),
	types: make(map[string]reflect.Type), named: make(map[reflect.Type]string),
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
		"mp.ErrNoMain": ErrNoMain, "mp.ErrNotRegistered": ErrNotRegistered, "mp.ErrOpen": ErrOpen, "mp.ErrClosed": ErrClosed,
		"mp.ErrTerminated": ErrTerminated, "mp.ErrCancelled": ErrCancelled, "mp.ErrMemory": ErrMemory, "mp.ErrFull": ErrFull,
		"mp.ErrEmpty": ErrEmpty, "mp.ErrNotOwner": ErrNotOwner, "mp.ErrAbandoned": ErrAbandoned, "mp.ErrBroken": ErrBroken,
	} {
		addSentinel(name, err)
	}
	wire.Sentinels(sentinelName, sentinel)
	for name, t := range map[string]reflect.Type{
		"fs.PathError": reflect.TypeFor[fs.PathError](), "os.LinkError": reflect.TypeFor[os.LinkError](),
		"os.SyscallError": reflect.TypeFor[os.SyscallError](), "syscall.Errno": reflect.TypeFor[syscall.Errno](),
		"syscall.Signal": reflect.TypeFor[syscall.Signal](), "mp.TaskError": reflect.TypeFor[TaskError](),
		"mp.MapError": reflect.TypeFor[MapError](), "mp.WorkerDiedError": reflect.TypeFor[WorkerDiedError](),
		"mp.TimeoutError": reflect.TypeFor[TimeoutError](), "mp.PanicError": reflect.TypeFor[PanicError](),
		"mp.RemoteError": reflect.TypeFor[RemoteError](), "mp.ExitError": reflect.TypeFor[ExitError](),
	} {
		wire.RegisterType(name, t)
	}
}

// sentinel is the error of that name.
func sentinel(name string) (error, bool) {
	known.mu.RLock()
	defer known.mu.RUnlock()
	err, ok := known.byName[name]
	return err, ok
}

// RegisterError makes a sentinel error known, so that errors.Is finds it in what
// came from another process. It is called before Main, in every process alike,
// and panics when the name or the error is taken, or when err is nil or cannot be
// compared.
//
// Known without registering are the sentinels of context, io, io/fs, os and this
// package, net.ErrClosed, errors.ErrUnsupported and every syscall.Errno.
func RegisterError(name string, err error) {
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterError(%q) after Main: other processes would not know it", name))
	}
	if err == nil || !reflect.TypeOf(err).Comparable() {
		panic(fmt.Sprintf("mp: RegisterError(%q): %v is not an error that can be compared", name, err))
	}
	addSentinel(name, err)
}

func addSentinel(name string, err error) {
	known.mu.Lock()
	defer known.mu.Unlock()
	if _, taken := known.byName[name]; taken || name == "" {
		panic(fmt.Sprintf("mp: RegisterError(%q): the name is empty or taken", name))
	}
	if other, taken := known.name[err]; taken {
		panic(fmt.Sprintf("mp: RegisterError(%q): the error is registered as %q", name, other))
	}
	known.byName[name], known.name[err] = err, name
}

// RegisterErrorType makes a type of error known, so that errors.As finds it in
// what came from another process. Its fields must be able to travel; a value whose
// fields cannot arrives as a RemoteError. Fields of type error may hold any error:
// what it wraps travels as errors do. It is called before Main, in every process
// alike, and panics when the name or the type is taken.
func RegisterErrorType[E error](name string) {
	t := reflect.TypeFor[E]()
	if entered.Load() {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q) after Main: other processes would not know it", name))
	}
	if t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q): %v is an interface", name, t))
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if _, taken := known.types[name]; taken || name == "" {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q): the name is empty or taken", name))
	}
	if other, taken := known.named[t]; taken {
		panic(fmt.Sprintf("mp: RegisterErrorType(%q): the type is registered as %q", name, other))
	}
	known.types[name], known.named[t] = t, name
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

// isNetClosed knows net.ErrClosed by its type, so that programs that do not use
// the network need not link it.
func isNetClosed(err error) bool {
	t := reflect.TypeOf(err)
	return t != nil && t.PkgPath() == "internal/poll" && t.Name() == "errNetClosing"
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }
