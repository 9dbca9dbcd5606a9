package mp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"syscall"
	"unicode/utf8"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/task"
)

// An error travels as a tree of nodes: what it is, and what it wraps. Nodes that
// the other side knows arrive as themselves, the others as a RemoteError.
const (
	nodeRemote   = iota + 1 // type, message, flags, sentinels that it is, fields, wrapped errors
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
	// maxErrorSearch is how many errors below maxErrorDepth are asked whether they
	// are known by a name.
	maxErrorSearch = 10_000
	// Errors that another wraps are mostly a part of its text, which tells all. Their
	// own texts may be so many bytes long, alone and together; short ones always go.
	maxInnerText  = 64 << 10
	maxInnerTexts = 1 << 20
	shortText     = 256
)

// errorEncoder writes one error's tree.
type errorEncoder struct {
	b        *codec.Buffer
	nodes    int
	searched int                   // below maxErrorDepth
	under    int                   // RemoteErrors around the present node
	texts    int                   // bytes of text under them
	failed   map[reflect.Type]bool // registered types that could not be written
}

func encodeError(b *codec.Buffer, err error) { (&errorEncoder{b: b}).node(err, 0) }

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
	if e.registered(err, depth) {
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
	wrapped := e.wrapped(err, depth)
	if r, ok := err.(*RemoteError); ok && r != nil { // came from further away
		b.String(r.Type)
		b.String(e.text(err))
		b.Byte(r.flags)
		e.names(r.is)
		if r.flags&flagStandard != 0 {
			b.String(r.standard)
			b.Raw(r.value)
		}
	} else {
		b.String(fmt.Sprintf("%T", err))
		b.String(e.text(err))
		e.facts(err, wrapped, depth)
	}
	b.Uvarint(uint64(len(wrapped)))
	e.under++
	for _, w := range wrapped {
		e.node(w, depth+1)
	}
	e.under--
}

// facts writes what errors.Is and errors.As can find in an error besides what it wraps.
func (e *errorEncoder) facts(err error, wrapped []error, depth int) {
	b, flags := e.b, flagsOf(err)
	nodes, texts := e.nodes, e.texts
	name, value := encodeStandard(err, wrapped, func(b *codec.Buffer, err error) error { return e.field(b, err, depth) })
	if name != "" {
		flags |= flagStandard
	} else {
		e.nodes, e.texts = nodes, texts // nothing was written
	}
	b.Byte(flags)
	names := claims(err)
	b.Uvarint(uint64(len(names)))
	for _, name := range names {
		b.String(name)
	}
	if name != "" {
		b.String(name)
		b.Raw(value.Bytes())
	}
}

// names writes sentinels.
func (e *errorEncoder) names(errs []error) {
	e.b.Uvarint(uint64(len(errs)))
	for _, err := range errs {
		name, _ := sentinelName(err)
		e.b.String(name)
	}
}

// wrapped is what goes along with a RemoteError. Where that would be too deep, it is
// what errors.Is has to find below.
func (e *errorEncoder) wrapped(err error, depth int) (wrapped []error) {
	if depth >= maxErrorDepth {
		return e.search(err)
	}
	for _, w := range unwrap(err) {
		if w != nil && e.nodes+len(wrapped) < maxErrorNodes {
			wrapped = append(wrapped, w)
		}
	}
	return wrapped
}

// search looks for the errors below err that are known by a name or a number.
func (e *errorEncoder) search(err error) (found []error) {
	met := make(map[error]bool)
	for queue := unwrap(err); len(queue) > 0 && e.searched < maxErrorSearch; queue = queue[1:] {
		e.searched++
		w := queue[0]
		_, isSentinel := sentinelName(w)
		_, isErrno := w.(syscall.Errno)
		switch {
		case isSentinel || isErrno:
			if !met[w] && e.nodes+len(found) < maxErrorNodes {
				met[w] = true
				found = append(found, w)
			}
		case w != nil && len(queue) < maxErrorSearch:
			queue = append(queue, unwrap(w)...)
		}
	}
	return found
}

// text is an error's text, shortened where another error tells it as well.
func (e *errorEncoder) text(err error) string {
	s := task.Text(err)
	if e.under == 0 {
		return s
	}
	most := max(shortText, min(maxInnerText, maxInnerTexts-e.texts))
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = fmt.Sprintf("%s... (%d bytes more)", s[:most], len(s)-most)
	}
	e.texts += len(s)
	return s
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
func (e *errorEncoder) registered(err error, depth int) bool {
	t := reflect.TypeOf(err)
	known.mu.RLock()
	name, ok := known.named[t]
	known.mu.RUnlock()
	if !ok || e.failed[t] {
		return false
	}
	nodes, texts := e.nodes, e.texts
	value := codec.Buffer{Copy: true}
	defer value.Settle(false) // what is shared stays here: an error tells, and does not carry
	value.Errors = func(b *codec.Buffer, err error) error { return e.field(b, err, depth) }
	if codec.EncodeValue(&value, "err", reflect.ValueOf(err)) != nil || len(value.Attachments()) > 0 {
		if e.failed == nil {
			e.failed = make(map[reflect.Type]bool)
		}
		e.failed[t] = true // else each level would be tried twice
		e.nodes, e.texts = nodes, texts
		return false
	}
	e.b.Byte(nodeType)
	e.b.String(name)
	e.b.Nested(&value)
	return true
}

var errTooMany = errors.New("mp: an error that wraps too many others")

// field writes what a field of type error of a registered error holds.
func (e *errorEncoder) field(b *codec.Buffer, err error, depth int) error {
	if e.nodes >= maxErrorNodes {
		return errTooMany
	}
	outer := e.b
	e.b = b
	e.only(err, depth)
	e.b = outer
	return nil
}
