package mp

import (
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"syscall"

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
	nodeTask                // function, index, attempts, pid, wrapped error
	nodeMap                 // total, tasks
	nodeExit                // pid, code, signal, reason, stderr, wrapped error
)

const (
	maxErrorDepth = 50
	maxErrorNodes = 1000
)

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
	if isNil(reflect.ValueOf(err)) { // a nil pointer in an error is a mistake, and its methods mostly panic
		e.remote(err, depth)
		return
	}
	if e.registered(err) {
		return
	}
	switch err := err.(type) {
	case *TaskError:
		e.task(err, depth)
	case *MapError:
		e.mapped(err, depth)
	case *ExitError:
		e.exit(err, depth)
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

// task writes what a pool of the other process says of a task of its own.
func (e *errorEncoder) task(err *TaskError, depth int) {
	b := e.b
	b.Byte(nodeTask)
	b.String(err.Func)
	b.Uint64(uint64(err.Index))
	b.Uint64(uint64(err.Attempts))
	b.Uint64(uint64(err.PID))
	e.only(err.Err, depth)
}

// mapped writes all the tasks of a MapError, or if they are too many its text.
func (e *errorEncoder) mapped(err *MapError, depth int) {
	if e.nodes+2*len(err.Errs) > maxErrorNodes || depth >= maxErrorDepth || slices.Contains(err.Errs, nil) {
		e.remote(err, depth)
		return
	}
	e.b.Byte(nodeMap)
	e.b.Uint64(uint64(err.Total))
	e.b.Uvarint(uint64(len(err.Errs)))
	for _, t := range err.Errs {
		e.nodes++
		e.task(t, depth+1)
	}
}

func (e *errorEncoder) exit(err *ExitError, depth int) {
	b := e.b
	b.Byte(nodeExit)
	b.Uint64(uint64(err.PID))
	b.Uint64(uint64(err.Code))
	sig, _ := err.Signal.(syscall.Signal)
	b.Uint64(uint64(sig))
	b.String(err.Reason)
	b.String(err.Stderr)
	e.only(err.Err, depth)
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
	if !ok {
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
