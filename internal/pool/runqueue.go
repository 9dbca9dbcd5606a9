package pool

import (
	"sort"
	"time"
)

// runQueues has the jobs with tasks to send, by priority. Jobs of equal priority share the
// workers by the time that their tasks take: see fair.go.
type runQueues struct {
	queues []*runQueue // by falling priority
	recent *runQueue   // the one that was looked up last: most pools have one; nil: none
	items  int         // tasks in all
	latest int64       // the latest virtual time of queues that were forgotten
}

// maxQueues is how many priorities are remembered while nothing waits at them.
const maxQueues = 16

// runQueue is the run queue of one priority. The job with the least virtual time is next; of
// several the one that came first. Most jobs have one task and are never charged
// while they wait: those are on a list, in the order in which they came, which is also that of
// their virtual times. The others are in a heap.
type runQueue struct {
	priority    int
	virtualTime int64     // a new job starts from here
	fraction    float64   // what is to be added to it, less than 1
	jobs        int       // on the list or in the heap
	active      int       // those, and those that have tasks at workers
	shared      time.Time // when there was last more than one active job
	list        jobList
	heap        []*Job
}

// Where a job is: values of Job.place. From 1 on it is the place in the heap, plus one.
const (
	notListed = 0
	onList    = -1
)

// top returns the job whose tasks are next; nil if none waits.
func (r *runQueues) top() *Job {
	for _, q := range r.queues {
		if q.jobs > 0 {
			return q.top()
		}
	}
	return nil
}

// push enqueues a job. back says that its tasks had been sent before and were taken back, so that
// it has its former place. Otherwise it starts anew, however long it was away.
func (r *runQueues) push(j *Job, back bool) {
	if j.place != notListed {
		return
	}
	q := r.queue(j.Priority)
	q.catchUp()
	q.jobs++
	if !back {
		from := q.virtualTime
		if j.inflight > 0 {
			from -= int64(maxLag)
		}
		j.virtual = max(j.virtual, from)
	}
	if !back && j.virtual == q.virtualTime {
		j.place = onList
		q.list.append(j)
	} else {
		q.insert(j)
	}
	r.updateActive(j)
}

// remove takes a job off its queue.
func (r *runQueues) remove(j *Job) {
	if j.place == notListed {
		return
	}
	q := r.queue(j.Priority)
	q.remove(j)
	q.jobs--
	r.updateActive(j)
}

// forget drops a queue that has no jobs.
func (r *runQueues) forget(q *runQueue) {
	i := r.find(q.priority)
	r.latest = max(r.latest, q.virtualTime)
	r.queues = append(r.queues[:i], r.queues[i+1:]...)
	r.recent = nil
}

// find returns the index of the queue of a priority, or where it would be.
func (r *runQueues) find(priority int) int {
	return sort.Search(len(r.queues), func(i int) bool { return r.queues[i].priority <= priority })
}

// lookup returns the queue of a priority; nil if there is none.
func (r *runQueues) lookup(priority int) *runQueue {
	if q := r.recent; q != nil && q.priority == priority {
		return q
	}
	if i := r.find(priority); i < len(r.queues) && r.queues[i].priority == priority {
		r.recent = r.queues[i]
		return r.recent
	}
	return nil
}

// queue returns the queue of a priority, and makes it if there is none.
func (r *runQueues) queue(priority int) *runQueue {
	if q := r.lookup(priority); q != nil {
		return q
	}
	i := r.find(priority)
	r.queues = append(r.queues, nil)
	copy(r.queues[i+1:], r.queues[i:])
	r.queues[i] = &runQueue{priority: priority, virtualTime: r.latest, list: jobList{kind: waitingList}}
	return r.queues[i]
}

// top returns the job with the least virtual time.
func (q *runQueue) top() *Job {
	first := q.list.first
	switch {
	case first == nil:
		return q.heap[0]
	case len(q.heap) > 0 && q.heap[0].before(first):
		return q.heap[0]
	}
	return first
}

// before reports whether j is next when both wait.
func (j *Job) before(other *Job) bool {
	return j.virtual < other.virtual || j.virtual == other.virtual && j.id < other.id
}

// insert puts a job into the heap.
func (q *runQueue) insert(j *Job) {
	q.heap = append(q.heap, j)
	q.up(len(q.heap) - 1)
}

// remove takes a job off the list or the heap.
func (q *runQueue) remove(j *Job) {
	place := j.place
	j.place = notListed
	if place == onList {
		q.list.remove(j)
		return
	}
	i, end := int(place)-1, len(q.heap)-1
	last := q.heap[end]
	q.heap[end] = nil
	q.heap = q.heap[:end]
	if i == end {
		return
	}
	q.heap[i] = last
	q.down(q.up(i))
}

// fix puts a job whose virtual time has changed where it belongs.
func (q *runQueue) fix(j *Job) {
	if j.place == onList {
		q.remove(j)
		q.insert(j)
		return
	}
	if len(q.heap) > 1 {
		q.down(q.up(int(j.place) - 1))
	}
}

// up lets the job at an index of the heap rise, and returns its new index.
func (q *runQueue) up(i int) int {
	j := q.heap[i]
	for i > 0 {
		above := (i - 1) / 2
		if !j.before(q.heap[above]) {
			break
		}
		q.set(i, q.heap[above])
		i = above
	}
	q.set(i, j)
	return i
}

// down lets the job at an index of the heap sink.
func (q *runQueue) down(i int) {
	j := q.heap[i]
	for {
		low := 2*i + 1
		if low >= len(q.heap) {
			break
		}
		if low+1 < len(q.heap) && q.heap[low+1].before(q.heap[low]) {
			low++
		}
		if !q.heap[low].before(j) {
			break
		}
		q.set(i, q.heap[low])
		i = low
	}
	q.set(i, j)
}

func (q *runQueue) set(i int, j *Job) {
	q.heap[i] = j
	j.place = int32(i + 1)
}
