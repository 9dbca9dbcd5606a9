package talk

import (
	"errors"
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// What is said of each input of a span whose inputs are encoded one by one.
const (
	inputVoid     = iota // it could not be encoded
	inputPlain           // its bytes
	inputAttached        // the number of its descriptors, and its bytes
	inputsEnd            // it and those behind it come with another batch
)

// maxBatchFiles is how many descriptors the items of a batch have behind the first item: all of
// them are the worker's before it begins one.
const maxBatchFiles = 32

// apart encodes the inputs of a span one by one: so that only those that cannot be encoded fail,
// and because each takes its descriptors for itself.
type apart struct {
	b, scratch *wire.Buffer
	batch      *pool.Batch
	sp         *pool.Span
	item       int // where the span begins in the batch
	voids      map[int]error
}

// encode writes the inputs. all is the encoding of them together, if they could be encoded.
func (a *apart) encode(all *wire.Buffer, err error) (rest unsent) {
	a.b.Byte(bodyApart)
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
			alone := body.Moves() && !a.batch.Alone
			full := a.item+i > 0 && len(a.b.Attachments())+len(body.Attachments()) > maxBatchFiles
			if alone || full && len(body.Attachments()) > 0 {
				letGo(body)
				a.b.Byte(inputsEnd)
				return unsent{cut: true, from: a.item + i, alone: alone}
			}
		}
		a.one(a.item+i, body, err)
		err = nil
	}
	return unsent{}
}

// one writes an input.
func (a *apart) one(item int, body *wire.Buffer, err error) {
	if err == nil {
		if err = sendable(body); err != nil {
			letGo(body)
		}
	}
	if err != nil {
		if a.voids == nil {
			a.voids = make(map[int]error)
		}
		a.voids[item] = err
		a.b.Byte(inputVoid)
		return
	}
	if n := len(body.Attachments()); n > 0 {
		a.b.Byte(inputAttached)
		a.b.Uvarint(uint64(n))
	} else {
		a.b.Byte(inputPlain)
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
func letGo(body *wire.Buffer) {
	if body.Moves() {
		body.Settle(false)
	}
}

// sendable says why the descriptors of a message cannot be sent.
func sendable(b *wire.Buffer) error {
	if n := len(b.Attachments()); n > wire.MaxFiles {
		return fmt.Errorf("mp: a value with %d descriptors, more than %d", n, wire.MaxFiles)
	}
	if b.HasClosedFile() {
		return errtext.Errorf("mp: something that the value holds was closed before it was sent: %w", os.ErrClosed)
	}
	return nil
}

// decodeApart reads what encode wrote.
func (t *task) decodeApart(r *wire.Reader, lost error) {
	t.apart = make([][]byte, 0, min(t.n, r.Len()))
	for i := 0; i < t.n && r.Err() == nil; i++ {
		var in []byte
		kind := r.Byte()
		if kind == inputsEnd {
			return
		}
		if kind == inputAttached {
			n := r.Uvarint()
			t.files = append(t.files, make([][]*os.File, i+1-len(t.files))...)
			for ; n > 0 && lost == nil && r.Err() == nil; n-- {
				t.files[i] = append(t.files[i], r.TakeFile())
			}
			if lost != nil {
				t.files[i] = make([]*os.File, 0) // it had some
			}
		}
		if kind != inputVoid {
			in = append([]byte{}, r.Raw()...)
		}
		t.apart = append(t.apart, in)
	}
}

// openApart decodes the item's input, with its descriptors.
func (x *executor) openApart(in []byte) (Calls, error) {
	r := wire.NewReader(in)
	if t := x.task; x.offset < len(t.files) {
		files := t.files[x.offset]
		t.files[x.offset] = nil
		if files != nil && x.batch.lost != nil {
			return nil, errtext.Errorf("mp: the input of the task has lost what it holds: %w", x.batch.lost)
		}
		r.Attached(files)
		defer r.CloseAttached()
	}
	return x.handle.Open(r, 1)
}

// drop closes the descriptors of items that were not begun.
func (a *assignment) drop() {
	for i := range a.tasks {
		for _, files := range a.tasks[i].files {
			wire.CloseFiles(files)
		}
	}
}

var errNoPlace = errors.New("outcomes without a place")
