package talk

import (
	"runtime"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// States of the inbox, a place in the page for one small batch. The worker goes from
// closed to open and back, the parent from open by writing to full, and the worker,
// when it has taken the batch, from full to closed.
const (
	inboxClosed = iota
	inboxOpen
	inboxWriting
	inboxFull
)

// put puts a batch into the inbox, if the worker looks there and it is small enough.
func (p *Page) Post(b *codec.Buffer) bool {
	if b.Len() > InboxSize || p.inbox.Load() != inboxOpen || !p.inbox.CompareAndSwap(inboxOpen, inboxWriting) {
		return false
	}
	p.inboxLen.Store(uint64(copy(p.inboxBytes, b.Bytes())))
	p.inbox.Store(inboxFull)
	return true
}

// await is the next batch; ok is false when there will be none.
func (x *executor) await() (a *Batch, ok bool) {
	if len(x.queue) == 0 && x.hot.ShouldSpin() {
		a, err := x.lookAtInbox()
		x.hot.Record(a != nil)
		if err != nil {
			x.server.lost(err)
		}
		if a != nil {
			return a, true
		}
	}
	a, ok = <-x.queue
	return a, ok
}

// lookAtInbox looks for a batch for a moment. Something in the queue ends that too.
func (x *executor) lookAtInbox() (*Batch, error) {
	p := x.page
	p.inbox.Store(inboxOpen)
	look(func() bool { return p.inbox.Load() == inboxFull || len(x.queue) > 0 })
	if p.inbox.CompareAndSwap(inboxOpen, inboxClosed) {
		return nil, nil
	}
	for tries := 0; p.inbox.Load() != inboxFull; tries++ { // it is being written just now
		if runtime.Gosched(); tries > 1000 {
			time.Sleep(min(lookTime*time.Duration(tries-1000), 10*time.Millisecond)) // by a parent that was interrupted, or stopped
		}
	}
	payload := append([]byte{}, p.inboxBytes[:min(p.inboxLen.Load(), InboxSize)]...)
	p.inbox.Store(inboxClosed)
	return ReadBatch(payload, nil, nil)
}
