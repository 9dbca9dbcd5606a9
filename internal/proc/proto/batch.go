package proto

import (
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// How the inputs of a span are encoded.
const (
	InputsTogether = iota // one block for all
	InputsSingly          // each on its own, because one of them cannot be encoded
)

// What is said of each input of a span whose inputs are encoded one by one.
const (
	InputVoid     = iota // it could not be encoded
	InputPlain           // its bytes
	InputAttached        // the number of its descriptors, and its bytes
	InputsEnd            // it and those behind it come with another batch
)

// Flag is a truth value as a byte.
func Flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// What is measured of a task.
const (
	MeasureNone  = iota
	MeasureTimes // wall and CPU
	MeasureAll   // memory too, a system call or two more
)

// Span is consecutive tasks of a job, as the worker receives them.
type Span struct {
	Singles           bool // all are the first of their jobs
	First, N, Attempt int
	Timeout           time.Duration
	Deadline          int64 // on the shared clock; 0: none
	Capture           int
	Measure           byte
	Propagated        map[string]string
	Inputs            [][]byte     // InputsSingly: each input, nil for one that is void
	Files             [][]*os.File // and its descriptors; nil: none has some
	Body              []byte       // InputsTogether
}

// Batch is a batch as the worker receives it.
type Batch struct {
	Slot   int
	ID     uint64
	Func   string
	Report bool
	Spans  []Span
	Memory []byte // the payload that it was decoded from
	Lost   error  // why inputs have no descriptors that should have some
}

// ReadBatch reads the payload of a batch frame, and deals out the descriptors that came with
// it. Both belong to the batch from then on.
func ReadBatch(payload []byte, files []*os.File, lost error) (*Batch, error) {
	r := codec.NewReader(payload)
	r.Attached(files)
	a := &Batch{Memory: payload, Slot: int(r.Uvarint()), ID: r.Uvarint(), Func: r.String(), Report: r.Byte() != 0, Lost: lost}
	if r.Err() == nil && a.Slot >= Slots {
		return nil, fmt.Errorf("mp: a batch for slot %d", a.Slot)
	}
	for r.Byte() != 0 {
		t := Span{
			Singles: r.Byte() != 0, First: int(r.Uvarint()), N: int(r.Uvarint()), Attempt: int(r.Uvarint()),
			Timeout: time.Duration(r.Uvarint()), Deadline: int64(r.Uint64()),
			Capture: int(r.Uvarint()), Measure: r.Byte(), Propagated: ReadPropagated(r),
		}
		if r.Byte() == InputsTogether {
			t.Body = r.Raw()
		} else {
			t.readSingly(r, lost)
		}
		if r.Err() != nil {
			return nil, Close(FrameBatch, r)
		}
		a.Spans = append(a.Spans, t)
	}
	return a, Close(FrameBatch, r)
}

// readSingly reads what encode wrote.
func (t *Span) readSingly(r *codec.Reader, lost error) {
	t.Inputs = make([][]byte, 0, min(t.N, r.Len()))
	for i := 0; i < t.N && r.Err() == nil; i++ {
		var in []byte
		kind := r.Byte()
		if kind == InputsEnd {
			return
		}
		if kind == InputAttached {
			n := r.Uvarint()
			t.Files = append(t.Files, make([][]*os.File, i+1-len(t.Files))...)
			for ; n > 0 && lost == nil && r.Err() == nil; n-- {
				t.Files[i] = append(t.Files[i], r.TakeFile())
			}
			if lost != nil {
				t.Files[i] = make([]*os.File, 0) // it had some
			}
		}
		if kind != InputVoid {
			in = append([]byte{}, r.Raw()...)
		}
		t.Inputs = append(t.Inputs, in)
	}
}

// Drop closes the descriptors of items that were not begun.
func (a *Batch) Drop() {
	for i := range a.Spans {
		for _, files := range a.Spans[i].Files {
			fdpass.CloseAll(files)
		}
	}
}
