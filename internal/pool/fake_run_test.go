package pool_test

import (
	"slices"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// say makes f report one thing after the other.
func (f *fake) say(report func()) {
	f.says <- struct{}{}
	defer func() { <-f.says }()
	report()
}

// bury reports the worker's death.
func (f *fake) bury(sink pool.Sink, d pool.Death) {
	if !f.lab.lossy {
		f.flushTo(sink)
	}
	sink.Dead()
	f.lab.remove(f)
	f.lab.noteDeath(f, d)
	sink.Died(d)
}

// stop acts like SIGSTOP, and cont like SIGCONT.
func (f *fake) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped == nil {
		f.stopped = make(chan struct{})
	}
}

func (f *fake) cont() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped != nil {
		close(f.stopped)
		f.stopped = nil
	}
}

// runs waits while the worker is stopped, and reports whether it is still alive.
func (f *fake) runs() bool {
	for {
		f.mu.Lock()
		stopped := f.stopped
		f.mu.Unlock()
		if stopped != nil {
			select {
			case <-stopped:
				continue
			case <-f.dead:
			}
		}
		select {
		case <-f.dead:
			return false
		default:
			return true
		}
	}
}

func (f *fake) serve() {
	defer close(f.gone)
	for f.runs() {
		f.mu.Lock()
		if len(f.queue) == 0 {
			closing := f.closing
			f.mu.Unlock()
			if closing {
				f.lab.remove(f)
				f.end()
				return
			}
			select {
			case <-f.wake:
			case <-f.dead:
			}
			continue
		}
		fl := f.queue[0]
		if f.stopped != nil || f.killed {
			f.mu.Unlock()
			continue
		}
		if fl.begun >= fl.limit {
			f.queue = f.queue[1:]
			f.mu.Unlock()
			f.flush()
			f.mu.Lock()
			fl.ended = true
			f.opened = slices.DeleteFunc(f.opened, func(other *flight) bool { return other == fl })
			f.mu.Unlock()
			time.Sleep(f.lab.lag)
			f.say(func() { f.sink.Ended(fl.b, fl.busy, f.lab.spent(fl.busy)) })
			continue
		}
		item := fl.begun
		fl.begun++
		f.cur, f.since, f.cancel = fl, time.Now(), make(chan struct{})
		cancel, skip := f.cancel, fl.cancelled[item]
		f.mu.Unlock()
		if skip {
			sp, at := fl.b.At(item)
			f.ended(fl.b, item, sp, sp.First+at, pool.Result{Err: errCancel})
			continue
		}
		if !f.run(fl, item, cancel) {
			return
		}
	}
	f.die(pool.Death{Err: errDied})
}

func (f *fake) die(d pool.Death) {
	f.mu.Lock()
	if f.killed && !f.caps.Kills {
		f.mu.Unlock()
		return // giveUp reports it
	}
	if !f.killed {
		f.killed = true
		close(f.dead)
	}
	f.mu.Unlock()
	f.say(func() {
		f.mu.Lock()
		f.cur = nil
		f.mu.Unlock()
		f.bury(f.sink, d)
	})
}

// run performs one item. It reports whether the worker is still alive.
func (f *fake) run(fl *flight, item int, cancel chan struct{}) bool {
	sp, at := fl.b.At(item)
	index := sp.First + at
	a := sp.Job.Client.(*track).script(index, sp.Attempt)
	f.lab.began(f, sp.Job, index, sp.Attempt)
	if a.takes > 0 && !f.lab.hold || a.takes > 10*time.Millisecond || a.dies && !f.lab.lossy || fl.b.Report {
		f.flush()
	}
	if fl.b.Report {
		f.lab.reports.Add(1)
		f.say(func() { f.sink.Started(fl.b, item) })
	}
	if a.grows > 0 {
		f.mu.Lock()
		f.memory = a.grows
		f.mu.Unlock()
	}
	for _, n := range a.lies {
		f.say(func() { f.sink.Results([]pool.Result{{Batch: fl.b, Count: n}}) })
	}
	if !a.obeys {
		cancel = nil
	}
	began := time.Now()
	err := a.err
	dead := f.dead
	if !f.caps.Kills {
		dead = nil
	}
	if a.takes > 0 {
		select {
		case <-time.After(a.takes):
		case <-cancel:
			err = errCancel
		case <-dead:
		}
	}
	if !f.runs() || a.dies {
		f.die(pool.Death{Err: errDied, Batch: fl.b, Item: item, Running: true})
		return false
	}
	fl.busy += time.Since(began)
	if f.caps.Kills {
		f.mu.Lock()
		f.cur, f.cancel = nil, nil
		f.mu.Unlock()
	}
	if f.lab.lag > 0 {
		time.Sleep(f.lab.lag)
	}
	f.ended(fl.b, item, sp, index, pool.Result{Err: err, Final: a.final})
	if !f.lab.hold && (err != nil || a.takes > 0) || fl.b.Report {
		f.flush()
	}
	return true
}

// ended records the end of an item.
func (f *fake) ended(b *pool.Batch, item int, sp *pool.Span, index int, r pool.Result) {
	f.say(func() {
		f.mu.Lock()
		f.cur, f.cancel = nil, nil
		f.mu.Unlock()
		f.report(b, item, sp, index, r)
	})
}

// end ends a worker that was asked to end.
func (f *fake) end() {
	f.mu.Lock()
	given := f.killed && !f.caps.Kills
	f.killed = true
	f.mu.Unlock()
	if !given {
		f.say(func() { f.sink.Died(pool.Death{}) })
	}
}

// report collects the result of an item. Consecutive successes become one result.
func (f *fake) report(b *pool.Batch, item int, sp *pool.Span, index int, r pool.Result) {
	r.Batch, r.Count = b, 1
	if r.Err == nil {
		if k := len(f.pending) - 1; k >= 0 && f.pending[k].Batch == b && f.pending[k].Err == nil {
			t := f.pending[k].Value.(token)
			if t.job == sp.Job && t.attempt == sp.Attempt && t.first+f.pending[k].Count == index && index > sp.First {
				f.pending[k].Count++
				return
			}
		}
		r.Value = token{sp.Job, index, sp.Attempt}
		if sp.Job.RunsUserCode {
			r.Payload = []byte{1}
		}
	}
	f.pending = append(f.pending, r)
}

func (f *fake) flush() { f.say(func() { f.flushTo(f.sink) }) }

func (f *fake) flushTo(sink pool.Sink) {
	if len(f.pending) > 0 {
		f.mu.Lock()
		for _, r := range f.pending {
			r.Batch.Tag.(*flight).reported += r.Count
		}
		f.mu.Unlock()
		sink.Results(f.pending)
		clear(f.pending)
		f.pending = f.pending[:0]
	}
}
