package thread

import (
	"container/list"
	"context"
	"sync"

	"github.com/gomultiprocessing/mp/internal/bubble"
)

// roster is the threads that are alive, in the order of their starts.
type roster struct {
	mu    sync.Mutex
	alive list.List // of *Thread, without MainThread
}

var threads roster

func (r *roster) add(t *Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.place = r.alive.PushBack(t)
}

func (r *roster) remove(t *Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alive.Remove(t.place)
}

// firstBut is the thread that started first, without daemons, one thread, and those that are not to
// be waited for here: those of other bubbles of testing/synctest.
func (r *roster) firstBut(self *Thread) *Thread {
	mine := bubble.Number()
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.alive.Front(); e != nil; e = e.Next() {
		if t := e.Value.(*Thread); t != self && !t.daemon && t.bubble == mine {
			return t
		}
	}
	return nil
}

// cancelDaemons asks all daemons but one to end.
func (r *roster) cancelDaemons(self *Thread) {
	mine := bubble.Number()
	for _, t := range Enumerate() {
		if t.daemon && t != self && t.bubble == mine {
			t.Cancel()
		}
	}
}

// Enumerate returns the threads that are alive, as threading.enumerate: MainThread first, then the others in the
// order of their starts. It leaves out a thread whose Join has returned or whose Done is closed. It does not
// block and costs some nanoseconds a thread. Goroutines that this package did not start are not threads, nor are
// those of pools.
func Enumerate() []*Thread {
	threads.mu.Lock()
	defer threads.mu.Unlock()
	all := append(make([]*Thread, 0, 1+threads.alive.Len()), mainThread)
	for e := threads.alive.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*Thread))
	}
	return all
}

// JoinAll waits until all threads but the daemons have ended. It also waits for threads that start meanwhile and
// for Timers that have not fired. Then it cancels the daemons and does not wait for them. Python does the same
// when its interpreter ends. A Go program ends when main returns, whatever its goroutines are doing, so call
// JoinAll there. The workers of pools are not threads: Pool.Join waits for them.
//
// A thread may call JoinAll with its own ctx: then it waits for the others. Two threads that both do so wait for
// each other until a ctx ends. In a bubble of testing/synctest it waits for the threads that were started in
// bubbles, and elsewhere for the others; two bubbles that run at the same time must not call it.
//
// The error is ctx's if a thread is still running when ctx ends; all threads go on then, daemons too. JoinAll
// does not report how a thread ended: its Join does, or the function of SetExceptHook, which does not count
// JoinAll as a Join.
func JoinAll(ctx context.Context) error {
	self := Current(ctx)
	for {
		t := threads.firstBut(self)
		if t == nil {
			threads.cancelDaemons(self)
			return nil
		}
		select {
		case <-t.done:
		case <-ctx.Done():
			if threads.firstBut(self) != nil {
				return ctx.Err()
			}
		}
	}
}
