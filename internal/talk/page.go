package talk

import (
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/run"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// The page, by byte offsets. Words that different sides write are on different
// cache lines.
//
//	  0  magic
//	 64  tail: bytes of outcomes committed since the start, written by the worker
//	128  head: bytes of outcomes taken since the start, written by the parent
//	192  1: the parent sleeps and wants a bell when tail moves
//	256  1: the worker sleeps and wants a frame when head moves
//	320  since when the running item runs, in nanoseconds of the shared clock
//	384  the state of the inbox
//	448  bytes of the batch in the inbox
//	512  claims, one line for each slot: see run.Claims
//	1536 the inbox, for one batch
//	4096 the ring of outcomes
const (
	magicAt       = 0
	tailAt        = 64
	headAt        = 128
	parentSleepAt = 192
	workerSleepAt = 256
	sinceAt       = 320
	inboxStateAt  = 384
	inboxLenAt    = 448
	claimsAt      = 512
	inboxAt       = 1536
	ringAt        = 4096

	lineSize = 64
	slots    = 16 // batches in flight; the scheduler has no more
	ringSize = 256 << 10
	pageSize = ringAt + ringSize

	inboxSize = ringAt - inboxAt

	magic = 0x6d702d7061676531 // "mp-page1"
)

// page is the memory that a worker shares with its parent.
type page struct {
	region      *shm.Region
	tail, head  *atomic.Uint64
	parentSleep *atomic.Uint64
	workerSleep *atomic.Uint64
	since       *atomic.Uint64
	claims      [slots]*run.Claims
	ring        []byte
	inbox       *atomic.Uint64
	inboxLen    *atomic.Uint64
	inboxBytes  []byte
}

func newPage(r *shm.Region) *page {
	p := &page{
		region: r, tail: r.Word(tailAt), head: r.Word(headAt),
		parentSleep: r.Word(parentSleepAt), workerSleep: r.Word(workerSleepAt),
		since: r.Word(sinceAt), ring: r.Bytes(ringAt, ringSize),
		inbox: r.Word(inboxStateAt), inboxLen: r.Word(inboxLenAt), inboxBytes: r.Bytes(inboxAt, inboxSize),
	}
	for i := range p.claims {
		p.claims[i] = (*run.Claims)(r.Word(claimsAt + i*lineSize))
	}
	return p
}

// word is the first word of a record's payload.
func (p *page) word(payload []byte) *atomic.Uint64 {
	return p.region.WordOf(payload)
}
