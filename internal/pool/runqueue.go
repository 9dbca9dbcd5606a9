package pool

import (
	"sort"
	"time"
)

// ready lists the jobs with tasks to be sent: higher priorities first. Jobs of equal
// priority share the workers by the time that their tasks take: see fair.go.
type runQueues struct {
	queues []*runQueue // by falling priority
	items  int         // tasks in all
	latest int64       // the latest virtual time of levels that were forgotten
}

// maxLevels is how many priorities are remembered while nothing waits at them.
const maxQueues = 16

// level is the run queue of one priority. The job with the least virtual time is next; of
// several the one that came first. Most jobs have one task and are never charged
// while they wait: those are on a list, in the order in which they came, which is that of
// their virtual times too. The others are in a heap.
type runQueue struct {
	priority    int
	virtualTime int64     // virtual time: what a job that comes now starts from
	fraction    float64   // by which it is to go on, less than 1
	jobs        int       // on the list or in the heap
	active      int       // those, and those that have tasks at workers
	shared      time.Time // when there was more than one active job
	first, last *Job
	heap        []*Job
}

// Where a job is: values of Job.place. From 1 on it is the place in the heap, plus one.
const (
	notListed = 0
	onList    = -1
)

// top is the job whose tasks are next, nil when there is none.
func (r *runQueues) top() *Job {
	for _, l := range r.queues {
		if l.jobs > 0 {
			return l.top()
		}
	}
	return nil
}

// push lists a job. back says that its tasks had been sent before and were called back, so that
// it has its former place; else it has none, however long it was away.
func (r *runQueues) push(j *Job, back bool) {
	if j.place != notListed {
		return
	}
	l := r.queue(j.Priority)
	l.catchUp()
	l.jobs++
	if !back {
		from := l.virtualTime
		if j.inflight > 0 {
			from -= int64(maxLag)
		}
		j.virtual = max(j.virtual, from)
	}
	if !back && j.virtual == l.virtualTime {
		l.append(j)
	} else {
		l.insert(j)
	}
	r.updateActive(j)
}

// remove takes a job off the list.
func (r *runQueues) remove(j *Job) {
	if j.place == notListed {
		return
	}
	l := r.queue(j.Priority)
	l.remove(j)
	l.jobs--
	r.updateActive(j)
}

// forget takes a level off the list that has no jobs.
func (r *runQueues) forget(l *runQueue) {
	i := r.find(l.priority)
	r.latest = max(r.latest, l.virtualTime)
	r.queues = append(r.queues[:i], r.queues[i+1:]...)
}

func (r *runQueues) find(priority int) int {
	if len(r.queues) > 0 && r.queues[0].priority <= priority {
		return 0
	}
	return sort.Search(len(r.queues), func(i int) bool { return r.queues[i].priority <= priority })
}

// known is the level of a priority, nil when there is none.
func (r *runQueues) lookup(priority int) *runQueue {
	if i := r.find(priority); i < len(r.queues) && r.queues[i].priority == priority {
		return r.queues[i]
	}
	return nil
}

func (r *runQueues) queue(priority int) *runQueue {
	i := r.find(priority)
	if i < len(r.queues) && r.queues[i].priority == priority {
		return r.queues[i]
	}
	r.queues = append(r.queues, nil)
	copy(r.queues[i+1:], r.queues[i:])
	r.queues[i] = &runQueue{priority: priority, virtualTime: r.latest}
	return r.queues[i]
}

// top is the job with the least virtual time.
func (l *runQueue) top() *Job {
	switch {
	case l.first == nil:
		return l.heap[0]
	case len(l.heap) > 0 && l.heap[0].before(l.first):
		return l.heap[0]
	}
	return l.first
}

// before says whether j is next when both wait.
func (j *Job) before(other *Job) bool {
	return j.virtual < other.virtual || j.virtual == other.virtual && j.id < other.id
}

// append puts a job at the end of the list.
func (l *runQueue) append(j *Job) {
	j.place = onList
	if l.last == nil {
		l.first, l.last = j, j
		return
	}
	j.prev, l.last.follow = l.last, j
	l.last = j
}

// insert puts a job into the heap.
func (l *runQueue) insert(j *Job) {
	l.heap = append(l.heap, j)
	l.up(len(l.heap) - 1)
}

// take takes a job out of wherever it is.
func (l *runQueue) remove(j *Job) {
	place := j.place
	j.place = notListed
	if place == onList {
		if j.prev != nil {
			j.prev.follow = j.follow
		} else {
			l.first = j.follow
		}
		if j.follow != nil {
			j.follow.prev = j.prev
		} else {
			l.last = j.prev
		}
		j.prev, j.follow = nil, nil
		return
	}
	i, end := int(place)-1, len(l.heap)-1
	moved := l.heap[end]
	l.heap[end] = nil
	l.heap = l.heap[:end]
	if i == end {
		return
	}
	l.heap[i] = moved
	l.down(l.up(i))
}

// moved puts a job whose virtual time has changed where it belongs.
func (l *runQueue) fix(j *Job) {
	if j.place == onList {
		l.remove(j)
		l.insert(j)
		return
	}
	if len(l.heap) > 1 {
		l.down(l.up(int(j.place) - 1))
	}
}

// up lets the job at a place of the heap rise, and returns its new place.
func (l *runQueue) up(i int) int {
	j := l.heap[i]
	for i > 0 {
		above := (i - 1) / 2
		if !j.before(l.heap[above]) {
			break
		}
		l.set(i, l.heap[above])
		i = above
	}
	l.set(i, j)
	return i
}

// down lets the job at a place of the heap sink.
func (l *runQueue) down(i int) {
	j := l.heap[i]
	for {
		low := 2*i + 1
		if low >= len(l.heap) {
			break
		}
		if low+1 < len(l.heap) && l.heap[low+1].before(l.heap[low]) {
			low++
		}
		if !l.heap[low].before(j) {
			break
		}
		l.set(i, l.heap[low])
		i = low
	}
	l.set(i, j)
}

func (l *runQueue) set(i int, j *Job) {
	l.heap[i] = j
	j.place = int32(i + 1)
}
