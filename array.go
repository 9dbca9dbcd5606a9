package mp

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"runtime"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Array is a slice that processes share: what one of them writes, the others read, and
// nothing is copied. It is Python's multiprocessing.Array with lock=False.
// The elements lie one behind the other as in any Go slice, in the machine's byte order,
// with nothing in front.
//
// T holds no pointers: numbers and bools, arrays and structs of them, the types of
// sync/atomic included. A T with a MarshalBinary is refused: what is written to memory would not
// go through it. An Array is shareable as a Memory is, and everything said there about
// concurrent use, Close and garbage holds here.
type Array[T any] struct {
	_       [0]sync.Mutex // an Array must not be copied
	carrier carrier.Array[T]
	n       int
}

// NewArray makes an Array of n elements, all zero. It takes a descriptor, and pages of
// the machine's memory when they are first written to; some 10 microseconds. It does
// not wait. No elements are allowed, as in Python.
//
// The error is ErrNoMain before Main; one that names the field when T holds a pointer, a
// string, a slice or the like; fs.ErrInvalid when n is negative (as Python's
// ValueError); the system's when there are no descriptors or the size is absurd;
// errors.ErrUnsupported elsewhere than on Linux.
func NewArray[T any](n int) (*Array[T], error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	size, err := plainArray[T](n)
	if err != nil {
		return nil, err
	}
	b, err := shm.NewBlock("mp-array", size)
	if err != nil {
		return nil, err
	}
	a := new(Array[T])
	a.init(shared.NewMemory(b), n)
	return listed(a), nil
}

// plainArray is how many bytes n elements are, or why they cannot be an array.
func plainArray[T any](n int) (size int, err error) {
	t := reflect.TypeFor[T]()
	if err := codec.PlainError(t); err != nil {
		return 0, errtext.Errorf("mp: Array[%s]: %w", nameOf(t), err)
	}
	if codec.MayRefuse(t) {
		return 0, fmt.Errorf("mp: Array[%s]: the element type, or a type in it, has a MarshalBinary, which shared memory would bypass: use elements without one", nameOf(t))
	}
	if n < 0 {
		return 0, errtext.Errorf("mp: Array[%s]: %w: %d elements", nameOf(t), fs.ErrInvalid, n)
	}
	size, ok := arraySize(uint64(n), t)
	if !ok {
		return 0, fmt.Errorf("mp: Array[%s]: %d elements of %d bytes are more than can be addressed: ask for fewer", nameOf(t), n, t.Size())
	}
	return size, nil
}

// carryArray makes an Array on another carrier.
func carryArray[T any](n int, carry func(n, size int) (carrier.Array[T], error)) (*Array[T], error) {
	size, err := plainArray[T](n)
	if err != nil {
		return nil, err
	}
	c, err := carry(n, size)
	if err != nil {
		return nil, errtext.Errorf("mp: Array[%s]: %d elements of %d bytes: %w", nameOf(reflect.TypeFor[T]()), n, size/max(n, 1), err)
	}
	return &Array[T]{carrier: c, n: n}, nil
}

// mappedArray is an array in memory that processes share.
type mappedArray[T any] struct {
	carrier.Memory
	n int
}

func (a mappedArray[T]) Slice() []T { return shm.Elements[T](a.Memory.Bytes(), a.n) }

// Share implements carrier.Object.
func (a mappedArray[T]) Share(b *codec.Buffer) error {
	if err := a.Memory.Share(b); err != nil {
		return err
	}
	b.Uvarint(uint64(a.n))
	b.Uvarint(uint64(reflect.TypeFor[T]().Size()))
	return nil
}

// nameOf is a type as a program writes it at home.
func nameOf(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}

// arraySize is the bytes of n elements, and at least one, because there is no mapping of
// none.
func arraySize(n uint64, t reflect.Type) (int, bool) {
	each := uint64(t.Size())
	if n > math.MaxInt || each > 0 && n > math.MaxInt/each {
		return 0, false
	}
	return max(int(n*each), 1), true
}

func (a *Array[T]) init(m carrier.Memory, n int) {
	a.carrier, a.n = mappedArray[T]{m, n}, n
	runtime.AddCleanup(a, carrier.Memory.Drop, m)
}

// Slice is the shared memory itself, the same each time: Len elements. It is nil after
// Close. It does not wait, and costs some nanoseconds.
//
// After Close nothing of the slice, nor of slices of it, nor a pointer to an element may
// be used: the program crashes as with any memory that is gone (SIGSEGV), or hits what
// has taken the place. Copy what is to outlive Close. Appending to it copies it.
func (a *Array[T]) Slice() []T {
	if a == nil || a.carrier == nil {
		return nil
	}
	s := a.carrier.Slice()
	runtime.KeepAlive(a) // until it is handed out
	return s
}

// Len is the number of elements, also after Close. It never changes.
func (a *Array[T]) Len() int {
	if a == nil {
		return 0
	}
	return a.n
}

// Close takes the memory out of this process: see Slice. Others keep theirs. It does not
// wait. Closing again does nothing, and the error is always nil. A handle that was passed
// on may be closed as soon as its call has an outcome, or its Put or Send has returned.
func (a *Array[T]) Close() error {
	if a == nil || a.carrier == nil {
		return nil
	}
	return a.carrier.Close()
}

// Err is nil, or ErrClosed after Close. It does not wait.
func (a *Array[T]) Err() error {
	if a == nil || a.carrier == nil {
		return notMade("Array")
	}
	return a.carrier.Err()
}

func (a *Array[T]) share(b *codec.Buffer) error {
	if a.carrier == nil {
		return carrier.ErrMemoryClosed
	}
	return a.carrier.Share(b)
}

func (a *Array[T]) adopt(k carrier.Kind, r *codec.Reader) error {
	m, err := carrier.Open[carrier.Memory](k, r)
	if err != nil {
		return err
	}
	if err := a.adoptMemory(m, r); err != nil {
		m.Close()
		return err
	}
	return nil
}

func (a *Array[T]) list() { list(a) }

func (a *Array[T]) adoptMemory(m carrier.Memory, r *codec.Reader) error {
	n, each := r.Uvarint(), r.Uvarint()
	if err := r.Err(); err != nil {
		return err
	}
	t := reflect.TypeFor[T]()
	if err := codec.PlainError(t); err != nil {
		return err
	}
	if each != uint64(t.Size()) {
		return fmt.Errorf("an array of other elements: of %d bytes each, not %d", each, t.Size())
	}
	if size, ok := arraySize(n, t); !ok || m.Size() != size || m.Name() != "" {
		return errors.New("an array of another size than its memory")
	}
	a.init(m, int(n))
	return nil
}
