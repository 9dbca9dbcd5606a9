package talk

import "encoding/binary"

// A record in the ring is a header word and a payload, padded to words. Records
// never wrap: a skip record fills the end of the ring.
//
//	header: kind 8 bits | slot 8 bits | flags 16 bits | payload bytes 32 bits
//
// A run is for consecutive outcomes that travel as memory. Its payload is a word
// and then room for the outcomes. While the run is open the word is 0, and who claims
// an item has committed the outcome of the one before it: that is one locked
// instruction for each item instead of two. When the run is over the word holds the
// number of its outcomes and, in the top bit, that it is over.
const (
	recordResult  = iota + 1 // an item's output
	recordFailure            // an item's error
	recordVoid               // an item that could not be encoded; its parent knows why
	recordBegin              // the next item was begun
	recordEnded              // the worker is through with the batch; payload: nanoseconds that its items ran, and of processors; 0: not measured
	recordBig                // an outcome that was sent as a frame before
	recordSkip               // nothing, up to the end of the ring
	recordRun                // outcomes in a row
)

const (
	flagFinal    = 1 << iota // not to be retried
	flagTimeout              // the item's time was over when it returned its error
	flagMeasured             // the payload begins with three words: wall, CPU, memory
	flagCaptured             // then comes the number of the capture
)

const (
	headerSize = 8
	runClosed  = 1 << 63
	maxInline  = 32 << 10 // bytes of an outcome in the ring; bigger ones are sent as frames
	maxRun     = 16 << 10 // bytes of a run's outcomes
)

type record struct {
	kind, slot, flags, size int
}

func (h record) pack() uint64 {
	return uint64(h.kind) | uint64(h.slot)<<8 | uint64(h.flags)<<16 | uint64(h.size)<<32
}

func unpack(v uint64) record {
	return record{kind: int(v & 0xff), slot: int(v >> 8 & 0xff), flags: int(v >> 16 & 0xffff), size: int(v >> 32)}
}

// span is the number of bytes that the record takes in the ring.
func (h record) span() int { return headerSize + (h.size+7)&^7 }

func word(b []byte) uint64       { return binary.NativeEndian.Uint64(b) }
func putWord(b []byte, v uint64) { binary.NativeEndian.PutUint64(b, v) }
