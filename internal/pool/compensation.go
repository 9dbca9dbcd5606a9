package pool

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp/internal/task"
)

// loan is the place of a task that waits for others of its own pool. It does nothing
// meanwhile, so a guest works there, for the jobs that it waits for and for nothing
// else: if every worker ran a task that waits, nobody would ever come to these. In
// all no more tasks run than there are workers.
type compensation struct {
	blocked *member // runs the task that waits
	worker  *member
	jobs    []*Job // once for each who waits
}

// Attendance is somebody's waiting for a job.
type Waiter struct {
	s    *Scheduler
	j    *Job
	comp *compensation
	// Doubt is to be received from while waiting. Then Look is to be called: it may be a task that
	// waits, though its ctx does not say so. It may be nil.
	Doubt <-chan time.Time
	timer *time.Timer
}

// doubtAfter is how long somebody waits before it is found out whether it is a task.
const doubtAfter = time.Millisecond

// Soon has the goroutines of the pool run first, and says whether done was closed by that: a short
// task needs no more than its turn.
func (s *Scheduler) Yield(done <-chan struct{}) bool {
	if s == nil || s.cfg.Compensate == nil {
		return false
	}
	for range turns {
		runtime.Gosched()
		select {
		case <-done:
			return true
		default:
		}
	}
	return false
}

const turns = 3

// Attend says that the caller is about to wait for a job; it calls Leave afterwards.
func (s *Scheduler) AddWaiter(ctx context.Context, j *Job) Waiter {
	if s == nil || s.cfg.Compensate == nil {
		return Waiter{}
	}
	a := Waiter{s: s, j: j}
	place := ctx.Value(task.PlaceKey{})
	if place == nil {
		a.timer = time.NewTimer(doubtAfter)
		a.Doubt = a.timer.C
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.compensate(s.memberAt(place))
	return a
}

// Look finds out whether the calling goroutine runs a task of the pool.
func (a *Waiter) Look() {
	if a.comp != nil {
		return
	}
	id := task.Goroutine()
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.compensate(a.s.hostOn(id))
}

// Leave ends the waiting.
func (a *Waiter) Remove() {
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.comp == nil {
		return
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.reclaim(a.comp, a.j)
}

// host is the worker that runs the task which a ctx belongs to that has this place; nil: it is none of
// this pool. The ctx is asked for it without the lock: it may be of a type of the program's.
func (s *Scheduler) memberAt(place any) *member {
	if place == nil {
		return nil
	}
	for _, m := range s.members {
		if any(m.w) == place {
			return m
		}
	}
	return nil
}

// hostOn is the worker that runs a task on the goroutine with that number.
func (s *Scheduler) hostOn(goroutine string) *member {
	if s.cfg.Compensate == nil {
		return nil
	}
	for _, m := range s.members {
		if here, ok := m.w.(Inline); ok && here.On(goroutine) {
			return m
		}
	}
	return nil
}

// calledByTask says whether a task of the pool calls, with a ctx. It costs a microsecond.
func (s *Scheduler) calledByTask(ctx context.Context) bool {
	if s.cfg.Compensate == nil {
		return false
	}
	place, id := ctx.Value(task.PlaceKey{}), task.Goroutine()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memberAt(place) != nil || s.hostOn(id) != nil
}

// lend has a guest work for the job in the host's place. The lock is held.
func (a *Waiter) compensate(host *member) {
	s, j := a.s, a.j
	if host == nil || j.over || j.finished || s.terminated {
		return
	}
	l := host.compensation
	if l == nil {
		l = &compensation{blocked: host}
		host.compensation = l
		s.startCompensating(l)
	}
	l.jobs = append(l.jobs, j)
	j.needExtra().compensations = append(j.compensations, l)
	a.comp = l
	l.worker.wake()
}

// invite makes a guest.
func (s *Scheduler) startCompensating(l *compensation) {
	m := &member{
		s: s, n: l.blocked.n, compensates: l, since: time.Now(), wakeup: make(chan struct{}, 1),
		quit: make(chan struct{}), decoding: make(chan struct{}, maxDecoding),
	}
	m.ready(s.cfg.Compensate(l.blocked.w, m.n, m))
	l.worker = m
	s.members = append(s.members, m)
	go m.serve()
}

// claimBack ends the loan of a place to a job, once. A guest without any leaves.
func (s *Scheduler) reclaim(l *compensation, j *Job) {
	switch i := slices.Index(l.jobs, j); {
	case i == 0: // without moving the others: there may be very many
		l.dropFirst()
	case i > 0:
		l.jobs = slices.Delete(l.jobs, i, i+1)
	}
	if i := slices.Index(j.compensations, l); i >= 0 {
		j.compensations = slices.Delete(j.compensations, i, i+1)
	}
	if len(l.jobs) > 0 {
		return
	}
	if l.blocked.compensation == l {
		l.blocked.compensation = nil
	}
	s.retire(l.worker, nil)
}

// next takes the first job off the list.
func (l *compensation) dropFirst() {
	l.jobs[0] = nil
	l.jobs = l.jobs[1:]
}

// foreclose ends the loan of a worker that is gone: its task, if it still waits, does so on its
// own account, and another worker has its place.
func (s *Scheduler) endCompensation(m *member) {
	l := m.compensation
	if l == nil {
		return
	}
	for _, j := range l.jobs {
		if i := slices.Index(j.compensations, l); i >= 0 {
			j.compensations = slices.Delete(j.compensations, i, i+1)
		}
	}
	l.jobs, m.compensation = nil, nil
	s.retire(l.worker, nil)
}

// repay is what happens when a guest is gone: another comes as long as somebody waits.
func (s *Scheduler) compensatingEnded(m *member) {
	l := m.compensates
	if l.worker == m && len(l.jobs) > 0 && !s.terminated {
		s.startCompensating(l)
		l.worker.wake()
	}
}

// topFor is the job whose tasks are next for a worker, nil when there is none.
func (s *Scheduler) topFor(m *member) *Job {
	if m.compensates == nil {
		return s.queues.top()
	}
	for l := m.compensates; len(l.jobs) > 0 && l.jobs[0].over; l.dropFirst() { // not to pass them again and again
		l.jobs[0].compensations = nil
	}
	for _, j := range m.compensates.jobs {
		if j.pin() != nil {
			continue // it is the affair of that worker, or of a guest in its place
		}
		if j.unsent == 0 && !j.over {
			s.revokeJob(j)
		}
		if j.unsent > 0 {
			return j
		}
	}
	return nil
}

// reclaim takes back all tasks of a job that wait at workers: what runs in front of them
// may wait for them.
func (s *Scheduler) revokeJob(j *Job) {
	n := 0
	for _, m := range s.members {
		for i := len(m.batches) - 1; i >= 0; i-- {
			if b := m.batches[i]; b.holds(j) {
				n += s.revoke(m, b, b.done)
			}
		}
	}
	if n > 0 {
		s.wakeSenders(n)
	}
}

// rouseGuests makes guests look again, who are on no list of those that are idle: what kept
// them from taking tasks is over.
func (s *Scheduler) wakeCompensating() {
	for _, m := range s.members {
		if m.compensates != nil {
			m.wake()
		}
	}
}

// list makes a job with tasks to be sent known to all who may send them.
func (s *Scheduler) enlist(j *Job, front bool) {
	s.queues.push(j, front)
	if j.extra == nil {
		return
	}
	for _, l := range j.compensations {
		l.worker.wake()
	}
}
