package mp

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Value is a variable that processes share. It is Python's multiprocessing.Value with its lock, except that a
// change takes effect as a whole or not at all, and a reader never waits for a writer.
//
// T holds no pointers: only numbers and bools, and arrays and structs of them. If T or a part of it has a
// MarshalBinary, NewValue, Store and Update call it; if it fails they return its error, and the variable
// does not change.
//
// A Value is shareable: inside the input or output of a Func, or inside an item of a queue or pipe, it arrives
// as the same variable. It lives as long as some process has it. Its methods are safe for concurrent use. On a
// Value that is nil or zero, Store and Update return ErrClosed, and Load panics.
type Value[T any] struct {
	_       [0]sync.Mutex // a Value must not be copied
	carrier carrier.Value
	closed  atomic.Bool // this handle was closed
	copy    shm.Cell[T] // that Update lets change; guarded by the Value's lock
	asks    bool        // T has a MarshalBinary, which may refuse
}

// NewValue makes a Value. It takes a descriptor and some pages of memory, does not wait,
// and costs some 20 microseconds.
//
// The error is ErrNoMain before Main; one that names the field when T holds a pointer, a
// string, a slice or the like; the system's when there are no descriptors;
// errors.ErrUnsupported elsewhere than on Linux.
func NewValue[T any](v T) (*Value[T], error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	value, err := carryValue(v, func(words []uint64) (carrier.Value, error) {
		c, err := shared.NewValue(words)
		if err != nil {
			return nil, err
		}
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	return listed(value), nil
}

// carryValue makes a Value on another carrier.
func carryValue[T any](v T, carry func(words []uint64) (carrier.Value, error)) (*Value[T], error) {
	if err := plainValue[T](); err != nil {
		return nil, err
	}
	if err := ask(&v); err != nil {
		return nil, err
	}
	cell := shm.Cell[T]{V: v}
	c, err := carry(cell.Words())
	if err != nil {
		return nil, err
	}
	return &Value[T]{carrier: c, asks: asks[T]()}, nil
}

// asks says whether a T, or a part of one, has a MarshalBinary. It is memory all the same, but
// not against that method's will.
func asks[T any]() bool { return codec.MayRefuse(reflect.TypeFor[T]()) }

// ask is the error of a MarshalBinary that refuses.
func ask[T any](v *T) error {
	if !asks[T]() {
		return nil
	}
	var b codec.Buffer
	if err := codec.Encode(&b, "value", v); err != nil {
		return errtext.Errorf("mp: Value[%s]: %w", nameOf(reflect.TypeFor[T]()), err)
	}
	return nil
}

func plainValue[T any]() error {
	t := reflect.TypeFor[T]()
	if err := codec.PlainError(t); err != nil {
		return errtext.Errorf("mp: Value[%s]: %w", nameOf(t), err)
	}
	if t.Size() > shared.MaxValue {
		return fmt.Errorf("mp: Value[%s]: %d bytes are too many: use an Array or a Memory", nameOf(t), t.Size())
	}
	return nil
}

func (v *Value[T]) made() bool { return v != nil && v.carrier != nil && !v.closed.Load() }

// Load returns the variable as it was at one moment. It does not wait for anybody, and
// costs some nanoseconds for each 8 bytes. While others change the variable without
// pause it reads again until it gets one state as a whole.
func (v *Value[T]) Load() T {
	if v == nil || v.carrier == nil {
		panic(notMade("Value"))
	}
	var cell shm.Cell[T]
	if v.closed.Load() {
		return cell.V
	}
	v.carrier.Load(cell.Words())
	return cell.V
}

// Store sets the variable. It waits while another changes it: see Update.
func (v *Value[T]) Store(ctx context.Context, value T) error {
	needCtx(ctx, "Value.Store")
	if !v.made() {
		return v.Err()
	}
	if v.asks {
		if err := ask(&value); err != nil {
			return err
		}
	}
	token, err := v.carrier.Begin(ctx)
	if err != nil {
		return errtext.Errorf("mp: Value.Store: %w", err)
	}
	cell := shm.Cell[T]{V: value}
	return v.carrier.Commit(token, cell.Words())
}

// Update lets f change a copy of the variable, which takes effect at once when f
// returns. If f panics, or its process is killed inside f, the variable is as before.
// Only one Update or Store runs at a time, in all processes together; so f must not
// update the same Value. Nor may it keep the pointer: the next Update uses the copy again.
//
// It waits while another changes the variable, and takes over from one that has
// died. The error is ctx's, if it ends before f was called.
func (v *Value[T]) Update(ctx context.Context, f func(*T)) error {
	needCtx(ctx, "Value.Update")
	if !v.made() {
		return v.Err()
	}
	token, err := v.carrier.Begin(ctx)
	if err != nil {
		return errtext.Errorf("mp: Value.Update: %w", err)
	}
	committing := false
	defer func() { // also when f panics or ends the goroutine
		if !committing {
			v.carrier.Cancel(token)
		}
	}()
	v.carrier.Load(v.copy.Words())
	f(&v.copy.V)
	if v.asks {
		if err := ask(&v.copy.V); err != nil {
			return err
		}
	}
	committing = true
	return v.carrier.Commit(token, v.copy.Words())
}

// Err is nil, or why the variable cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the variable is gone. It does not wait. A method without an error has answered zero then.
func (v *Value[T]) Err() error {
	if v == nil {
		return notMade("Value")
	}
	return errOf("Value", v.carrier, &v.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on.
// Closing again does nothing. It does not wait, and the error is nil for what NewValue has made.
func (v *Value[T]) Close() error {
	if v == nil {
		return nil
	}
	return closeHandle(v.carrier, &v.closed)
}

func (v *Value[T]) share(b *codec.Buffer) error {
	return shareCarrier(b, "Value", v.carrier, &v.closed)
}

func (v *Value[T]) adopt(k carrier.Kind, r *codec.Reader) error {
	if err := plainValue[T](); err != nil {
		return err
	}
	c, err := carrier.Open[carrier.Value](k, r)
	if err != nil {
		return err
	}
	if want := len(new(shm.Cell[T]).Words()); c.Words() != want {
		c.Close()
		return fmt.Errorf("a value of another type: of %d words, not %d", c.Words(), want)
	}
	v.carrier, v.asks = c, asks[T]()
	return nil
}

func (v *Value[T]) list() { list(v) }
