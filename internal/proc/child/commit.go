package child

import (
	"errors"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// errVoid stands for the error of an input that its sender could not encode.
var errVoid = errors.New("mp: not encoded")

// commit makes an item's outcome the parent's.
func (x *executor) commit(err error, flags int) {
	t := x.span
	metered := t.Measure != proto.MeasureNone || t.Capture > 0
	if err == errVoid {
		if metered {
			x.meter.end(x.self)
		}
		x.ring.Put(proto.Record{Kind: proto.RecordVoid, Slot: x.batch.Slot}, nil)
		return
	}
	if err == nil && x.size > 0 {
		left := t.N - x.offset + len(x.batch.Spans) - x.next
		x.calls.PutMemory(x.ring.Next(x.batch.Slot, x.size, left))
		x.ring.Add()
		return
	}
	kind := proto.RecordResult
	if err == nil {
		err = x.encode()
	}
	if err != nil {
		kind = proto.RecordFailure
		x.scratch.Reset()
		x.scratch.Max = 0
		final := x.program.EncodeError(&x.scratch, err)
		if n := x.scratch.Len(); x.max > 0 && n > x.max+proto.FrameSlack/2 {
			x.scratch.Reset()
			final = x.program.EncodeError(&x.scratch, x.program.TooLarge(n, x.max))
		}
		if final {
			flags |= proto.FlagFinal
		}
	}
	var prefix []uint64
	if metered {
		prefix = x.meter.end(x.self)
		flags |= proto.FlagMeasured
		if t.Capture > 0 {
			flags |= proto.FlagCaptured
		}
	}
	x.send(proto.Record{Kind: kind, Slot: x.batch.Slot, Flags: flags}, prefix)
	x.scratch.Reset()
}

// encode leaves the output in x.scratch.
func (x *executor) encode() error {
	x.scratch.Reset()
	if x.max > 0 {
		x.scratch.Max = x.max
	}
	if err := x.calls.Encode(&x.scratch); err != nil {
		if x.max > 0 && x.scratch.Len() > x.max {
			return x.program.TooLarge(x.scratch.Len(), x.max)
		}
		return err
	}
	if n := x.scratch.Len(); x.max > 0 && n > x.max {
		return x.program.TooLarge(n, x.max)
	}
	return proto.Sendable(&x.scratch)
}

// send puts the outcome in x.scratch into the ring, or when it is big or has descriptors
// sends it as a frame and says so in the ring.
func (x *executor) send(h proto.Record, prefix []uint64) {
	body := x.scratch.Len()
	if body+int64(8*len(prefix)) <= proto.MaxInline && len(x.scratch.Attachments()) == 0 {
		h.Size = int(body) + 8*len(prefix)
		x.ring.Put(h, func(b []byte) {
			for _, v := range prefix {
				proto.PutWord(b, v)
				b = b[8:]
			}
			copy(b, x.scratch.Bytes())
		})
		return
	}
	var msg codec.Buffer
	msg.Uint64(h.Pack())
	for _, v := range prefix {
		msg.Uint64(v)
	}
	msg.Nested(&x.scratch)
	msg.TakeAttachments(&x.scratch)
	x.ring.CloseRun()
	x.bell.Ring() // what came before is not to wait for this
	x.server.write(proto.FrameOutcome, &msg)
	msg.Settle(true)
	x.ring.Put(proto.Record{Kind: proto.RecordBig, Slot: h.Slot}, nil)
}

// meter measures one item.
type meter struct {
	start    int64
	cpu      time.Duration
	captures uint64 // so far
	capture  bool
	memory   bool
}

func (m *meter) begin(self *spawn.Self, t *proto.Span) {
	m.capture, m.memory = t.Capture > 0, t.Measure == proto.MeasureAll
	if m.capture {
		m.captures++
		self.BeginCapture(m.captures, t.Capture) // without it there is nothing captured
	}
	m.start, m.cpu = proto.Now(), spentCPU()
}

// end returns what was measured, as the prefix of a record.
func (m *meter) end(self *spawn.Self) []uint64 {
	wall, cpu := proto.Now()-m.start, spentCPU()-m.cpu
	prefix := []uint64{uint64(wall), uint64(cpu), 0}
	if m.memory {
		prefix[2] = uint64(heldMemory())
	}
	if m.capture {
		self.EndCapture(m.captures) // the parent waits for it for a bounded time only
		prefix = append(prefix, m.captures)
	}
	return prefix
}
