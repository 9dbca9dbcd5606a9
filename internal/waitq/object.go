package waitq

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// The layout of an object, in byte offsets. All words are in the machine's byte order.
//
//	     0  magic, with the kind in the low byte
//	     8  the size of the payload in bytes
//	    16  the object's number in its program
//	    24  its identity, two random words: a process that has the object finds it by them
//	    40  four parameters of the kind, written before the object is shared
//	   128  the state of the kind, up to 1536
//	  1536  wait-for edges of the process that owns the object: see waitfor.go
//	  2048  four wait queues of 512 bytes: see queue.go
//	  4096  the rows: 128 bytes for each slot of the process table:
//	     +0  since when the process waits in each of the four queues
//	    +32  four words of the kind
//	    +64  the doorbell, two words of 32 bits: see doorbell.go
//	528384  the payload
const (
	objectMagic = 0x6d702d6f626a3100 // "mp-obj1", and the kind
	payloadIn   = 8
	numberIn    = 16
	identityIn  = 24
	paramsIn    = 40
	// StateAt is where the words of a kind begin, and StateEnd where they end.
	StateAt, StateEnd = 128, 1536
	edgesAt           = 1536
	queuesAt          = 2048
	queueSize         = proctable.Slots / 8
	queuesPerObject   = 4
	rowsAt            = 4096
	rowSize           = 128
	bellIn            = 64
	headSize          = rowsAt + proctable.Slots*rowSize
	// PayloadAt is where the payload begins, in bytes.
	PayloadAt = headSize
)

// Object is a piece of shared memory with a row for each process: what one lock, one queue or
// one value is made of. It has a region of its own, so that the kernel counts who can reach
// it, and frees it with the last process. A process has one Object for each region, however
// often it received the region. Its methods are safe for concurrent use.
type Object struct {
	*shm.Region
	handles    int         // how many handles the program has; guarded by the lock on objects
	closed     os.FileInfo // of the descriptor, after it was closed with the last handle
	number     uint64
	identity   [2]uint64
	core       any
	ownerQueue *Queue // where goroutines wait to own the object; nil if it can have several owners

	// Guarded by the parking lot.
	waitingQueues int   // queues in which a goroutine of this process waits
	listened      bool  // it is one of the parking lot's objects
	idleSince     int64 // when the last goroutine of this process left its queues
}

// Shape is the type and the size of an object.
type Shape struct {
	Name     string // shown in /proc and by debuggers
	Kind     byte
	Payload  int   // bytes that are mapped after the rows
	Unmapped int64 // bytes of the file after those, which are not mapped
	Params   [4]uint64
}

// objects are the objects of this process by their identity.
var objects struct {
	sync.Mutex
	known map[[2]uint64]weak.Pointer[Object]
}

// enter makes sure that this process has a slot in the process table.
func enter() (*proctable.Table, error) {
	proctable.OnDeath(deathObserved)
	return proctable.Enter()
}

// NewObject makes an object: all zero, but for its head. core makes the part of it that each
// process has for itself. The core refers to the object, and must not be kept alive by
// anything that outlives the object. The memory is unmapped when the object is garbage, so
// code that uses the memory must keep the object alive (runtime.KeepAlive).
func NewObject(s Shape, core func(*Object) any) (*Object, error) {
	t, err := enter()
	if err != nil {
		return nil, err
	}
	region, err := shm.NewSparse("mp-"+s.Name, headSize+s.Payload, headSize+int64(s.Payload)+s.Unmapped)
	if err != nil {
		return nil, err
	}
	o := &Object{Region: region, number: t.NextObjectNumber(), identity: [2]uint64{rand.Uint64(), rand.Uint64()}}
	region.Word(payloadIn).Store(uint64(s.Payload))
	region.Word(numberIn).Store(o.number)
	for i := range o.identity {
		region.Word(identityIn + 8*i).Store(o.identity[i])
	}
	for i, p := range s.Params {
		region.Word(paramsIn + 8*i).Store(p)
	}
	region.Word(0).Store(objectMagic | uint64(s.Kind))
	objects.Lock()
	defer objects.Unlock()
	return o.register(core), nil
}

// OpenObject returns the object of a region that arrived from another process, or from this
// one. It takes over the descriptor, also when it fails. shape makes the expected shape from
// the object's parameters, which can be anything and are read once.
func OpenObject(f *os.File, kind byte, shape func(params [4]uint64) (Shape, error), core func(*Object) any) (*Object, error) {
	if _, err := enter(); err != nil {
		f.Close()
		return nil, err
	}
	head, err := readHead(f, kind)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("mp: not a shared object: %w", err)
	}
	objects.Lock()
	defer objects.Unlock()
	if o := objects.known[head.identity].Value(); o != nil {
		if !o.isOf(f) || o.Kind() != kind {
			f.Close()
			return nil, fmt.Errorf("mp: not a shared object: another object has its identity")
		}
		o.reopen(f)
		return o, nil
	}
	s, err := shape(head.params)
	if err != nil {
		f.Close()
		return nil, err
	}
	region, err := shm.OpenSparse(f, headSize+s.Payload, headSize+int64(s.Payload)+s.Unmapped)
	if err != nil {
		return nil, err
	}
	o := &Object{Region: region, number: head.number, identity: head.identity}
	return o.register(core), nil
}

