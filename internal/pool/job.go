package pool

import "time"

// Job is what one call submits. The exported fields are set before Submit and not
// changed afterwards. There may be hundreds of thousands of jobs with one task each, so a Job
// is kept small.
type Job struct {
	*Options     // nil: the zero Options
	Func         string
	Client       Client
	Items        int  // tasks known at the start
	Lazy         bool // more may come by Extend, until Seal
	RunsUserCode bool // Deliver runs code of the program, which may take long
	NoWait       bool // it is refused if tasks of it would wait beyond MaxQueued
	Moves        bool // its inputs can be sent only once: see Batch.Moves; a worker may find that out later

	sealed   bool // no more tasks will come
	over     bool // cancelled, or all settled
	finished bool
	active   bool  // has tasks that wait or are at workers
	place    int32 // in the run queue: see notListed
	*extra         // nil: nothing of it is needed

	s          *Scheduler
	estimate   *estimate
	id         uint64 // of its first task: jobs that came later have higher ones
	next       int    // tasks from here on were never sent
	unsettled  int    // tasks without an outcome
	unsent     int    // tasks that wait in the run queue
	inflight   int32  // tasks at workers
	delivering int32  // Deliver calls under way, in tasks
	sending    int32  // batches with tasks of this job that are being sent
	encoding   int32  // batches with tasks of this job whose inputs are being encoded
	virtual    int64  // its virtual time, see fair.go
	charged    int64  // of that, what tasks at workers were charged in advance

	links [listKinds]jobLinks
}

// extra is the state that few jobs need.
type extra struct {
	putBack       spans           // tasks that wait again: taken back, or to be tried again
	inBackOff     map[int]*retry  // tasks that wait for their back-off, by index
	slowReads     int             // how often a batch of it was taken back from a worker that did not read it in time
	unbegun       map[int]int     // how many workers did not begin a task, by its index
	readDeaths    int             // workers in a row that died while they read an input of it
	encodingDone  chan struct{}   // closed when encoding reaches 0; nil: nothing waits for that
	compensations []*compensation // for tasks that wait for it
	why           error           // why it was cancelled
	worker        *member         // the only one that may run it; nil: any. See pinned.go
	blocks        []uint64        // of a lazy job: where the ids of its further tasks begin
}

// cause returns why the job was cancelled; nil: it was not.
func (j *Job) cause() error {
	if j.extra == nil {
		return nil
	}
	return j.why
}

// needExtra returns the extra state, to be changed.
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
	Chunk      int // tasks sent at a time, 65,536 at most; 0: as measured
	Retries    int
	Backoff    Backoff
	FailFast   bool
	Capture    int               // bytes of each stream to keep; 0: none
	Propagated map[string]string // to the ctx of each task; nil: nothing
	Measure    bool              // time, CPU and memory of each task are measured
}

var noOptions Options

// NoOptions returns the options of a plain job.
func NoOptions() *Options { return &noOptions }

// Plain reports whether the job has no options.
func (j *Job) Plain() bool { return j.Options == &noOptions }

// Outcome says how tasks of a job ended: one task that failed, Count consecutive tasks that were cancelled before
// they were begun (Attempts may be 0), or Count consecutive tasks that succeeded, with what the transport returned.
type Outcome struct {
	First, Count int
	Payload      []byte
	Owned        bool // Payload stays valid
	Value        any
	Attached     Attached
	Err          error
	Attempts     int
	PID          int
	ID           uint64 // of the first task; the others have the following ones, except in a lazy job
	Measure      *Measure
}

// Attached is what came with an outcome, such as descriptors. It is dropped if the outcome is not used.
type Attached interface{ Drop() }

// Backoff says how long to wait before the next attempt.
type Backoff struct {
	Min, Max time.Duration
	Factor   float64
	Jitter   float64
}

// cut takes up to n of the tasks that wait to be sent.
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

// putBackSpan makes tasks that were cut wait again, before those that were never sent.
func (j *Job) putBackSpan(sp Span) {
	j.needExtra().putBack.push(sp)
	j.unsent += sp.N
}

// spans is a heap of disjoint spans, the earliest on top. When a service that the
// tasks need is down, all of a million may wait again.
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
