package proto

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

// Post puts a batch into the inbox, if the worker polls there and it is small enough.
func (p *Page) Post(b *codec.Buffer) bool {
	if b.Len() > InboxSize || p.inbox.Load() != inboxOpen || !p.inbox.CompareAndSwap(inboxOpen, inboxWriting) {
		return false
	}
	p.inboxLen.Store(uint64(copy(p.inboxBytes, b.Bytes())))
	p.inbox.Store(inboxFull)
	return true
}

// OpenInbox lets the parent post a batch.
func (p *Page) OpenInbox() { p.inbox.Store(inboxOpen) }

// Posted reports whether there is a batch in the inbox.
func (p *Page) Posted() bool { return p.inbox.Load() == inboxFull }

// CloseInbox closes the inbox and returns what was posted, a copy; nil: nothing was.
func (p *Page) CloseInbox() []byte {
	if p.inbox.CompareAndSwap(inboxOpen, inboxClosed) {
		return nil
	}
	for tries := 0; !p.Posted(); tries++ { // it is being written right now
		if runtime.Gosched(); tries > 1000 {
			time.Sleep(min(postTime*time.Duration(tries-1000), 10*time.Millisecond)) // by a parent that was preempted or stopped
		}
	}
	payload := append([]byte{}, p.inboxBytes[:min(p.inboxLen.Load(), InboxSize)]...)
	p.inbox.Store(inboxClosed)
	return payload
}

// postTime is the first sleep of a worker whose parent was preempted while it wrote to the inbox.
const postTime = 200 * time.Microsecond

// PollTries is how often a side reads a word of the page between two looks at the clock, after
// which other goroutines of its process may run. A round trip takes 4 us and is 4 % slower with 50.
const PollTries = 1000
