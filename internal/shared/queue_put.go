package shared

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// queueLatchTimeout is how long TryPut and TryGet wait for another put or get to be over, whose
// process may be stopped.
const queueLatchTimeout = 500 * time.Millisecond

const (
	sizeMask = 1<<40 - 1
	taggedIn = 40 // the bit
	numberIn = 44
	maxItem  = sizeMask - 64
)

// itemHead is the first word of item number n.
func itemHead(n uint64, size int, tagged bool) uint64 {
	return n<<numberIn | flag(tagged)<<taggedIn | uint64(size)
}

// extent is the number of bytes that an item takes.
func extent(size uint64, tagged bool) uint64 { return 8 + 8*flag(tagged) + (size+7)&^7 }

func sizeOf(m *carrier.Item) (n int) {
	for _, p := range m.Pieces {
		n += len(p)
	}
	return n
}

// Put puts an item. It waits for room until ctx ends; also when hundreds of items with descriptors
// are in the queue, more than the kernel keeps.
func (q *Queue) Put(ctx context.Context, m *carrier.Item) error {
	ok, err := q.tryPut(ctx, m)
	if !ok && (err == nil || errors.Is(err, errCrowded)) {
		err = q.waitPut(ctx, m)
	}
	runtime.KeepAlive(q)
	return err
}

// TryPut is Put that does not wait: carrier.ErrFull.
func (q *Queue) TryPut(m *carrier.Item) error {
	ok, err := q.tryPut(nonblocking, m)
	switch {
	case errors.Is(err, errCrowded):
		err = fmt.Errorf("%w: %w", carrier.ErrFull, err)
	case !ok && err == nil:
		err = carrier.ErrFull
	}
	runtime.KeepAlive(q)
	return err
}

const (
	// minPutDelay and maxPutDelay are the pauses of a put that waits for room beside the bound: the
	// wait queue does not know when there is some.
	minPutDelay, maxPutDelay = 20 * time.Microsecond, 5 * time.Millisecond
	// floodTimeout is how long the kernel's limit on descriptors in flight may be
	// reached before that is an error: it is one for all of a user's processes.
	floodTimeout = 2 * time.Second
)

// errCrowded says that there is no room though the bound allows an item: the kernel
// keeps no more descriptors for this queue or, if it has an error of the system's with it, for
// all of the user's processes; or the overflow area is full.
var errCrowded = errors.New("mp: the system has no room for another item of the queue")

func (q *Queue) waitPut(ctx context.Context, m *carrier.Item) (err error) {
	var rest time.Duration
	last := time.Now()
	ended := q.putters.Wait(ctx, func(bool) (ok bool) {
		if q.worthPutting() == 0 {
			return false
		}
		if q.puts.Load()&closedBit != 0 { // all that wait learn it at once, without the latch
			err = carrier.ErrQueueClosed
			return true
		}
		ok, err = q.tryPut(ctx, m)
		if err == errCrowded {
			last = time.Now()
		}
		if errors.Is(err, errCrowded) && time.Since(last) < floodTimeout {
			rest, err = min(max(2*rest, minPutDelay), maxPutDelay), nil
			time.Sleep(rest)
		}
		return ok || err != nil
	})
	if err == nil {
		err = ended
	}
	return err
}

// tryPut puts an item. It reports false without an error if there is no room.
func (q *Queue) tryPut(ctx context.Context, m *carrier.Item) (ok bool, err error) {
	if err := lockLatch(ctx, q.putLatch, errBusyFull); err != nil {
		return false, err
	}
	q.putEdge.acquire()
	shm.Point("queue.put.locked")
	ok, err = q.put(m)
	if shm.Invariants {
		q.checkTail()
	}
	q.putEdge.release()
	q.putLatch.Unlock()
	shm.Point("queue.put.unlocked")
	if ok && q.getters.HasWaiters() {
		q.getters.Wake(1)
		shm.Point("queue.put.woken")
	}
	return ok, err
}

