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
	"time"

	"github.com/gomultiprocessing/mp/internal/wire"
)

// An error travels as a tree of nodes: what it is, and what it wraps. Nodes that
// the other side knows arrive as themselves, the others as a RemoteError.
const (
	nodeRemote   = iota + 1 // type, message, flags, wrapped errors
	nodeSentinel            // its name
	nodeType                // its type's name, value
	nodePanic               // value, stack
	nodeTimeout             // after, stack
	nodeErrno               // number
	nodePath                // op, path, wrapped error
	nodeLink                // op, old, new, wrapped error
	nodeSyscall             // name, wrapped error
)

const (
	maxErrorDepth = 50
	maxErrorNodes = 1000
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
// fields cannot arrives as a RemoteError. It is called before Main, in every
// process alike, and panics when the name or the type is taken.
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

// errorEncoder writes one error's tree.
type errorEncoder struct {
	b     *wire.Buffer
	nodes int
}

func encodeError(b *wire.Buffer, err error) { (&errorEncoder{b: b}).node(err, 0) }

func (e *errorEncoder) node(err error, depth int) {
	e.nodes++
	for p, ok := err.(*permanentError); ok; p, ok = err.(*permanentError) {
		err = p.err
	}
	b := e.b
	if name, ok := sentinelName(err); ok {
		b.Byte(nodeSentinel)
		b.String(name)
		return
	}
	if e.registered(err) {
		return
	}
	switch err := err.(type) {
	case *PanicError:
		b.Byte(nodePanic)
		b.String(err.Value)
		b.String(err.Stack)
	case *TimeoutError:
		b.Byte(nodeTimeout)
		b.Uint64(uint64(err.After))
		b.String(err.Stack)
	case syscall.Errno:
		b.Byte(nodeErrno)
		b.Uint64(uint64(err))
	case *fs.PathError:
		b.Byte(nodePath)
		b.String(err.Op)
		b.String(err.Path)
		e.only(err.Err, depth)
	case *os.LinkError:
		b.Byte(nodeLink)
		b.String(err.Op)
		b.String(err.Old)
		b.String(err.New)
		e.only(err.Err, depth)
	case *os.SyscallError:
		b.Byte(nodeSyscall)
		b.String(err.Syscall)
		e.only(err.Err, depth)
	default:
		e.remote(err, depth)
	}
}

// only writes the one error that a node wraps.
func (e *errorEncoder) only(err error, depth int) {
	switch {
	case err == nil:
		e.b.Byte(0)
	case depth >= maxErrorDepth:
		e.remote(err, depth+1) // the text of all that is below
	default:
		e.node(err, depth+1)
	}
}

// remote writes an error that the other side cannot make again.
func (e *errorEncoder) remote(err error, depth int) {
	b := e.b
	b.Byte(nodeRemote)
	typ, closed := fmt.Sprintf("%T", err), isNetClosed(err)
	if r, ok := err.(*RemoteError); ok && r != nil { // came from further away
		typ, closed = r.Type, r.netClosed
	}
	b.String(typ)
	b.String(text(err))
	if closed {
		b.Byte(1)
	} else {
		b.Byte(0)
	}
	var wrapped []error
	for _, w := range unwrap(err) {
		if w != nil && depth < maxErrorDepth && e.nodes+len(wrapped) < maxErrorNodes {
			wrapped = append(wrapped, w)
		}
	}
	b.Uvarint(uint64(len(wrapped)))
	for _, w := range wrapped {
		e.node(w, depth+1)
	}
}

// unwrap is what an error wraps. The death of a nested pool's worker is nothing
// that happened to this one's: what it wraps stays there.
func unwrap(err error) (wrapped []error) {
	defer func() {
		if recover() != nil {
			wrapped = nil
		}
	}()
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}

// registered writes an error of a registered type, if it is one that can travel.
func (e *errorEncoder) registered(err error) bool {
	known.mu.RLock()
	name, ok := known.named[reflect.TypeOf(err)]
	known.mu.RUnlock()
	v := reflect.ValueOf(err)
	if !ok || isNil(v) { // a nil pointer in an error is a mistake, and its methods mostly panic
		return false
	}
	var value wire.Buffer
	value.Copy = true
	if wire.EncodeValue(&value, "err", v) != nil {
		return false
	}
	e.b.Byte(nodeType)
	e.b.String(name)
	e.b.Nested(&value)
	return true
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

// decodeError reads an error. Bytes that are none are an error as well.
func decodeError(r *wire.Reader) error {
	nodes := 0
	err := decodeNode(r, 0, &nodes)
	if r.Err() != nil {
		return fmt.Errorf("mp: an error that cannot be understood: %w", r.Err())
	}
	if err == nil {
		return errors.New("mp: an error that cannot be understood")
	}
	return err
}

// decodeInner reads what a PathError or the like wraps. Those cannot be printed
// without: where there was nothing, or too much, something says so.
func decodeInner(r *wire.Reader, depth int, nodes *int) error {
	if err := decodeNode(r, depth+1, nodes); err != nil {
		return err
	}
	return &RemoteError{Type: "error", Message: "error not known"}
}

// isFinal says whether an error is not to be retried. It does not trust the
// error: errors.As would call its methods and follow it for ever in a circle.
func isFinal(err error) bool {
	nodes := 0
	var look func(err error, depth int) bool
	look = func(err error, depth int) bool {
		if nodes++; err == nil || depth > maxErrorDepth || nodes > maxErrorNodes {
			return false
		}
		if _, ok := err.(*permanentError); ok || same(err, ErrNotRegistered) {
			return true
		}
		for _, w := range unwrap(err) {
			if look(w, depth+1) {
				return true
			}
		}
		return false
	}
	return look(err, 0)
}

// same is == for errors that may hold what cannot be compared.
func same(err, sentinel error) bool {
	return reflect.TypeOf(err) == reflect.TypeOf(sentinel) && err == sentinel
}

func decodeNode(r *wire.Reader, depth int, nodes *int) error {
	*nodes++
	if depth > maxErrorDepth+1 || *nodes > 2*maxErrorNodes {
		return errors.New("mp: an error that wraps too many others")
	}
	switch r.Byte() {
	case nodeRemote:
		return decodeRemote(r, depth, nodes)
	case nodeSentinel:
		name := r.String()
		known.mu.RLock()
		defer known.mu.RUnlock()
		if err, ok := known.byName[name]; ok {
			return err
		}
		return &RemoteError{Type: "error", Message: name}
	case nodeType:
		return decodeRegistered(r)
	case nodePanic:
		return &PanicError{Value: r.String(), Stack: r.String()}
	case nodeTimeout:
		return &TimeoutError{After: time.Duration(r.Uint64()), Stack: r.String()}
	case nodeErrno:
		return syscall.Errno(r.Uint64())
	case nodePath:
		return &fs.PathError{Op: r.String(), Path: r.String(), Err: decodeInner(r, depth, nodes)}
	case nodeLink:
		return &os.LinkError{Op: r.String(), Old: r.String(), New: r.String(), Err: decodeInner(r, depth, nodes)}
	case nodeSyscall:
		return &os.SyscallError{Syscall: r.String(), Err: decodeInner(r, depth, nodes)}
	}
	return nil
}

func decodeRemote(r *wire.Reader, depth int, nodes *int) error {
	e := &RemoteError{Type: r.String(), Message: r.String(), netClosed: r.Byte() != 0}
	for n := r.Uvarint(); n > 0 && r.Err() == nil && *nodes <= 2*maxErrorNodes; n-- {
		if w := decodeNode(r, depth+1, nodes); w != nil {
			e.wrapped = append(e.wrapped, w)
		}
	}
	return e
}

func decodeRegistered(r *wire.Reader) error {
	name, value := r.String(), r.Raw()
	known.mu.RLock()
	t, ok := known.types[name]
	known.mu.RUnlock()
	if !ok {
		return &RemoteError{Type: name, Message: "mp: an error of a type that is not registered here"}
	}
	v := reflect.New(t).Elem()
	if err := wire.DecodeValue(wire.NewReader(value), v); err != nil {
		return &RemoteError{Type: name, Message: err.Error()}
	}
	if isNil(v) {
		return &RemoteError{Type: name, Message: "mp: an error that is a nil pointer"}
	}
	return v.Interface().(error)
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }
