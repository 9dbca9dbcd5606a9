package pool

import "time"

// While a batch is made ready for its worker, the inputs are read: they are the
// caller's memory, and when the call has its outcome the caller may change them. So
// no call ends while they are being read, also when it was cancelled.

// wereRead notes that the inputs of a batch were read.
func (s *Scheduler) encoded(b *Batch) {
	s.mu.Lock()
	var ended []*Job
	for i := range b.Spans {
		ended = s.doneEncoding(b.Spans[i].Job, 1, ended)
	}
	s.mu.Unlock()
	s.finish(ended...)
}

// letGo notes that n of those who read a job's inputs are through, and adds the job to
// ended if it waited for them.
func (s *Scheduler) doneEncoding(j *Job, n int32, ended []*Job) []*Job {
	if n = min(n, j.encoding); n == 0 {
		return ended // given up before
	}
	if j.encoding -= n; j.encoding > 0 {
		return ended
	}
	if j.extra != nil && j.encodingDone != nil {
		close(j.encodingDone)
		j.encodingDone = nil
	}
	if s.checkFinished(j) {
		ended = append(ended, j)
	}
	return ended
}

// readingPatience is how long a cancelled call waits for its inputs to be read. That
// takes as long as it takes to encode them, which nothing can stop: a marshaler of the
// program's may wait for ever.
const encodeTimeout = 5 * time.Second

// giveUpReading ends a cancelled job whose inputs are still being read.
func (s *Scheduler) giveUpEncoding(j *Job) {
	s.mu.Lock()
	ended := s.doneEncoding(j, j.encoding, nil)
	s.mu.Unlock()
	s.finish(ended...)
}

// Released returns a channel that is closed when no input of a cancelled job is
// being read any more; nil when none is.
func (s *Scheduler) EncodingDone(j *Job) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.encoding == 0 {
		return nil
	}
	if j.needExtra().encodingDone == nil {
		j.encodingDone = make(chan struct{})
	}
	return j.encodingDone
}
