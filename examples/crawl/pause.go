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

// wait waits for the caller's turn. The error is ctx's.
func (p *pause) wait(ctx context.Context) error {
	p.mu.Lock()
	turn := time.Now()
	if p.next.After(turn) {
		turn = p.next
	}
	p.next = turn.Add(p.between)
	p.mu.Unlock()
	return web.SleepUntil(ctx, turn)
}

// hold lets nobody begin for so long: the server has asked for it.
func (p *pause) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.next) {
		p.next = until
	}
}
