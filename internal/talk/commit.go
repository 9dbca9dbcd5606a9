package talk

import (
	"errors"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// errVoid stands for the error of an input that its sender could not encode.
var errVoid = errors.New("mp: not encoded")

// commit makes an item's outcome the parent's.
func (x *executor) commit(err error, flags int) {
	t := x.task
	metered := t.measure != measureNone || t.capture > 0
	if err == errVoid {
		if metered {
			x.meter.end(x.self)
		}
		x.out.put(record{kind: recordVoid, slot: x.batch.slot}, nil)
		return
	}
	if err == nil && x.size > 0 {
		left := t.n - x.offset + len(x.batch.tasks) - x.next
		x.calls.PutMemory(x.out.next(x.batch.slot, x.size, left))
		x.out.add()
		return
	}
	kind := recordResult
	if err == nil {
		err = x.encode()
	}
	if err != nil {
		kind = recordFailure
		x.scratch.Reset()
		x.scratch.Max = 0
		final := x.program.EncodeError(&x.scratch, err)
		if n := x.scratch.Len(); x.max > 0 && n > x.max+frameSlack/2 {
			x.scratch.Reset()
			final = x.program.EncodeError(&x.scratch, x.program.TooLarge(n, x.max))
		}
		if final {
			flags |= flagFinal
		}
	}
	var prefix []uint64
	if metered {
		prefix = x.meter.end(x.self)
		flags |= flagMeasured
		if t.capture > 0 {
			flags |= flagCaptured
		}
	}
	x.send(record{kind: kind, slot: x.batch.slot, flags: flags}, prefix)
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
	return sendable(&x.scratch)
}

// send puts the outcome in x.scratch into the ring, or when it is big or has descriptors
// sends it as a frame and says so in the ring.
func (x *executor) send(h record, prefix []uint64) {
	body := x.scratch.Len()
	if body+int64(8*len(prefix)) <= maxInline && len(x.scratch.Attachments()) == 0 {
		h.size = int(body) + 8*len(prefix)
		x.out.put(h, func(b []byte) {
			for _, v := range prefix {
				putWord(b, v)
				b = b[8:]
			}
			copy(b, x.scratch.Bytes())
		})
		return
	}
	var frame wire.Buffer
	frame.Uint64(h.pack())
	for _, v := range prefix {
		frame.Uint64(v)
	}
	frame.Nested(&x.scratch)
	frame.TakeAttachments(&x.scratch)
	x.out.closeRun()
	x.bell.now() // what came before is not to wait for this
	x.server.write(frameOutcome, &frame)
	frame.Settle(true)
	x.out.put(record{kind: recordBig, slot: h.slot}, nil)
}

// meter measures one item.
type meter struct {
	start    int64
	cpu      time.Duration
	captures uint64 // so far
	capture  bool
	memory   bool
}

func (m *meter) begin(self *spawn.Self, t *task) {
	m.capture, m.memory = t.capture > 0, t.measure == measureAll
	if m.capture {
		m.captures++
		self.BeginCapture(m.captures, t.capture) // without it there is nothing captured
	}
	m.start, m.cpu = now(), spentCPU()
}

// end returns what was measured, as the prefix of a record.
func (m *meter) end(self *spawn.Self) []uint64 {
	wall, cpu := now()-m.start, spentCPU()-m.cpu
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
