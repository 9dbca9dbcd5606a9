package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// notices are what is said besides messages. Saying something never waits: a thread puts
// it on the screen, and what is too much is left out.
type notices struct {
	queue *mp.Queue[string]

	mu   sync.Mutex
	last string
	when time.Time
}

// A peer that is not there is told of once a second, not at each line.
const sameAgain = time.Second

func newNotices() *notices {
	q, _ := thread.NewQueue[string](64) // it has no error
	return &notices{queue: q}
}

func (n *notices) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.mu.Lock()
	defer n.mu.Unlock()
	if text == n.last && time.Since(n.when) < sameAgain {
		return
	}
	if n.queue.TryPut(text) == nil {
		n.last, n.when = text, time.Now()
	}
}

// show puts them on the screen until the queue is closed.
func (n *notices) show(out screen) func(context.Context) error {
	return func(ctx context.Context) error {
		for text, err := range n.queue.All(ctx) {
			if err != nil {
				return err
			}
			out.problem(text)
		}
		return nil
	}
}
