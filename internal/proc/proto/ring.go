package proto

import (
	"sync/atomic"
)

// RingWriter is the worker's end of the ring. It is for one goroutine.
type RingWriter struct {
	page *Page
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

// NewRingWriter returns the writer of a page's ring. room sleeps until has returns true.
func NewRingWriter(p *Page, room func(has func() bool)) *RingWriter {
	return &RingWriter{page: p, room: room}
}

// Pending reports whether an outcome waits to be committed by the next claim.
func (o *RingWriter) Pending() bool { return o.pending }

// Put writes and commits a record. fill is given the payload's memory.
func (o *RingWriter) Put(h Record, fill func(b []byte)) {
	b := o.reserve(h)
	if fill != nil {
		fill(b)
	}
	o.commit()
}

// reserve makes room for a record and returns its payload's memory. Nothing of
// it is seen before commit.
func (o *RingWriter) reserve(h Record) []byte {
	o.CloseRun()
	need := uint64(h.Length())
	if left := RingSize - o.pos%RingSize; left < need {
		o.waitFor(left)
		PutWord(o.page.Ring[o.pos%RingSize:], Record{Kind: RecordSkip, Size: int(left) - HeaderSize}.Pack())
		o.pos += left
	}
	o.waitFor(need)
	at := o.pos % RingSize
	PutWord(o.page.Ring[at:], h.Pack())
	o.pos += need
	return o.page.Ring[at+HeaderSize : at+HeaderSize+uint64(h.Size)]
}

func (o *RingWriter) commit() { o.page.Tail.Store(o.pos) }

// waitFor waits until n more bytes are free.
func (o *RingWriter) waitFor(n uint64) {
	has := func() bool {
		o.head = o.page.Head.Load()
		return o.pos+n-o.head <= RingSize
	}
	if o.pos+n-o.head <= RingSize || has() {
		return
	}
	o.commit() // what is reserved so far is a whole record
	o.room(has)
}

// Next is the memory for the next outcome of a run of outcomes of size bytes, at
// most n of them. It counts from Add on.
func (o *RingWriter) Next(slot, size, n int) []byte {
	if b := o.Following(slot, size); b != nil {
		return b
	}
	o.runMax = max(1, min(n, MaxRun/size))
	h := Record{Kind: RecordRun, Slot: slot, Size: 8 + o.runMax*size}
	b := o.reserve(h)
	PutWord(b, 0)
	o.run, o.runSlot, o.runSize, o.runCount = b, slot, size, 0
	o.runWord = o.page.PayloadWord(b)
	o.commit()
	return b[8 : 8+size]
}

// Following is Next, but nil where a run would have to be opened for it.
func (o *RingWriter) Following(slot, size int) []byte {
	if o.run == nil || o.runSize != size || o.runSlot != slot {
		return nil
	}
	at := 8 + o.runCount*size
	return o.run[at : at+size]
}

// Add takes what was written to the memory of Next as an outcome. It is committed
// by whichever comes first: the claim of the batch's next item, which then calls
// Claimed, or the end of the run.
func (o *RingWriter) Add() {
	o.runCount++
	o.pending = true
	if o.runCount == o.runMax {
		o.CloseRun()
	}
}

// Claimed notes that an item was claimed; it says whether that committed an outcome.
func (o *RingWriter) Claimed() (committed bool) {
	committed, o.pending = o.pending, false
	return committed
}

// CloseRun says that a run is over.
func (o *RingWriter) CloseRun() {
	if o.run != nil {
		o.runWord.Store(uint64(o.runCount) | RunClosed)
		o.run, o.pending = nil, false
	}
}
