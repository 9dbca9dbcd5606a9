package talk

import "sync/atomic"

// outbox is the worker's end of the ring. It belongs to the executor.
type outbox struct {
	page *page
	pos  uint64                // bytes written, committed or not
	head uint64                // what page.head was when last read
	room func(has func() bool) // sleeps until has

	run      []byte // the payload of the open run, nil when there is none
	runWord  *atomic.Uint64
	runSlot  int
	runSize  int // bytes of one outcome
	runCount int
	runMax   int
}

// put writes and commits a record. fill is given the payload's memory.
func (o *outbox) put(h record, fill func(b []byte)) {
	b := o.reserve(h)
	if fill != nil {
		fill(b)
	}
	o.commit()
}

// reserve makes room for a record and returns its payload's memory. Nothing of
// it is seen before commit.
func (o *outbox) reserve(h record) []byte {
	o.closeRun()
	need := uint64(h.span())
	if left := ringSize - o.pos%ringSize; left < need {
		o.waitFor(left)
		putWord(o.page.ring[o.pos%ringSize:], record{kind: recordSkip, size: int(left) - headerSize}.pack())
		o.pos += left
	}
	o.waitFor(need)
	at := o.pos % ringSize
	putWord(o.page.ring[at:], h.pack())
	o.pos += need
	return o.page.ring[at+headerSize : at+headerSize+uint64(h.size)]
}

func (o *outbox) commit() { o.page.tail.Store(o.pos) }

// waitFor waits until n more bytes are free.
func (o *outbox) waitFor(n uint64) {
	has := func() bool {
		o.head = o.page.head.Load()
		return o.pos+n-o.head <= ringSize
	}
	if o.pos+n-o.head <= ringSize || has() {
		return
	}
	o.commit() // what is reserved so far is a whole record
	o.room(has)
}

// next is the memory for the next outcome of a run of outcomes of size bytes, at
// most n of them. It is committed by publish.
func (o *outbox) next(slot, size, n int) []byte {
	if o.run == nil || o.runSlot != slot || o.runSize != size {
		o.runMax = max(1, min(n, maxRun/size))
		h := record{kind: recordRun, slot: slot, size: 8 + o.runMax*size}
		b := o.reserve(h)
		putWord(b, 0)
		o.run, o.runSlot, o.runSize, o.runCount = b, slot, size, 0
		o.runWord = o.page.word(b)
		o.commit()
	}
	at := 8 + o.runCount*size
	return o.run[at : at+size]
}

// publish commits what was written to the memory that next returned.
func (o *outbox) publish() {
	o.runCount++
	if o.runCount == o.runMax {
		o.closeRun()
		return
	}
	o.runWord.Store(uint64(o.runCount))
}

// closeRun says that a run is over.
func (o *outbox) closeRun() {
	if o.run != nil {
		o.runWord.Store(uint64(o.runCount) | runClosed)
		o.run = nil
	}
}
