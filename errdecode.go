package mp

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

func init() {
	codec.Errors(func(b *codec.Buffer, err error) error { encodeError(b, err); return nil }, func(r *codec.Reader) error {
		nodes := 0
		return decodeNode(r, 0, &nodes)
	})
}

// decodeError reads an error. Bytes that are none are an error as well.
func decodeError(r *codec.Reader) error {
	nodes := 0
	err := decodeNode(r, 0, &nodes)
	if r.Err() != nil {
		return errtext.Errorf("mp: the error of another process cannot be decoded: %w", r.Err())
	}
	if err == nil {
		return errors.New("mp: the error of another process cannot be decoded")
	}
	return err
}

// decodeInner reads what a PathError, a TaskError or the like wraps. Those cannot be printed
// without: where there was nothing, or too much, something says so.
func decodeInner(r *codec.Reader, depth int, nodes *int) error {
	if err := decodeNode(r, depth+1, nodes); err != nil {
		return err
	}
	return &RemoteError{Type: "error", Message: "error not known"}
}

// isFinal says whether an error is not to be retried. It does not trust the
// error: errors.As would call its methods and follow it forever in a circle.
func isFinal(err error) bool {
	nodes := 0
	var look func(err error) bool
	look = func(err error) bool {
		if nodes++; err == nil || nodes > maxErrorNodes {
			return false
		}
		if _, ok := err.(*permanentError); ok || same(err, ErrNotRegistered) {
			return true
		}
		for _, w := range unwrap(err) {
			if look(w) {
				return true
			}
		}
		return false
	}
	return look(err)
}

func decodeNode(r *codec.Reader, depth int, nodes *int) error {
	*nodes++
	if depth > maxErrorDepth+2 || *nodes > 2*maxErrorNodes {
		return errTooMany
	}
	switch r.Byte() {
	case nodeRemote:
		return decodeRemote(r, depth, nodes)
	case nodeSentinel:
		name := r.String()
		if err, ok := sentinel(name); ok {
			return err
		}
		return &RemoteError{Type: "error", Message: name}
	case nodeType:
		return decodeRegistered(r, depth, nodes)
	case nodePanic:
		return &PanicError{Value: r.String(), Stack: r.String()}
	case nodeTimeout:
		return &TimeoutError{After: time.Duration(r.Uint64()), Stack: r.String()}
	case nodeTask:
		return decodeTask(r, depth, nodes)
	case nodeMap:
		return decodeMap(r, depth, nodes)
	case nodeExit:
		return decodeExit(r, depth, nodes)
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

func decodeTask(r *codec.Reader, depth int, nodes *int) *TaskError {
	e := &TaskError{Func: r.String(), Index: int(r.Uint64()), Attempts: int(r.Uint64()), PID: int(r.Uint64())}
	e.Err = decodeInner(r, depth, nodes)
	return e
}

func decodeMap(r *codec.Reader, depth int, nodes *int) error {
	e := &MapError{Total: int(r.Uint64())}
	for n := r.Uvarint(); n > 0 && r.Err() == nil && *nodes <= 2*maxErrorNodes; n-- {
		if *nodes++; r.Byte() != nodeTask {
			return nil
		}
		e.Errs = append(e.Errs, decodeTask(r, depth+1, nodes))
	}
	return e
}

func decodeExit(r *codec.Reader, depth int, nodes *int) error {
	e := &ExitError{PID: int(r.Uint64()), Code: int(r.Uint64())}
	if sig := syscall.Signal(r.Uint64()); sig != 0 {
		e.Signal = sig
	}
	e.Reason, e.Stderr = r.String(), r.String()
	e.Err = decodeNode(r, depth+1, nodes)
	return e
}

func decodeRemote(r *codec.Reader, depth int, nodes *int) error {
	e := &RemoteError{Type: r.String(), Message: r.String(), flags: r.Byte()}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		if err, ok := sentinel(r.String()); ok && len(e.is) < maxErrorNodes {
			e.is = append(e.is, err)
		}
	}
	if e.flags&flagStandard != 0 {
		e.standard, e.value = r.String(), bytes.Clone(r.Raw())
	}
	for n := r.Uvarint(); n > 0 && r.Err() == nil && *nodes <= 2*maxErrorNodes; n-- {
		if w := decodeNode(r, depth+1, nodes); w != nil {
			e.wrapped = append(e.wrapped, w)
		}
	}
	if t := linkedTypes[e.standard]; t != nil && r.Err() == nil {
		if err, ok := e.rebuild(t, func(r *codec.Reader) error { return decodeNode(r, depth+1, nodes) }); ok {
			return err
		}
	}
	return e
}

func decodeRegistered(r *codec.Reader, depth int, nodes *int) error {
	name, value := r.String(), r.Raw()
	known.mu.RLock()
	t, ok := known.types[name]
	known.mu.RUnlock()
	if !ok {
		return &RemoteError{Type: name, Message: "mp: an error of a type that is not registered here"}
	}
	v := reflect.New(t).Elem()
	fields := codec.NewReader(value)
	fields.Errors = func(r *codec.Reader) error { return decodeNode(r, depth+1, nodes) }
	if err := codec.DecodeValue(fields, v); err != nil {
		return &RemoteError{Type: name, Message: err.Error()}
	}
	if isNil(v) {
		return &RemoteError{Type: name, Message: "mp: an error that is a nil pointer"}
	}
	return v.Interface().(error)
}

// As makes the error that e stands for of what came of it, if that is a type of the standard
// library which cannot be known beforehand, such as *exec.ExitError, *net.OpError or
// *url.Error; and for net.Error and other interfaces with a Timeout method something that
// answers as the error would have. It is for errors.As and errors.AsType.
func (e *RemoteError) As(target any) bool {
	to := reflect.ValueOf(target)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return false
	}
	t := to.Type().Elem()
	if t.Kind() == reflect.Interface {
		return e.asInterface(to.Elem())
	}
	if e.standard == "" || standardName(t) != e.standard {
		return false
	}
	nodes := 0
	err, ok := e.rebuild(t, func(r *codec.Reader) error { return decodeNode(r, 1, &nodes) })
	if ok {
		to.Elem().Set(reflect.ValueOf(err))
	}
	return ok
}

func (e *RemoteError) asInterface(to reflect.Value) bool {
	var as any
	switch {
	case e.flags&(flagTimeout|flagTemporary) == flagTimeout|flagTemporary:
		as = &remoteNetError{remoteTimeout{e}}
	case e.flags&flagTimeout != 0:
		as = &remoteTimeout{e}
	default:
		return false
	}
	if !reflect.TypeOf(as).Implements(to.Type()) {
		return false
	}
	to.Set(reflect.ValueOf(as))
	return true
}
