package talk

import (
	"errors"
	"os"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/pool"
)

// What is said of each input of a span whose inputs are encoded one by one.
const (
	InputVoid     = iota // it could not be encoded
	InputPlain           // its bytes
	InputAttached        // the number of its descriptors, and its bytes
	InputsEnd            // it and those behind it come with another batch
)

// maxBatchFiles is how many descriptors the items of a batch have behind the first item: all of
// them are the worker's before it begins one.
const maxBatchFiles = 32

// apart encodes the inputs of a span one by one: so that only those that cannot be encoded fail,
// and because each takes its descriptors for itself.
type singly struct {
	b, scratch *codec.Buffer
	batch      *pool.Batch
	sp         *pool.Span
	item       int // where the span begins in the batch
	voids      map[int]error
}

// encode writes the inputs. all is the encoding of them together, if they could be encoded.
func (a *singly) encode(all *codec.Buffer, err error) (rest unsent) {
	a.b.Byte(InputsSingly)
	inputs := a.sp.Job.Client
	for i := range a.sp.N {
		body := all
		if err != nil || a.sp.N > 1 {
			if err == nil && i == 0 {
				letGo(all)
			}
			a.scratch.Reset()
			body, err = inputs.Encode(a.scratch, a.sp.First+i, 1)
		}
		if err == nil {
			alone := body.Moves() && !a.batch.Moves
			full := a.item+i > 0 && len(a.b.Attachments())+len(body.Attachments()) > maxBatchFiles
			if alone || full && len(body.Attachments()) > 0 {
				letGo(body)
				a.b.Byte(InputsEnd)
				return unsent{cut: true, from: a.item + i, alone: alone}
			}
		}
		a.one(a.item+i, body, err)
		err = nil
	}
	return unsent{}
}

// one writes an input.
func (a *singly) one(item int, body *codec.Buffer, err error) {
	if err == nil {
		if err = Sendable(body); err != nil {
			letGo(body)
		}
	}
	if err != nil {
		if a.voids == nil {
			a.voids = make(map[int]error)
		}
		a.voids[item] = err
		a.b.Byte(InputVoid)
		return
	}
	if n := len(body.Attachments()); n > 0 {
		a.b.Byte(InputAttached)
		a.b.Uvarint(uint64(n))
	} else {
		a.b.Byte(InputPlain)
	}
	a.b.Nested(body)
	if body.Moves() {
		a.b.TakeAttachments(body)
	} else {
		a.b.CopyAttachments(body) // the body may be sent again
	}
}

// letGo gives up a body that may be encoded again. One without anything that moves may be kept
// by its job.
func letGo(body *codec.Buffer) {
	if body.Moves() {
		body.Settle(false)
	}
}

// sendable says why the descriptors of a message cannot be sent.
func Sendable(b *codec.Buffer) error {
	if b.HasClosedFile() {
		return errtext.Errorf("mp: something that the value holds was closed before it was sent: %w", os.ErrClosed)
	}
	return nil
}

// decodeApart reads what encode wrote.
func (t *Span) decodeApart(r *codec.Reader, lost error) {
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

// openApart decodes the item's input, with its descriptors.
func (x *executor) openApart(in []byte) (Calls, error) {
	r := codec.NewReader(in)
	if t := x.span; x.offset < len(t.Files) {
		files := t.Files[x.offset]
		t.Files[x.offset] = nil
		if files != nil && x.batch.Lost != nil {
			return nil, errtext.Errorf("mp: the input of the task has lost what it holds: %w", x.batch.Lost)
		}
		r.Attached(files)
		defer r.CloseAttached()
	}
	return x.handle.Open(r, 1)
}

// drop closes the descriptors of items that were not begun.
func (a *Batch) Drop() {
	for i := range a.Spans {
		for _, files := range a.Spans[i].Files {
			fdpass.CloseAll(files)
		}
	}
}

var errNoPlace = errors.New("outcomes without a place")
