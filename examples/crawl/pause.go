package main

import (
	"context"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// pause keeps requests to a site apart in time, however many goroutines make them.
type pause struct {
	between time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait waits until the caller may begin. Who is awake first when it is time begins, the
// others look again: by then the server may have asked to wait longer. The error is ctx's.
func (p *pause) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		now, next := time.Now(), p.next
		if !next.After(now) {
			p.next = now.Add(p.between)
			p.mu.Unlock()
			return ctx.Err()
		}
		p.mu.Unlock()
		if err := web.SleepUntil(ctx, next); err != nil {
			return err
		}
	}
}

// hold lets nobody begin for so long: the server has asked for it.
func (p *pause) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.next) {
		p.next = until
	}
}
