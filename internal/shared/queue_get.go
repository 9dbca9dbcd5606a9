package shared

import (
	"context"
	"os"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Get takes an item. It waits for one until ctx ends. The bytes are in buf, or in memory of their
// own if they are many or buf is too small. The files are the caller's.
func (q *Queue) Get(ctx context.Context, buf []byte) (body []byte, files []*os.File, err error) {
	body, files, ok, err := q.tryGet(ctx, buf)
	if !ok && err == nil {
		body, files, err = q.waitGet(ctx, buf)
	}
	runtime.KeepAlive(q)
	return body, files, err
}

// TryGet is Get that does not wait: carrier.ErrEmpty.
func (q *Queue) TryGet(buf []byte) (body []byte, files []*os.File, err error) {
	body, files, ok, err := q.tryGet(nonblocking, buf)
	if !ok && err == nil {
		err = carrier.ErrEmpty
	}
	runtime.KeepAlive(q)
	return body, files, err
}

func (q *Queue) waitGet(ctx context.Context, buf []byte) (body []byte, files []*os.File, err error) {
	ended := q.getters.Wait(ctx, func(bool) (ok bool) {
		switch g, p := q.gets.Load(), q.puts.Load(); {
		case p == g && p&closedBit == 0: // a queue that is dropped has the same bit in both
			return false
		case p == g|closedBit && !q.sockets.carries: // all that wait learn it at once, without the latch
			err = carrier.ErrQueueClosed
			return true
		}
		body, files, ok, err = q.tryGet(ctx, buf)
		return ok || err != nil
	})
	if err == nil {
		err = ended
	}
	return body, files, err
}

// tryGet takes an item. It is not ok and has no error if there is none.
func (q *Queue) tryGet(ctx context.Context, buf []byte) (body []byte, files []*os.File, ok bool, err error) {
	if err := lockLatch(ctx, q.getLatch, errBusyEmpty); err != nil {
		return nil, nil, false, err
	}
	q.getEdge.acquire()
	shm.Point("queue.get.locked")
	body, files, ok, err = q.get(buf)
	if shm.Invariants {
		q.checkHead()
	}
	q.getEdge.release()
	q.getLatch.Unlock()
	shm.Point("queue.get.unlocked")
	if ok && q.putters.HasWaiters() {
		q.putters.Wake(1)
		shm.Point("queue.get.woken")
	}
	return body, files, ok, err
}

// get takes an item. The consumers' latch is held.
func (q *Queue) get(buf []byte) (body []byte, files []*os.File, ok bool, err error) {
	g := q.gets.Load()
	if g&droppedBit != 0 {
		return nil, nil, false, q.endError()
	}
	if g >= q.knownPuts {
		p := q.puts.Load()
		n := p &^ closedBit
		if n < g || n-g > maxItems {
			return nil, nil, false, ErrDamaged
		}
		q.knownPuts = n
		if n == g {
			if p&closedBit != 0 {
				return nil, nil, false, q.endError()
			}
			return nil, nil, false, nil
		}
	}
	shm.Point("queue.get.looked")
	it, err := q.read(g, buf)
	if err != nil && q.gets.Load()&droppedBit != 0 {
		err = q.endError() // CloseNow has given back what was to be read
	}
	if err != nil {
		return nil, nil, false, err
	}
	shm.Point("queue.get.read")
	var lost error
	if it.tagged {
		if files, lost, err = q.peekFiles(it.tag); err != nil {
			return nil, nil, false, err
		}
		shm.Point("queue.get.peeked")
	}
	q.writeNextHead(g, &it)
	before := q.announceGet(g)
	shm.Point("queue.get.announced")
	if !q.gets.CompareAndSwap(g, g+1) {
		q.undoGet(before)
		fdpass.CloseAll(files)
		return nil, nil, false, carrier.ErrQueueClosed
	}
	shm.Point("queue.get.committed")
	q.endGet(before)
	switch {
	case !it.inOverflow:
		q.freed.Store(it.ring)
	case it.last:
		q.overflowEmptied(&it)
	}
	if it.tagged && lost == nil {
		q.dropFile()
	}
	shm.Point("queue.get.settled")
	return it.body, files, true, lost
}

// endError is the error when there will be no more items. A producer that was killed, or found the
// queue closed too late, may have left descriptors, and so may a CloseNow: they are closed.
func (q *Queue) endError() error {
	q.dropFiles()
	return carrier.ErrQueueClosed
}

// overflowEmptied is called with the last item of the overflow area.
func (q *Queue) overflowEmptied(it *item) {
	q.freed.Store(it.ring) // the process that got the last item of the ring may have died before this store
	if it.overflow > keptSize {
		q.punchAll()
	}
}

// writeNextHead writes where the item behind g is.
func (q *Queue) writeNextHead(g uint64, it *item) {
	if it.inOverflow {
		q.punchRead(it.overflow - it.extent)
	}
	next := q.head[(g+1)&1*16:][:16]
	setWord(next, it.ring)
	setWord(next[8:], it.overflow)
}

// item is an item as it lies in the queue.
type item struct {
	body           []byte
	tagged         bool
	tag            uint64
	inOverflow     bool   // it lies in the overflow area
	last           bool   // and is the last one there
	ring, overflow uint64 // where the next item is
	size, extent   uint64
}

// inOverflow reports whether item g, which is in the queue, is in the overflow area. It reads the
// end first: if that is the end of a run of items that began behind g, so is the beginning that is
// read after it, because it was written before.
func (q *Queue) inOverflow(g uint64) (yes, first, last bool) {
	end := q.overflowEnd.Load()
	from := q.overflowFrom.Load()
	return from <= g && g < end, from == g, g+1 == end
}

// read copies item g out of the queue.
func (q *Queue) read(g uint64, buf []byte) (it item, err error) {
	now := q.head[g&1*16:][:16]
	it.ring, it.overflow = word(now), word(now[8:])
	if (it.ring|it.overflow)&7 != 0 {
		return it, ErrDamaged
	}
	var first bool
	if it.inOverflow, first, it.last = q.inOverflow(g); it.inOverflow {
		if first {
			it.overflow = 0
			setWord(q.punched, keptSize)
		}
		return it, q.readOverflow(g, &it, buf)
	}
	at := it.ring % ringSize
	if !it.parse(g, word(q.ring[at:])) || it.extent > ringSize/2 {
		return it, ErrDamaged
	}
	at = (at + 8) % ringSize
	if it.tagged {
		it.tag = word(q.ring[at:])
		at = (at + 8) % ringSize
	}
	it.ring += it.extent
	it.body = q.copyOut(at, int(it.size), buf)
	return it, nil
}

// parse parses the first word of an item.
func (it *item) parse(g, head uint64) bool {
	it.size, it.tagged = head&sizeMask, head>>taggedIn&1 != 0
	it.extent = extent(it.size, it.tagged)
	return head>>numberIn == g&(1<<(64-numberIn)-1)
}

// copyOut copies bytes out of the ring.
func (q *Queue) copyOut(at uint64, size int, buf []byte) []byte {
	first := q.ring[at:]
	if size <= len(first) {
		if size < carrier.LargeItem {
			return append(buf[:0], first[:size]...)
		}
		return append([]byte(nil), first[:size]...)
	}
	if size < carrier.LargeItem {
		buf = append(buf[:0], first...)
	} else {
		buf = append(make([]byte, 0, size), first...)
	}
	return append(buf, q.ring[:size-len(first)]...)
}
