package pool

import "time"

// Job is what one call submits. The fields are set before Submit and not
// changed afterwards. There may be hundreds of thousands with one task each, so it
// is kept small.
type Job struct {
	*Options     // nil: the zero Options
	Func         string
	Client       Client
	Items        int  // tasks known at the start
	Lazy         bool // more may come by Extend, until Seal
	RunsUserCode bool // Deliver runs code of the program's, which may take its time
	NoWait       bool // it is refused where tasks of it would wait beyond MaxQueued
	Moves        bool // inputs can be sent only once: see Batch.Alone; a worker may find that out later

	sealed   bool // no more tasks will come
	over     bool // cancelled, or all settled
	finished bool
	active   bool  // has tasks that wait or are at workers
	place    int32 // in the ready list
	*extra         // nil: none of it is needed

	s          *Scheduler
	estimate   *estimate
	id         uint64 // of its first task: jobs that came later have higher ones
	next       int    // tasks from here on were never sent
	unsettled  int    // tasks without an outcome
	unsent     int    // tasks that wait in the ready list
	inflight   int32  // tasks at workers
	delivering int32  // Deliver calls under way, in tasks
	sending    int32  // batches with tasks of this job that are being sent
	encoding   int32  // batches with tasks of this job whose inputs are being read
	virtual    int64  // its virtual time, see fair.go
	charged    int64  // of that, for tasks at workers

	prev, follow *Job // there
	older, newer *Job // among the open ones
}

// seldom is what most jobs have no use for.
type extra struct {
	putBack       spans           // tasks that came back: called back, or to be tried again
	inBackOff     map[int]*retry  // tasks that wait for their back-off, by index
	slowReads     int             // times that it was called back from a worker that did not read it
	unbegun       map[int]int     // workers that did not begin a task, by its index
	readDeaths    int             // workers in a row that died while they read an input of it
	encodingDone  chan struct{}   // closed when reading reaches 0, if somebody waits
	compensations []*compensation // the places of tasks that wait for it
	why           error           // it was cancelled
	worker        *member         // that it is for; nil: any. See pinned.go
	blocks        []uint64        // of a lazy job: where the numbers of its further tasks begin
}

// cause is why the job was cancelled; nil: it was not.
func (j *Job) cause() error {
	if j.extra == nil {
		return nil
	}
	return j.why
}

// rare is for who changes something of it.
func (j *Job) needExtra() *extra {
	if j.extra == nil {
		j.extra = new(extra)
	}
	return j.extra
}

// Options say how the tasks of a job are treated. Jobs may share them.
type Options struct {
	Timeout    time.Duration
	Deadline   time.Time // of the caller's ctx; zero: none
	Priority   int
	Chunk      int // tasks handed over at a time, 65,536 at most; 0: as measured
	Retries    int
	Backoff    Backoff
	FailFast   bool
	Capture    int               // bytes of each stream to keep; 0: none
	Propagated map[string]string // to the ctx of each task; nil: nothing
	Measure    bool              // time, CPU and memory of each task are wanted
}

var noOptions Options

// NoOptions are those of a plain job.
func NoOptions() *Options { return &noOptions }

// Plain says that there is nothing to know of how the job's tasks are treated.
func (j *Job) Plain() bool { return j.Options == &noOptions }

// Outcome is how tasks of a job ended: one that failed, Count in a row that were cancelled before they
// were begun (Attempts may be 0), or Count in a row that succeeded, with what the transport brought back.
type Outcome struct {
	First, Count int
	Payload      []byte
	Owned        bool // Payload stays valid
	Value        any
	Attached     Attached
	Err          error
	Attempts     int
	PID          int
	ID           uint64 // of the first task; those of the others follow, but for a lazy job
	Measure      *Measure
}

// Attached is what came with an outcome and has to be let go if nobody takes it.
type Attached interface{ Drop() }

// Backoff says how long to wait before the next attempt.
type Backoff struct {
	Min, Max time.Duration
	Factor   float64
	Jitter   float64
}

// cut takes up to n tasks off those that wait to be sent.
func (j *Job) cut(n int) Span {
	if j.extra != nil && len(j.putBack) > 0 {
		out := j.putBack.cut(n)
		j.unsent -= out.N
		return out
	}
	n = min(n, j.Items-j.next)
	out := Span{Job: j, First: j.next, N: n, Attempt: 1}
	j.next += n
	j.unsent -= n
	return out
}

// giveBack makes tasks that were cut off wait again, before those never sent.
func (j *Job) putBackSpan(sp Span) {
	j.needExtra().putBack.push(sp)
	j.unsent += sp.N
}

// spans is a heap of disjoint spans, the earliest on top. When a service that the
// tasks need is down, all of a million may come back.
type spans []Span

func (h *spans) push(sp Span) {
	s := append(*h, sp)
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if s[up].First < sp.First {
			break
		}
		s[i], i = s[up], up
	}
	s[i] = sp
	*h = s
}

// cut takes up to n tasks off the top.
func (h *spans) cut(n int) Span {
	s := *h
	out := s[0]
	if out.N > n {
		out.N = n
		s[0].First += n
		s[0].N -= n
		return out // still the earliest: spans are disjoint
	}
	end := len(s) - 1
	sp := s[end]
	s[end] = Span{}
	s = s[:end]
	*h = s
	if end == 0 {
		*h = nil
		return out
	}
	i := 0
	for {
		low := 2*i + 1
		if low >= end {
			break
		}
		if low+1 < end && s[low+1].First < s[low].First {
			low++
		}
		if sp.First < s[low].First {
			break
		}
		s[i], i = s[low], low
	}
	s[i] = sp
	return out
}

// openJobs lists the jobs that have not ended, oldest first.
type openJobs struct{ first, last *Job }

func (o *openJobs) add(j *Job) {
	j.older = o.last
	if o.last != nil {
		o.last.newer = j
	} else {
		o.first = j
	}
	o.last = j
}

func (o *openJobs) remove(j *Job) {
	if j.older != nil {
		j.older.newer = j.newer
	} else {
		o.first = j.newer
	}
	if j.newer != nil {
		j.newer.older = j.older
	} else {
		o.last = j.older
	}
	j.older, j.newer = nil, nil
}
