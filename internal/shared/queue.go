package shared

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Queue is a queue of items, which are bytes and descriptors.
//
// Its memory, from the start of the state:
//
//	  0  the producers' latch
//	 64  puts: how many items were put; bit 63: the queue is closed
//	 72  the last tag that was given to an item with descriptors
//	 80  where the next item is put, twice: 16 bytes that are valid while puts is even,
//	     and 16 while it is odd. The first word is a position in the ring, the second
//	     one in the overflow area
//	128  the consumers' latch
//	192  gets: how many items were got; bit 63: the rest was dropped
//	200  the ID of the process that last began to get an item
//	208  where the next item is got, twice, as above
//	240  up to where the overflow area's memory was given back, since it was empty
//	248  up to where the ring is free: what producers see of 208, or a little less
//	320  the number of the first item that is in the overflow area, since it was empty
//	328  the number behind the last one
//
// The payload is the ring. Behind it in the file, and not mapped, is the overflow area. An item
// goes to the ring if there is room and the overflow area is empty, otherwise to the overflow
// area: so all items in the ring are older than those in the overflow area, and no item waits for
// bytes to become free. Positions in the ring count bytes since the beginning, those in the
// overflow area since it was empty; both are taken modulo the sizes.
//
// An item begins at a multiple of 8 with a word that has its size in bits 0 to 39, bit 40 if a tag
// follows, and the low bits of its number in bits 44 to 63; then come the tag and the bytes.
//
// A put writes the item behind the others, and where the next one goes, and then increments puts:
// that is the instant at which it happens. A get does the same. So there is nothing to repair
// after a death. Both counts together are exact, because only one side moves each, and never back.
//
// The row of a process has its ID; how often it got an item, times 65,536, and while it gets one a
// code of what gets will be; how often it said that an item is done, times 65,536, and how many
// items its predecessors in the slot have left undone. See queue_done.go.
type Queue struct {
	object   *waitq.Object
	typ      uint64 // stands for the type of the items
	bound    uint64 // as it was asked for; 0: none
	capacity uint64

	putLatch, getLatch waitq.Latch

	puts, tag                 *atomic.Uint64
	gets, freed               *atomic.Uint64
	overflowFrom, overflowEnd *atomic.Uint64
	tail, head                []byte // the words at 80 and 208
	lastGetter, punched       []byte
	rowGot, rowDone           *atomic.Uint64
	me                        uint64
	ring                      []byte
	getters, putters          *waitq.Queue
	joiners                   *waitq.Queue
	sockets                   sockets
	windows                   *windows
	putEdge, getEdge          raceEdge
	knownGets, knownHead      uint64 // guarded by the producers' latch
	knownPuts                 uint64 // guarded by the consumers' latch
	reported                  atomic.Uint64
}

const (
	putLatchAt     = waitq.StateAt
	putsAt         = waitq.StateAt + 64
	tagAt          = waitq.StateAt + 72
	tailAt         = waitq.StateAt + 80
	getLatchAt     = waitq.StateAt + 128
	getsAt         = waitq.StateAt + 192
	lastGetterAt   = waitq.StateAt + 200
	headAt         = waitq.StateAt + 208
	punchedAt      = waitq.StateAt + 240
	freedAt        = waitq.StateAt + 248
	overflowFromAt = waitq.StateAt + 320
	overflowEndAt  = waitq.StateAt + 328

	ringSize     = 1 << 20
	overflowSize = 1 << 38
	// overflowAt is where the overflow area begins in the file.
	overflowAt = waitq.PayloadAt + ringSize

	closedBit  = 1 << 63 // of puts
	droppedBit = 1 << 63 // of gets
	// maxItems is how many may be in a queue that is not bounded.
	maxItems = 1 << 40
)

// Errors of a queue.
var (
	// The errors of TryPut and TryGet when the put or get of another process does not end.
	errBusyFull  = fmt.Errorf("%w, or seems so: a process is stopped in the middle of a put", carrier.ErrFull)
	errBusyEmpty = fmt.Errorf("%w, or seems so: a process is stopped in the middle of a get", carrier.ErrEmpty)
	// ErrDamaged: the memory is inconsistent.
	ErrDamaged = errors.New("mp: the memory of the queue is damaged: a process that has the queue wrote into it")
)

