package main

import (
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
)

// timeline notes which worker did what when, from the pool's events. A worker's
// number is also that of the one that replaces it: it is a line of the picture.
type timeline struct {
	mu      sync.Mutex
	workers int
	zero    time.Time
	length  time.Duration // 0: goes on
	spans   []span
	lives   []life
	running map[int]int // span by worker
	alive   map[int]int // life by worker
	lost    int         // workers that were replaced, or would have been had there been more to do
	stopped bool        // the pool is being ended early, and its workers with it
}

// span is the time that one image took.
type span struct {
	index, worker, pid int
	begin, end         time.Duration
	state              state
}

// life is the time of one worker process.
type life struct {
	worker, pid int
	begin, end  time.Duration
	died        bool // and was not just replaced or no longer needed
}

func newTimeline(workers int) *timeline {
	return &timeline{
		workers: workers, zero: time.Now(),
		running: make(map[int]int), alive: make(map[int]int),
	}
}

// begin and end bound the time that counts: the workers' starts are before it, and
// their ends, when there is nothing to do any more, after it.
func (t *timeline) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for i := range t.lives {
		t.lives[i].begin -= now.Sub(t.zero)
	}
	t.zero = now
}

func (t *timeline) end(early bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.length, t.stopped = time.Since(t.zero), early
}

// event is the pool's PoolConfig.Events.
func (t *timeline) event(e mp.PoolEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := e.Time.Sub(t.zero)
	ended := t.length > 0 && at > t.length
	if e.Kind == mp.WorkerDied && !t.stopped || e.Kind == mp.WorkerRecycled && !ended {
		t.lost++
	}
	if ended {
		return
	}
	switch e.Kind {
	case mp.WorkerReady:
		t.alive[e.Worker] = len(t.lives)
		t.lives = append(t.lives, life{worker: e.Worker, pid: e.PID, begin: at, end: -1})
	case mp.WorkerDied, mp.WorkerRecycled:
		t.over(e, at)
	case mp.TaskStarted:
		t.running[e.Worker] = len(t.spans)
		t.spans = append(t.spans, span{index: e.Index, worker: e.Worker, pid: e.PID, begin: at, end: -1})
	case mp.TaskDone:
		t.ended(e, at, done)
	case mp.TaskFailed:
		t.ended(e, at, failed)
	}
}

func (t *timeline) over(e mp.PoolEvent, at time.Duration) {
	if i, ok := t.alive[e.Worker]; ok {
		t.lives[i].end, t.lives[i].died = at, e.Kind == mp.WorkerDied
		delete(t.alive, e.Worker)
	}
}

func (t *timeline) ended(e mp.PoolEvent, at time.Duration, s state) {
	i, ok := t.running[e.Worker]
	if ok && t.spans[i].index == e.Index {
		t.spans[i].end, t.spans[i].state = at, s
		delete(t.running, e.Worker)
	}
}

// finished is the whole of it, when no more events come: what had no end ended
// with the work.
func (t *timeline) finished() (spans []span, lives []life) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.spans {
		if s.end < 0 {
			s.end = t.length
		}
		spans = append(spans, s)
	}
	for _, l := range t.lives {
		if l.end < 0 {
			l.end = t.length
		}
		l.begin = max(0, l.begin)
		lives = append(lives, l)
	}
	return spans, lives
}

// replaced is the number of workers that were lost. It is known when no more
// events come: a death is told a little after the failure of the image.
func (t *timeline) replaced() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}
