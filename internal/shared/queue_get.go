package shared

import (
	"context"
	"os"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Get waits for an item and takes it. The bytes are in buf, or in memory of their own if they
// are many or buf is too small. The files are the caller's.
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
	body, files, ok, err := q.tryGet(atOnce, buf)
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

// tryGet is not ok and has no error if there is nothing.
func (q *Queue) tryGet(ctx context.Context, buf []byte) (body []byte, files []*os.File, ok bool, err error) {
	if err := within(ctx, q.getLatch, errBusyEmpty); err != nil {
		return nil, nil, false, err
	}
	q.getFence.acquire()
	shm.Point("queue.get.locked")
	body, files, ok, err = q.get(buf)
	if shm.Invariants {
		q.checkHead()
	}
	q.getFence.release()
	q.getLatch.Unlock()
	shm.Point("queue.get.unlocked")
	if len(body) >= carrier.LargeItem {
		gotLarge(len(body))
	}
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
		return nil, nil, false, q.over()
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
				return nil, nil, false, q.over()
			}
			return nil, nil, false, nil
		}
	}
	shm.Point("queue.get.looked")
	q.sabotageGet(g)
	it, err := q.read(g, buf)
	if err != nil && q.gets.Load()&droppedBit != 0 {
		err = q.over() // CloseNow has given back what was to be read
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
	q.next(g, &it)
	before := q.claim(g)
	shm.Point("queue.get.claimed")
	if !q.gets.CompareAndSwap(g, g+1) && !sabotaged("queue.get.commitfirst") {
		q.unclaim(before)
		closeFiles(files)
		return nil, nil, false, carrier.ErrQueueClosed
	}
	shm.Point("queue.get.committed")
	q.claimed(before)
	switch {
	case !it.spilled:
		q.freed.Store(it.ring)
	case it.last:
		q.emptied(&it)
	}
	if it.tagged && lost == nil {
		q.dropFile()
	}
	shm.Point("queue.get.settled")
	return it.body, files, true, lost
}

// over is the error when nothing will be got any more. A producer that was killed, or found the queue
// closed too late, may have left descriptors, and so may a CloseNow.
func (q *Queue) over() error {
	q.dropFiles()
	return carrier.ErrQueueClosed
}

// emptied is for the last item of the spill.
func (q *Queue) emptied(it *item) {
	q.freed.Store(it.ring) // who got the ring's last item may have died before it said so
	if it.spill > warm {
		q.giveBackRest()
	}
}

// next writes where the item behind g is.
func (q *Queue) next(g uint64, it *item) {
	if it.spilled {
		q.giveBack(it.spill - it.room)
	}
	next := q.head[(g+1)&1*16:][:16]
	setWord(next, it.ring)
	setWord(next[8:], it.spill)
}

// item is an item as it lies in the queue.
type item struct {
	body        []byte
	tagged      bool
	tag         uint64
	spilled     bool   // it lies in the spill
	last        bool   // and is the last one there
	ring, spill uint64 // where the next item is
	size, room  uint64
}

// spilled says whether item g, which is in the queue, lies in the spill. The end is
// read first: if it is that of a run of items that began behind g, so is the beginning
// that is read after it, for it was written before.
func (q *Queue) spilled(g uint64) (yes, first, last bool) {
	end := q.spillEnd.Load()
	from := q.spillFrom.Load()
	return from <= g && g < end, from == g, g+1 == end
}

// read copies item g out of the queue.
func (q *Queue) read(g uint64, buf []byte) (it item, err error) {
	now := q.head[g&1*16:][:16]
	it.ring, it.spill = word(now), word(now[8:])
	if (it.ring|it.spill)&7 != 0 {
		return it, ErrDamaged
	}
	var first bool
	if it.spilled, first, it.last = q.spilled(g); it.spilled {
		if first {
			it.spill = 0
			setWord(q.punched, warm)
		}
		return it, q.readSpill(g, &it, buf)
	}
	at := it.ring % ringSize
	if !it.parse(g, word(q.ring[at:])) || it.room > ringSize/2 {
		return it, ErrDamaged
	}
	at = (at + 8) % ringSize
	if it.tagged {
		it.tag = word(q.ring[at:])
		at = (at + 8) % ringSize
	}
	it.ring += it.room
	it.body = q.copyOut(at, int(it.size), buf)
	return it, nil
}

// parse reads an item's head.
func (it *item) parse(g, head uint64) bool {
	it.size, it.tagged = head&sizeMask, head>>taggedIn&1 != 0
	it.room = extent(it.size, it.tagged)
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
