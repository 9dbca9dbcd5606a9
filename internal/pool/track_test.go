package pool_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// track is a job and a record of its outcomes.
type track struct {
	job pool.Job
	l   *lab

	pool.Tasks // nil: the fake workers ask for none

	mu       sync.Mutex
	outcomes map[int]outcome
	now      map[int]bool // being delivered
	finished int
	cause    error
	slow     time.Duration // how long each Deliver takes
	script   script
	before   func()      // called by Finished first
	after    func()      // called by Finished last
	supply   func(n int) // called by Deliver last
	light    bool        // outcomes are not recorded
	done     chan struct{}
}

type outcome struct {
	err      error
	attempts int
	pid      int
	at       time.Time
}

// track makes a job without submitting it.
func (l *lab) track(items int, s script) *track {
	k := &track{l: l, script: s, outcomes: make(map[int]outcome), now: make(map[int]bool), done: make(chan struct{})}
	k.job = pool.Job{Options: &pool.Options{}, Func: "f", Items: items, Client: k}
	return k
}

// submit makes a job and submits it.
func (l *lab) submit(items int, s script, opts ...func(*pool.Job)) *track {
	l.t.Helper()
	k := l.track(items, s)
	for _, o := range opts {
		o(&k.job)
	}
	if err := l.s.Submit(context.Background(), &k.job); err != nil {
		l.t.Fatalf("Submit: %v", err)
	}
	return k
}

func (k *track) Deliver(o *pool.Outcome) {
	if k.supply != nil {
		defer k.supply(o.Count)
	}
	if k.light {
		return
	}
	k.hold(o, 1)
	if k.slow > 0 {
		time.Sleep(k.slow)
	}
	defer k.hold(o, -1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.finished > 0 {
		k.l.t.Errorf("delivered %d after Finished", o.First)
	}
	if o.Err == nil {
		if v, ok := o.Value.(token); !ok || v.job != &k.job || v.first != o.First || v.attempt != o.Attempts {
			k.l.t.Errorf("task %d: somebody else's outcome: %+v", o.First, o.Value)
		}
	} else if o.Count != 1 && !errors.Is(o.Err, pool.ErrCancelled) {
		k.l.t.Errorf("a failure of %d tasks", o.Count)
	}
	for i := o.First; i < o.First+o.Count; i++ {
		if _, twice := k.outcomes[i]; twice || i < 0 || !k.job.Lazy && i >= k.job.Items {
			k.l.t.Errorf("task %d has two outcomes, or does not exist", i)
		}
		k.outcomes[i] = outcome{o.Err, o.Attempts, o.PID, time.Now()}
	}
}

// hold records that outcomes are being delivered, or no longer are.
func (k *track) hold(o *pool.Outcome, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := o.First; i < o.First+o.Count; i++ {
		if n > 0 && k.now[i] {
			k.l.t.Errorf("task %d is delivered twice at once", i)
		}
		if n > 0 {
			k.now[i] = true
		} else {
			delete(k.now, i)
		}
	}
}

func (k *track) Finished(cause error) {
	if k.before != nil {
		k.before()
	}
	if n := k.l.beingRead(&k.job); n > 0 && time.Duration(k.l.slowRead.Load()) < time.Second {
		k.l.t.Errorf("Finished while the inputs of %d batches are being read", n)
	}
	if k.after != nil {
		defer k.after()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.finished++; k.finished > 1 {
		k.l.t.Errorf("Finished twice")
		return
	}
	if len(k.now) > 0 {
		k.l.t.Errorf("Finished during %d deliveries", len(k.now))
	}
	k.cause = cause
	if cause == nil && !k.light && len(k.outcomes) != k.job.Items {
		k.l.t.Errorf("Finished with %d of %d outcomes", len(k.outcomes), k.job.Items)
	}
	close(k.done)
}

// wait waits for the end of the job.
func (k *track) wait() *track { <-k.done; return k }

func (k *track) isDone() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

func (k *track) err(i int) error { return k.get(i).err }

func (k *track) get(i int) outcome {
	k.mu.Lock()
	defer k.mu.Unlock()
	o, ok := k.outcomes[i]
	if !ok {
		k.l.t.Errorf("task %d has no outcome", i)
	}
	return o
}

// succeeded checks that each task has succeeded.
func (k *track) succeeded() {
	k.l.t.Helper()
	k.wait()
	for i := range k.job.Items {
		if err := k.err(i); err != nil {
			k.l.t.Errorf("task %d: %v", i, err)
		}
	}
}

func trivial(int, int) act { return act{} }

// each returns a script that depends only on the task's index.
func each(f func(index int) act) script { return func(i, _ int) act { return f(i) } }

func lasting(d time.Duration) script { return func(int, int) act { return act{takes: d} } }
