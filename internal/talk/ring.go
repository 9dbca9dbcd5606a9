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
	pending  bool // the last outcome of the run waits to be committed
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
// most n of them. It counts from add on.
func (o *outbox) next(slot, size, n int) []byte {
	if b := o.following(slot, size); b != nil {
		return b
	}
	o.runMax = max(1, min(n, maxRun/size))
	h := record{kind: recordRun, slot: slot, size: 8 + o.runMax*size}
	b := o.reserve(h)
	putWord(b, 0)
	o.run, o.runSlot, o.runSize, o.runCount = b, slot, size, 0
	o.runWord = o.page.word(b)
	o.commit()
	return b[8 : 8+size]
}

// following is next, but nil where a run would have to be opened for it.
func (o *outbox) following(slot, size int) []byte {
	if o.run == nil || o.runSize != size || o.runSlot != slot {
		return nil
	}
	at := 8 + o.runCount*size
	return o.run[at : at+size]
}

// add takes what was written to the memory of next as an outcome. It is committed
// by whichever comes first: the claim of the batch's next item, which then calls
// claimed, or the end of the run.
func (o *outbox) add() {
	o.runCount++
	o.pending = true
	if o.runCount == o.runMax {
		o.closeRun()
	}
}

// claimed notes that an item was claimed; it says whether that committed an outcome.
func (o *outbox) claimed() (committed bool) {
	committed, o.pending = o.pending, false
	return committed
}

// closeRun says that a run is over.
func (o *outbox) closeRun() {
	if o.run != nil {
		o.runWord.Store(uint64(o.runCount) | runClosed)
		o.run, o.pending = nil, false
	}
}
