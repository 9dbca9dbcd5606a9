package host

import (
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// maxBatchFiles is how many descriptors the items of a batch have behind the first item: all of
// them are the worker's before it begins one.
const maxBatchFiles = 32

// singly encodes the inputs of a span one by one: so that only those that cannot be encoded fail,
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
	a.b.Byte(proto.InputsSingly)
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
				a.b.Byte(proto.InputsEnd)
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
		if err = proto.Sendable(body); err != nil {
			letGo(body)
		}
	}
	if err != nil {
		if a.voids == nil {
			a.voids = make(map[int]error)
		}
		a.voids[item] = err
		a.b.Byte(proto.InputVoid)
		return
	}
	if n := len(body.Attachments()); n > 0 {
		a.b.Byte(proto.InputAttached)
		a.b.Uvarint(uint64(n))
	} else {
		a.b.Byte(proto.InputPlain)
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
