package shm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"
)

// An object is what one lock, one queue or one value is made of: a region of its own,
// so that the kernel counts who can reach it, and frees it with the last one.
//
// By byte offsets; all words are in the machine's byte order:
//
//	  0   magic, with the kind in the low byte
//	  8   bytes of the payload
//	 16   the object's number in its program
//	 24   two random words, by which a process finds that it has the object already
//	 40   four words of the kind's own, written before the object is shared
//	128   the kind's state, up to 1536
//	1536  for whom the process waits that has the object, see want.go
//	2048  who waits: four lines of 512 bytes, see line.go
//	4096  the rows: 128 bytes for each process of the program, by its slot. The first
//	      four words are since when it waits in each line, the next four are the kind's. Then
//	      comes its doorbell, two words of 32 bits: what has rung is counted in the first,
//	      and the second is 1 while the process sleeps until that changes
//	528384 the payload
const (
	objectMagic = 0x6d702d6f626a3100 // "mp-obj1", and the kind
	payloadIn   = 8
	numberIn    = 16
	identityIn  = 24
	paramsIn    = 40
	// StateAt is where a kind's own words begin, and StateEnd where they end.
	StateAt, StateEnd = 128, 1536
	edgesAt           = 1536
	queuesAt          = 2048
	queueSize         = Slots / 8
	// Lines is how many lines an object has.
	Lines    = 4
	rowsAt   = 4096
	rowSize  = 128
	bellIn   = 64
	headSize = rowsAt + Slots*rowSize
)

// Object is a piece of shared memory with a place for each process. There is one for
// each region in a process, however often it came.
type Object struct {
	*Region
	handles    int         // of the program on it; guarded by the lock on objects
	letGo      os.FileInfo // of the descriptor, once there was no handle
	number     uint64
	identity   [2]uint64
	core       any
	ownerQueue *Line // what is waited for by those that want to have it; nil if more than one can have it

	// Guarded by the hall.
	waitingQueues int   // lines for which somebody here waits
	listened      bool  // it is among the hall's objects
	idleSince     int64 // when the last of them was left
}

// Shape says what an object looks like.
type Shape struct {
	Name    string // for /proc and debuggers
	Kind    byte
	Payload int   // bytes that are mapped behind the rows
	Beyond  int64 // bytes of the file behind those, not mapped
	Params  [4]uint64
}

// objects are those that this process has, by their identity.
var objects struct {
	sync.Mutex
	known map[[2]uint64]weak.Pointer[Object]
}

// NewObject makes an object, all zero but for its head. core makes what the kind keeps of
// it in each process, which refers to the object, and nothing that lives on to it.
// The memory is unmapped when the object is garbage, so whoever uses it keeps
// the object alive until he is through (runtime.KeepAlive).
func NewObject(s Shape, core func(*Object) any) (*Object, error) {
	t, err := ensureJoined()
	if err != nil {
		return nil, err
	}
	region, err := retryAfterGC(func() (*Region, error) {
		return newSparse("mp-"+s.Name, headSize+s.Payload, headSize+int64(s.Payload)+s.Beyond)
	})
	if err != nil {
		return nil, err
	}
	o := &Object{Region: region, number: t.nextObjectNumber(), identity: [2]uint64{rand.Uint64(), rand.Uint64()}}
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

// OpenObject returns the object of a region that came from another process, or from
// this one. The descriptor is the object's from now on, also when OpenObject fails.
// shape makes the expected shape from the object's parameters, which may be
// anything, and are read once.
func OpenObject(f *os.File, kind byte, shape func(params [4]uint64) (Shape, error), core func(*Object) any) (*Object, error) {
	if _, err := ensureJoined(); err != nil {
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
			return nil, fmt.Errorf("mp: not a shared object: it has the identity of another")
		}
		o.reopen(f)
		return o, nil
	}
	s, err := shape(head.params)
	if err != nil {
		f.Close()
		return nil, err
	}
	region, err := openSparse(f, headSize+s.Payload, headSize+int64(s.Payload)+s.Beyond)
	if err != nil {
		return nil, err
	}
	o := &Object{Region: region, number: head.number, identity: head.identity}
	return o.register(core), nil
}

