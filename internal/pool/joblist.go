package pool

// jobList is a linked list of jobs whose links are part of the jobs. internal/list would take
// twice the memory: there may be hundreds of thousands of jobs.
type jobList struct {
	kind        listKind
	first, last *Job
}

// listKind says which of its links a job has for a list.
type listKind int

const (
	openList    listKind = iota // the jobs that have not ended, oldest first
	waitingList                 // jobs in a run queue, in the order in which they came
	listKinds
)

// jobLinks are the neighbours of a job in one list.
type jobLinks struct{ prev, next *Job }

// next returns the job behind j in a list; nil if j is the last.
func (l *jobList) next(j *Job) *Job { return j.links[l.kind].next }

// append puts a job at the end.
func (l *jobList) append(j *Job) {
	j.links[l.kind].prev = l.last
	if l.last != nil {
		l.last.links[l.kind].next = j
	} else {
		l.first = j
	}
	l.last = j
}

// remove takes a job off that is on the list.
func (l *jobList) remove(j *Job) {
	at := &j.links[l.kind]
	if at.prev != nil {
		at.prev.links[l.kind].next = at.next
	} else {
		l.first = at.next
	}
	if at.next != nil {
		at.next.links[l.kind].prev = at.prev
	} else {
		l.last = at.prev
	}
	*at = jobLinks{}
}
