package host

import (
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// unsent is what encodeBatch says of items that it has left out.
type unsent struct {
	cut   bool
	from  int  // the first of them in the batch
	alone bool // the input of the first can be sent only once
}

// encodeBatch writes a batch as the payload of a frame. It returns the errors of
// items that cannot be encoded, which the worker reports back in their turn, and from
// which item on the batch has to be sent in another.
func encodeBatch(b, scratch *codec.Buffer, f *sentBatch, batch *pool.Batch) (voids map[int]error, rest unsent) {
	b.Uvarint(uint64(f.slot))
	b.Uvarint(f.id)
	b.String(batch.Spans[0].Job.Func)
	b.Byte(proto.Flag(batch.Report))
	item := 0
	for i := 0; i < len(batch.Spans) && !rest.cut; {
		b.Byte(1)
		sp := &batch.Spans[i]
		if n := encodeSingles(scratch, batch.Spans[i:]); n > 1 {
			encodeSpan(b, sp, n, true, batch.Report)
			b.Byte(proto.InputsTogether)
			b.Nested(scratch)
			i, item = i+n, item+n
			continue
		}
		encodeSpan(b, sp, sp.N, false, batch.Report)
		inputs := sp.Job.Client
		scratch.Reset()
		body, err := inputs.Encode(scratch, sp.First, sp.N)
		if err == nil && len(body.Attachments()) == 0 {
			b.Byte(proto.InputsTogether)
			b.Nested(body)
		} else {
			a := singly{b: b, scratch: scratch, batch: batch, sp: sp, item: item, voids: voids}
			rest = a.encode(body, err)
			voids = a.voids
		}
		i, item = i+1, item+sp.N
	}
	b.Byte(0)
	return voids, rest
}

// smallSingle is the size in bytes up to which the inputs of jobs with one task are
// sent together. Blocks that have to be aligned are larger.
const smallSingle = 1 << 10

// encodeSingles encodes the inputs of as many jobs as it can whose one task is like
// any other, as if they were the inputs of one job: there may be thousands, and the
// worker then decodes them at once.
func encodeSingles(b *codec.Buffer, spans []pool.Span) (n int) {
	if len(spans) < 2 || !single(&spans[0]) || !single(&spans[1]) {
		return 0
	}
	b.Reset()
	for i := range spans {
		sp := &spans[i]
		if !single(sp) {
			break
		}
		before := b.Mark()
		from := b.Len()
		body, err := sp.Job.Client.Encode(b, 0, 1)
		attached := err == nil && len(body.Attachments()) > 0
		if attached {
			letGo(body)
		}
		if err == nil && body != b && body.Len() <= smallSingle {
			b.Append(body)
		}
		if err != nil || attached || body.Len() > smallSingle && body != b || b.Len()-from > smallSingle {
			b.Rewind(before)
			break
		}
		n++
	}
	return n
}

// single says whether a span is a job with one task like any other.
func single(sp *pool.Span) bool {
	return sp.N == 1 && sp.First == 0 && sp.Attempt == 1 && sp.Job.Plain()
}

// encodeSpan writes what the worker has to know of a span's n tasks. singles says
// that each is the first of a job of its own; report that events tell of each.
func encodeSpan(b *codec.Buffer, sp *pool.Span, n int, singles, report bool) {
	j := sp.Job
	b.Byte(proto.Flag(singles))
	b.Uvarint(uint64(sp.First))
	b.Uvarint(uint64(n))
	b.Uvarint(uint64(sp.Attempt))
	b.Uvarint(uint64(j.Timeout))
	b.Uint64(uint64(proto.Deadline(j.Deadline)))
	b.Uvarint(uint64(j.Capture))
	b.Byte(measureOf(j.Measure, report))
	proto.AppendPropagated(b, j.Propagated)
}

func measureOf(all, times bool) byte {
	switch {
	case all:
		return proto.MeasureAll
	case times:
		return proto.MeasureTimes
	}
	return proto.MeasureNone
}