// put puts the item. The producers' latch is held.
func (q *Queue) put(m *carrier.Item) (ok bool, err error) {
	n := q.puts.Load()
	if n&closedBit != 0 {
		return false, carrier.ErrQueueClosed
	}
	if n-q.knownGets >= q.capacity && !q.refreshGets(n) {
		return false, ErrDamaged
	}
	if n-q.knownGets >= q.capacity {
		return false, nil
	}
	size := sizeOf(m)
	if uint64(size) > maxItem {
		return false, errTooLarge
	}
	var head [16]byte
	front := head[:8]
	tagged := len(m.Files) > 0
	setWord(front, itemHead(n, size, tagged))
	var tag uint64
	if tagged {
		front, tag = head[:16], q.tag.Load()+1
		setWord(front[8:], tag)
		q.tag.Store(tag)
		shm.Point("queue.put.tagged")
	}
	fits, err := q.write(n, extent(uint64(size), tagged), front, m.Pieces)
	if err == nil && fits {
		shm.Point("queue.put.written")
		if tagged {
			fits, err = q.sendFiles(tag, m.Files)
			shm.Point("queue.put.sent")
		}
	}
	if err == nil && !fits {
		err = errCrowded
	}
	if err != nil {
		return false, err
	}
	if !q.puts.CompareAndSwap(n, n+1) {
		q.discardUncommitted(n)
		return false, carrier.ErrQueueClosed
	}
	shm.Point("queue.put.committed")
	return true, nil
}

// discardUncommitted frees what was written and sent for item n, after the queue was closed
// meanwhile. If there are items before it, the consumer that finds no more does so; see endError.
func (q *Queue) discardUncommitted(n uint64) {
	g := q.gets.Load()
	if g&droppedBit != 0 {
		q.object.Punch(overflowAt, overflowSize)
	}
	if g&droppedBit != 0 || g == n {
		q.dropFiles()
	}
}

// refreshGets updates knownGets. It reports false if the memory is damaged.
func (q *Queue) refreshGets(n uint64) bool {
	g := q.gets.Load() &^ droppedBit
	if g > n || n-g > maxItems {
		return false
	}
	q.knownGets = g
	return true
}

// write writes an item behind the others, and where the next one goes. It reports false without an
// error if there is no room at all.
func (q *Queue) write(n, length uint64, front []byte, pieces [][]byte) (fits bool, err error) {
	now, next := q.tail[n&1*16:][:16], q.tail[(n+1)&1*16:][:16]
	ring, overflow := word(now), word(now[8:])
	if (ring|overflow)&7 != 0 {
		return false, ErrDamaged
	}
	end := q.overflowEnd.Load()
	if end > n { // the producer before was killed before its commit
		end = n
		q.overflowEnd.Store(n)
	}
	drained := q.knownGets >= end
	if !drained {
		if !q.refreshGets(n) {
			return false, ErrDamaged
		}
		drained = q.knownGets >= end
	}
	room := false
	if drained && length <= ringSize/2 {
		if room, err = q.fitsRing(ring, length); err != nil {
			return false, err
		}
	}
	if room {
		q.writeRing(ring, front, pieces)
		ring += length
	} else {
		if drained {
			q.overflowFrom.Store(n) // before overflowEnd: see inOverflow
			shm.Point("queue.put.begun")
		}
		q.overflowEnd.Store(n + 1)
		shm.Point("queue.put.overflows")
		if q.overflowFrom.Load() == n {
			overflow = 0 // there is nothing else
		}
		if fits, err := q.writeOverflow(overflow, length, front, pieces); !fits || err != nil {
			return false, err
		}
		overflow += length
	}
	setWord(next, ring)
	setWord(next[8:], overflow)
	return true, nil
}

// fitsRing reports whether so many bytes are free behind a position of the ring.
func (q *Queue) fitsRing(at, length uint64) (bool, error) {
	if at+length-q.knownHead <= ringSize {
		return true, nil
	}
	head := q.freed.Load()
	if at-head > ringSize || head&7 != 0 {
		return false, ErrDamaged
	}
	q.knownHead = head
	return at+length-head <= ringSize, nil
}

func (q *Queue) writeRing(at uint64, front []byte, pieces [][]byte) {
	q.copyIn(at, front)
	at += uint64(len(front))
	shm.Point("queue.put.headed")
	for _, p := range pieces {
		q.copyIn(at, p)
		at += uint64(len(p))
	}
}

// copyIn copies bytes into the ring.
func (q *Queue) copyIn(at uint64, p []byte) {
	n := copy(q.ring[at%ringSize:], p)
	if n < len(p) {
		copy(q.ring, p[n:])
	}
}
