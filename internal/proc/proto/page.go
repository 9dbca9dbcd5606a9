package proto

import (
	"errors"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/task"
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
//	512  claims, one line for each slot: see task.Claims
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
	RingAt        = 4096

	lineSize = 64
	Slots    = 16 // batches in flight; the scheduler has no more
	RingSize = 256 << 10
	PageSize = RingAt + RingSize

	InboxSize = RingAt - inboxAt

	magic = 0x6d702d7061676531 // "mp-page1"
)

// Page is the memory that a worker shares with its parent.
type Page struct {
	Region       *shm.Region
	Tail, Head   *atomic.Uint64 // bytes of the ring that were committed, and that were taken
	ParentSleeps *atomic.Uint64 // 1: the parent wants to be woken when Tail moves
	WorkerSleeps *atomic.Uint64 // 1: the worker wants to be told when Head moves
	Since        *atomic.Uint64 // when the running item was begun, on the shared clock
	Claims       [Slots]*task.Claims
	Ring         []byte
	inbox        *atomic.Uint64
	inboxLen     *atomic.Uint64
	inboxBytes   []byte
}

// NewPage makes a page of new memory: the parent does.
func NewPage(r *shm.Region) *Page {
	r.Word(magicAt).Store(magic)
	return layOut(r)
}

// OpenPage finds the page in memory that the parent has sent. It checks that it is one.
func OpenPage(r *shm.Region) (*Page, error) {
	if r.Word(magicAt).Load() != magic {
		return nil, errors.New("mp: the shared memory is not a worker's page")
	}
	return layOut(r), nil
}

func layOut(r *shm.Region) *Page {
	p := &Page{
		Region: r, Tail: r.Word(tailAt), Head: r.Word(headAt),
		ParentSleeps: r.Word(parentSleepAt), WorkerSleeps: r.Word(workerSleepAt),
		Since: r.Word(sinceAt), Ring: r.Bytes(RingAt, RingSize),
		inbox: r.Word(inboxStateAt), inboxLen: r.Word(inboxLenAt), inboxBytes: r.Bytes(inboxAt, InboxSize),
	}
	for i := range p.Claims {
		p.Claims[i] = (*task.Claims)(r.Word(claimsAt + i*lineSize))
	}
	return p
}

// PayloadWord is the first word of a record's payload.
func (p *Page) PayloadWord(payload []byte) *atomic.Uint64 {
	return p.Region.WordOf(payload)
}
