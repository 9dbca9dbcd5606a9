package proto

import (
	"sync/atomic"
	"time"
)

// Doorbell rings at the parent when it sleeps and there is something for it in the
// ring: at once when the worker has nothing else to do, else within a millisecond.
type Doorbell struct {
	page  *Page
	ring  func()
	timer *time.Timer
	armed atomic.Bool
	rung  uint64 // the ring's tail when it rang last
}

const (
	bellAfter = time.Millisecond
	bellBytes = RingSize / 2 // of outcomes: the parent should take them while there is room for more
)

// NewDoorbell returns the doorbell of a page. ring wakes the parent.
func NewDoorbell(p *Page, ring func()) *Doorbell { return &Doorbell{page: p, ring: ring} }

// Note says that something was committed; idle that nothing will follow soon.
func (b *Doorbell) Note(idle bool) {
	if tail := b.page.Tail.Load(); idle || tail-b.rung >= bellBytes {
		b.rung = tail
		b.Ring()
		return
	}
	if b.armed.Load() || !b.armed.CompareAndSwap(false, true) {
		return
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(bellAfter, func() {
			b.armed.Store(false)
			b.Ring()
		})
		return
	}
	b.timer.Reset(bellAfter)
}

// Ring rings if the parent sleeps.
func (b *Doorbell) Ring() {
	if b.page.ParentSleeps.Load() == 1 && b.page.ParentSleeps.CompareAndSwap(1, 0) {
		b.ring()
	}
}
