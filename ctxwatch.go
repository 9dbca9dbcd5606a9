package mp

import (
	"context"
	"sync"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// watches cancel the jobs whose ctx ends. Calls by the thousand are made with one ctx,
// so there is one watch for all that end together, and not one for each.
type watches struct {
	mu     sync.Mutex
	byDone map[<-chan struct{}]*watch
}

// watch is over the jobs of one ctx.
type watch struct {
	done  <-chan struct{}
	stop  func() bool
	first *watched
}

// watched is a job under a watch, part of the call that it belongs to.
type watched struct {
	job        *pool.Job
	watch      *watch // nil: none, or not any more
	prev, next *watched
}

// add has a job cancelled when ctx ends.
func (ws *watches) add(ctx context.Context, s *pool.Scheduler, wd *watched, j *pool.Job) {
	done := ctx.Done()
	if done == nil {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.byDone[done]
	if w == nil {
		w = &watch{done: done}
		if ws.byDone == nil {
			ws.byDone = make(map[<-chan struct{}]*watch)
		}
		ws.byDone[done] = w
		w.stop = context.AfterFunc(ctx, func() { ws.end(w, s, ctx.Err()) })
	}
	wd.job, wd.watch, wd.next = j, w, w.first
	if w.first != nil {
		w.first.prev = wd
	}
	w.first = wd
}

// end cancels all jobs under a watch.
func (ws *watches) end(w *watch, s *pool.Scheduler, cause error) {
	ws.mu.Lock()
	ws.forget(w)
	var jobs []*pool.Job
	for w.first != nil {
		jobs = append(jobs, w.first.job)
		w.unlink(w.first)
	}
	ws.mu.Unlock()
	for _, j := range jobs {
		s.Cancel(j, cause)
	}
}

// remove ends the watch over a job.
func (ws *watches) remove(wd *watched) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := wd.watch
	if w == nil {
		return
	}
	if w.unlink(wd); w.first == nil {
		ws.forget(w)
		w.stop()
	}
}

// unlink takes a job off the list. Nothing of it leads to the others any more: its
// Result may be kept for long.
func (w *watch) unlink(wd *watched) {
	if wd.prev != nil {
		wd.prev.next = wd.next
	} else {
		w.first = wd.next
	}
	if wd.next != nil {
		wd.next.prev = wd.prev
	}
	*wd = watched{}
}

func (ws *watches) forget(w *watch) {
	if ws.byDone[w.done] == w {
		delete(ws.byDone, w.done)
	}
}
