package shared

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Value is some words that change at once.
//
// Its memory, from the start of the state: at 0 the version, at 64 the lock of writers. The
// payload is two slots. The lowest bit of the version says which of them is the value. A writer
// writes the other one, and then one word, the version. So a writer that dies has changed nothing,
// and readers never wait for a writer.
type Value struct {
	object  *waitq.Object
	version *atomic.Uint64
	slots   [2][]atomic.Uint64 // as they are read
	write   [2][]uint64        // and written
	lock    *Lock
}

// MaxValue is how many bytes a value may have at most.
const MaxValue = math.MaxInt32

func valueShape(words uint64) (waitq.Shape, error) {
	if words > MaxValue/8 {
		return waitq.Shape{}, fmt.Errorf("a value of %d words", words)
	}
	return waitq.Shape{Name: "value", Kind: kindValue, Payload: 2 * slotBytes(int(words)), Params: [4]uint64{words}}, nil
}

// slotBytes is the size of a slot, which keeps the slots on separate cache lines.
func slotBytes(words int) int { return (8*words + 63) &^ 63 }

// NewValue makes a value.
func NewValue(words []uint64) (*Value, error) {
	shape, err := valueShape(uint64(len(words)))
	if err != nil {
		return nil, err
	}
	o, err := waitq.NewObject(shape, valueCore)
	if err != nil {
		return nil, err
	}
	v := o.Core().(*Value)
	for i := range words {
		v.slots[0][i].Store(words[i])
	}
	return v, nil
}

// OpenValue returns the value that another process has sent.
func OpenValue(f *os.File) (*Value, error) {
	o, err := waitq.OpenObject(f, kindValue, func(p [4]uint64) (waitq.Shape, error) { return valueShape(p[0]) }, valueCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Value), nil
}

// Words is the number of words.
func (v *Value) Words() int { return len(v.slots[0]) }

func valueCore(o *waitq.Object) any {
	size := (o.Size() - waitq.PayloadAt) / 2
	v := &Value{object: o, version: o.Word(waitq.StateAt), lock: newLock(o, waitq.StateAt+64, 0)}
	words := min(int(min(o.Param(0), MaxValue/8)), size/8)
	for i := range v.slots {
		v.slots[i] = o.Words(waitq.PayloadAt+i*size, words)
		v.write[i] = o.PlainWords(waitq.PayloadAt+i*size, words)
	}
	return v
}

// File is what another process needs to open the value.
func (v *Value) File() *os.File { return v.object.File() }

// Load copies the value. It does not wait; when the value changes twice meanwhile, it reads again.
func (v *Value) Load(to []uint64) {
	for {
		version := v.version.Load()
		slot := v.slots[version&1]
		for i := range to {
			to[i] = slot[i].Load()
		}
		if v.version.Load() == version {
			break
		}
	}
	v.lock.edge.acquire()
	runtime.KeepAlive(v)
}

// Begin keeps others from changing the value until Commit or Cancel.
func (v *Value) Begin(ctx context.Context) (token uint64, err error) {
	g, err := v.lock.Acquire(ctx)
	return g.Token, err
}

// Commit changes the value, and lets others change it.
func (v *Value) Commit(token uint64, from []uint64) error {
	version := v.version.Load()
	slot := v.write[(version+1)&1]
	if shm.Invariants {
		copy(slot[:len(slot)/2], from)
		shm.Point("value.half")
	}
	copy(slot, from)
	shm.Point("value.written")
	v.version.Store(version + 1)
	shm.Point("value.committed")
	err := v.lock.Release(token)
	runtime.KeepAlive(v)
	return err
}

// Cancel lets others change the value, which is as it was.
func (v *Value) Cancel(token uint64) {
	v.lock.Release(token)
	runtime.KeepAlive(v)
}