// NewQueue makes a queue of at most capacity items; 0: no bound. carries says whether items may
// have descriptors, and typ is a number that stands for their type.
func NewQueue(capacity int, carries bool, typ uint64) (*Queue, error) {
	var sockets [2]*os.File
	if carries {
		var err error
		if sockets, err = socketPair(); err != nil {
			return nil, errtext.Errorf("mp: a queue: %w", err)
		}
	}
	shape := queueShape
	shape.Params = [4]uint64{uint64(max(capacity, 0)), typ, flag(carries)}
	o, err := waitq.NewObject(shape, func(o *waitq.Object) any { return newQueue(o, uint64(max(capacity, 0)), typ, sockets) })
	if err != nil {
		fdpass.CloseAll(sockets[:])
		return nil, err
	}
	return o.Core().(*Queue), nil
}

var queueShape = waitq.Shape{Name: "queue", Kind: kindQueue, Payload: ringSize, Unmapped: overflowSize}

// OpenQueue returns the queue that another process has sent, by its Files, which it takes over.
func OpenQueue(files []*os.File) (*Queue, error) {
	carries := len(files) == 3
	if !carries && len(files) != 1 {
		fdpass.CloseAll(files)
		return nil, errors.New("mp: not a queue: it has the wrong number of descriptors")
	}
	var capacity, typ uint64
	var sockets [2]*os.File
	copy(sockets[:], files[1:])
	taken := false
	o, err := waitq.OpenObject(files[0], kindQueue, func(params [4]uint64) (waitq.Shape, error) {
		if params[2] != flag(carries) || params[0] > math.MaxInt {
			return waitq.Shape{}, errors.New("mp: a queue of another type")
		}
		capacity, typ = params[0], params[1]
		return queueShape, nil
	}, func(o *waitq.Object) any {
		taken = true
		return newQueue(o, capacity, typ, sockets)
	})
	if err != nil {
		if !taken {
			fdpass.CloseAll(files[1:])
		}
		return nil, err
	}
	q := o.Core().(*Queue)
	if taken {
		return q, nil
	}
	if carries != q.sockets.carries {
		fdpass.CloseAll(files[1:])
		o.Release()
		return nil, errors.New("mp: a queue of another type")
	}
	q.sockets.retain(files[1:])
	return q, nil
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func newQueue(o *waitq.Object, capacity, typ uint64, pair [2]*os.File) *Queue {
	q := &Queue{
		object: o, typ: typ, bound: capacity, capacity: min(capacity, maxItems), me: uint64(proctable.Me()), ring: o.Payload(), windows: new(windows),
		putLatch: waitq.NewLatch(o.Word(putLatchAt)), getLatch: waitq.NewLatch(o.Word(getLatchAt)),
		puts: o.Word(putsAt), tag: o.Word(tagAt), gets: o.Word(getsAt), freed: o.Word(freedAt),
		overflowFrom: o.Word(overflowFromAt), overflowEnd: o.Word(overflowEndAt),
		tail: o.Bytes(tailAt, 32), head: o.Bytes(headAt, 32),
		lastGetter: o.Bytes(lastGetterAt, 8), punched: o.Bytes(punchedAt, 8),
		rowGot: o.OwnRow(rowGotIn), rowDone: o.OwnRow(rowDoneIn),
	}
	q.sockets.set(pair)
	if capacity == 0 {
		q.capacity = maxItems
	}
	q.getters = waitq.NewQueue(o, 0, func(bool) int { return q.worthGetting() })
	q.putters = waitq.NewQueue(o, 1, func(bool) int { return q.worthPutting() })
	q.joiners = waitq.NewQueue(o, 2, q.worthJoining).WithHolder(q.unfinishedProcess)
	q.takeRow()
	runtime.AddCleanup(q, (*windows).close, q.windows)
	return q
}

// word reads a word that only one side writes, under its latch.
func word(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }

func setWord(b []byte, v uint64) { binary.NativeEndian.PutUint64(b, v) }

// Files is what another process needs to open the queue.
func (q *Queue) Files() []*os.File {
	if !q.sockets.carries {
		return []*os.File{q.object.File()}
	}
	return []*os.File{q.object.File(), q.sockets.pair[0].Load(), q.sockets.pair[1].Load()}
}

// Type is the number that stands for the type of the items.
func (q *Queue) Type() uint64 { return q.typ }

// Cap is the bound; 0: none.
func (q *Queue) Cap() int { return int(q.bound) }

// count is the number of items in the queue, and whether it is closed, at one instant.
func (q *Queue) count() (n uint64, closed bool) {
	for range 1 << 16 {
		g := q.gets.Load()
		p := q.puts.Load()
		if q.gets.Load() != g {
			continue // puts was read while gets was that, or nothing is known
		}
		if g&droppedBit != 0 || p&^closedBit < g {
			return 0, p&closedBit != 0
		}
		return p&^closedBit - g, p&closedBit != 0
	}
	return 0, false // a process writes into the memory
}

// Len is the number of items in the queue, exact at one instant.
func (q *Queue) Len() int {
	n, _ := q.count()
	runtime.KeepAlive(q)
	return int(n)
}

// Full reports whether there is no room for an item, exact at one instant.
func (q *Queue) Full() bool {
	n, _ := q.count()
	runtime.KeepAlive(q)
	return n >= q.capacity
}

// Closed reports whether the queue was closed.
func (q *Queue) Closed() bool {
	closed := q.puts.Load()&closedBit != 0
	runtime.KeepAlive(q)
	return closed
}

// Readable reports whether a Get would not wait: there is an item, or there never will be.
func (q *Queue) Readable() bool {
	n, closed := q.count()
	runtime.KeepAlive(q)
	return n > 0 || closed
}

// Watch calls notify when the queue may have become readable, until stop is called.
func (q *Queue) Watch(notify func()) (stop func()) {
	leave := q.getters.Watch(q.Readable, notify)
	return func() {
		leave() // it reads the memory
		runtime.KeepAlive(q)
	}
}

const allWaiters = 1 << 30

func (q *Queue) worthGetting() int {
	n, closed := q.count()
	if closed {
		return allWaiters
	}
	return int(min(n, allWaiters))
}

func (q *Queue) worthPutting() int {
	n, closed := q.count()
	if closed {
		return allWaiters
	}
	return int(min(q.capacity-min(n, q.capacity), allWaiters))
}

// Shutdown closes the queue for puts. Its items can be got.
func (q *Queue) Shutdown() error {
	q.puts.Or(closedBit)
	shm.Point("queue.closed")
	q.getters.WakeAll()
	q.putters.WakeAll()
	runtime.KeepAlive(q)
	return nil
}

// CloseNow is Shutdown that also drops the items, and returns how many those were.
func (q *Queue) CloseNow() (dropped int, err error) {
	n := q.puts.Or(closedBit) &^ closedBit
	shm.Point("queue.closed")
	for {
		g := q.gets.Load()
		if g&droppedBit != 0 {
			break
		}
		if q.gets.CompareAndSwap(g, g|droppedBit) {
			dropped = int(n - min(g, n))
			break
		}
	}
	shm.Point("queue.dropped")
	q.getters.WakeAll()
	q.putters.WakeAll()
	q.joiners.WakeAll()
	q.object.Punch(overflowAt, overflowSize) // it is not read any more
	q.dropFiles()
	runtime.KeepAlive(q)
	return dropped, nil
}

// nonblocking is the ctx of operations that do not wait.
var nonblocking context.Context = nonblockingContext{context.Background()}

type nonblockingContext struct{ context.Context }

// lockLatch takes a latch. With the ctx nonblocking it returns busy if the put or get of another
// process does not end: that process may be stopped.
func lockLatch(ctx context.Context, l waitq.Latch, busy error) error {
	if ctx != nonblocking {
		return l.Lock(ctx)
	}
	if l.TryLock() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), queueLatchTimeout)
	defer cancel()
	if l.Lock(ctx) != nil {
		return busy
	}
	return nil
}