// enter makes the object one that this process has. The lock on objects is held.
func (o *Object) register(core func(*Object) any) *Object {
	if objects.known == nil {
		objects.known = make(map[[2]uint64]weak.Pointer[Object])
	}
	o.core = core(o)
	mine := weak.Make(o)
	objects.known[o.identity] = mine
	o.handles = 1
	identity, region := o.identity, o.Region
	Held(1)
	runtime.AddCleanup(o, func(region *Region) {
		objects.Lock()
		if objects.known[identity] == mine {
			delete(objects.known, identity)
		}
		objects.Unlock()
		if region.File() != nil {
			Held(-1)
		}
		region.Close()
	}, region)
	return o
}

// isOf says whether a descriptor is one of the object. The lock on objects is held.
func (o *Object) isOf(f *os.File) bool {
	if own := o.File(); own != nil {
		return sameFile(own, f)
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(info, o.letGo)
}

// reopen counts one more handle. The descriptor is the object's if it has none. The lock on objects is held.
func (o *Object) reopen(f *os.File) {
	o.handles++
	if o.File() != nil {
		f.Close()
		return
	}
	o.setFile(f)
	Held(1)
}

// Retain counts one more handle of the program on the object.
func (o *Object) Retain() {
	objects.Lock()
	defer objects.Unlock()
	if o.handles > 0 {
		o.handles++
	}
}

// Release ends one handle. With the last one the object's descriptor is closed at once. The memory stays
// mapped until the object is garbage, so that nobody who uses it is disturbed.
func (o *Object) Release() {
	objects.Lock()
	defer objects.Unlock()
	if o.handles == 0 {
		return
	}
	if o.handles--; o.handles > 0 {
		return
	}
	if o.letGo, _ = o.File().Stat(); o.letGo == nil {
		return // it could not be told again
	}
	o.CloseFile()
	Held(-1)
}

// head is what the head of an object says.
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
	word := func(at int) uint64 { return nativeWord(b[at:]) }
	if word(0) != objectMagic|uint64(kind) {
		return head{}, fmt.Errorf("it begins with %#x", word(0))
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

// OwnedBy says that one process at a time has the object: the line's holder, for which those
// wait that stand in the line. It is said by the core.
func (o *Object) OwnedBy(l *Line) { o.ownerQueue = l }

// ringForAll has all processes that share something with this one look after it.
func ringForAll() {
	objects.Lock()
	defer objects.Unlock()
	me := currentTable().me.slot()
	for _, known := range objects.known {
		if o := known.Value(); o != nil {
			for n := range Lines {
				forEachBit(o.Words(queuesAt+n*queueSize, (o.Used()+63)/64), func(slot int) {
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

// Number is the object's number in its program, to tell it apart for people.
func (o *Object) Number() uint64 { return o.number }

// Core is what core made of the object.
func (o *Object) Core() any { return o.core }

// Param is one of the parameters that the object was made with, as the memory has it
// now: check it.
func (o *Object) Param(i int) uint64 { return o.Word(paramsIn + 8*i).Load() }

// Row is a word in the row of a process; i is from 0 to 3.
func (o *Object) Row(slot, i int) *atomic.Uint64 {
	return o.Word(rowsAt + slot*rowSize + 32 + 8*i)
}

// Mine is Row for this process.
func (o *Object) Mine(i int) *atomic.Uint64 { return o.Row(currentTable().me.slot(), i) }

// Used is how many rows there are to look at.
func (o *Object) Used() int { return currentTable().used() }

// Payload is the memory behind the rows.
func (o *Object) Payload() []byte { return o.Bytes(headSize, o.Size()-headSize) }

// PayloadAt is where the payload begins, in bytes.
const PayloadAt = headSize
