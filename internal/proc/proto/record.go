package proto

import (
	"encoding/binary"
)

// A record in the ring is a header word and a payload, padded to words. Records
// never wrap: a skip record fills the end of the ring.
//
//	header: kind 8 bits | slot 8 bits | flags 16 bits | payload bytes 32 bits
//
// A run is for consecutive outcomes that travel as memory. Its payload is a word
// and then room for the outcomes. While the run is open the word is 0, and the claim of
// an item commits the outcome of the one before it: that is one locked
// instruction for each item instead of two. When the run is over the word holds the
// number of its outcomes and, in the top bit, that it is over.
const (
	RecordResult  = iota + 1 // an item's output
	RecordFailure            // an item's error
	RecordVoid               // an item that could not be encoded; its parent knows why
	RecordBegin              // the next item was begun
	RecordEnded              // the worker is through with the batch; payload: nanoseconds that its items ran, and of processors; 0: not measured
	RecordBig                // an outcome that was sent as a frame before
	RecordSkip               // nothing, up to the end of the ring
	RecordRun                // outcomes in a row
)

const (
	FlagFinal    = 1 << iota // not to be retried
	FlagTimeout              // the item's time was over when it returned its error
	FlagMeasured             // the payload begins with three words: wall, CPU, memory
	FlagCaptured             // then comes the number of the capture
)

const (
	HeaderSize = 8
	RunClosed  = 1 << 63
	MaxInline  = 32 << 10 // bytes of an outcome in the ring; bigger ones are sent as frames
	MaxRun     = 16 << 10 // bytes of a run's outcomes
)

// Record is the header of a record.
type Record struct {
	Kind, Slot, Flags, Size int
}

// Pack is the header as a word, and Unpack the word as a header.
func (h Record) Pack() uint64 {
	return uint64(h.Kind) | uint64(h.Slot)<<8 | uint64(h.Flags)<<16 | uint64(h.Size)<<32
}

func Unpack(v uint64) Record {
	return Record{Kind: int(v & 0xff), Slot: int(v >> 8 & 0xff), Flags: int(v >> 16 & 0xffff), Size: int(v >> 32)}
}

// Length is the number of bytes that the record takes in the ring.
func (h Record) Length() int { return HeaderSize + (h.Size+7)&^7 }

// Word reads the first word of b, and PutWord writes it.
func Word(b []byte) uint64       { return binary.NativeEndian.Uint64(b) }
func PutWord(b []byte, v uint64) { binary.NativeEndian.PutUint64(b, v) }