// register adds the object to those of this process, until it is garbage. The caller holds
// the lock on objects.
func (o *Object) register(core func(*Object) any) *Object {
	if objects.known == nil {
		objects.known = make(map[[2]uint64]weak.Pointer[Object])
	}
	o.core = core(o)
	ref := weak.Make(o)
	objects.known[o.identity] = ref
	o.handles = 1
	identity, region := o.identity, o.Region
	runtime.AddCleanup(o, func(region *shm.Region) {
		objects.Lock()
		if objects.known[identity] == ref {
			delete(objects.known, identity)
		}
		objects.Unlock()
		region.Close()
	}, region)
	return o
}

// isOf reports whether a descriptor is one of the object. The caller holds the lock on objects.
func (o *Object) isOf(f *os.File) bool {
	if own := o.File(); own != nil {
		return sameFile(own, f)
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(info, o.closed)
}

// reopen counts one more handle, and takes over a descriptor of the object. The caller holds the
// lock on objects.
func (o *Object) reopen(f *os.File) {
	o.handles++
	if o.File() != nil {
		f.Close()
		return
	}
	o.SetFile(f)
}

// Retain counts one more handle of the program on the object.
func (o *Object) Retain() {
	objects.Lock()
	defer objects.Unlock()
	if o.handles > 0 {
		o.handles++
	}
}

// Release ends one handle. The last one closes the object's descriptor at once. The memory stays
// mapped until the object is garbage, so that code that still uses it does not crash.
func (o *Object) Release() {
	objects.Lock()
	defer objects.Unlock()
	if o.handles == 0 {
		return
	}
	if o.handles--; o.handles > 0 {
		return
	}
	if o.closed, _ = o.File().Stat(); o.closed == nil {
		return // the object could not be recognized when it arrives again
	}
	o.CloseFile()
}

// head is the content of an object's head.
type head struct {
	number   uint64
	identity [2]uint64
	params   [4]uint64
}

func readHead(f *os.File, kind byte) (head, error) {
	var b [StateAt]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return head{}, err
	}
	word := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	if word(0) != objectMagic|uint64(kind) {
		return head{}, fmt.Errorf("its first word is %#x", word(0))
	}
	h := head{number: word(numberIn), identity: [2]uint64{word(identityIn), word(identityIn + 8)}}
	for i := range h.params {
		h.params[i] = word(paramsIn + 8*i)
	}
	return h, nil
}

func sameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

// SetOwnerQueue says that the object has one owner at a time: the holder of the queue, in
// which goroutines wait to become the owner. Only the core may call it.
func (o *Object) SetOwnerQueue(q *Queue) { o.ownerQueue = q }

// deathObserved is called when this process has observed a death by itself. It wakes the
// leader, and the waiters of other processes that share an object with this one.
func deathObserved() {
	lot.wakeLeader()
	objects.Lock()
	defer objects.Unlock()
	me := proctable.Me().Slot()
	for _, known := range objects.known {
		if o := known.Value(); o != nil {
			for n := range queuesPerObject {
				forEachBit(o.Words(queuesAt+n*queueSize, (o.UsedSlots()+63)/64), func(slot int) {
					if slot != me {
						o.doorbell(slot).ring()
					}
				})
			}
		}
	}
}

// Kind is the object's kind.
func (o *Object) Kind() byte { return byte(o.Word(0).Load()) }

// Number is unique in the program. It is for messages.
func (o *Object) Number() uint64 { return o.number }

// Core is what the core function made for this process.
func (o *Object) Core() any { return o.core }

// Param is one of the parameters with which the object was made, as it is in memory now. The
// caller must check it.
func (o *Object) Param(i int) uint64 { return o.Word(paramsIn + 8*i).Load() }

// Row is a word of the kind in the row of a slot; i is from 0 to 3.
func (o *Object) Row(slot, i int) *atomic.Uint64 {
	return o.Word(rowsAt + slot*rowSize + 32 + 8*i)
}

// OwnRow is Row for this process.
func (o *Object) OwnRow(i int) *atomic.Uint64 { return o.Row(proctable.Me().Slot(), i) }

// UsedSlots is the number of rows that can be in use.
func (o *Object) UsedSlots() int { return proctable.Current().Used() }

// Payload is the mapped memory after the rows.
func (o *Object) Payload() []byte { return o.Bytes(headSize, o.Size()-headSize) }
