package pool

import "time"

// While a batch is sent, its inputs are encoded. They are the
// caller's memory, which the caller may change as soon as the call returns. So
// no call ends while its inputs are being encoded, not even one that was cancelled.

// encoded notes that the inputs of a batch were encoded.
func (s *Scheduler) encoded(b *Batch) {
	s.mu.Lock()
	var ended []*Job
	for i := range b.Spans {
		ended = s.doneEncoding(b.Spans[i].Job, 1, ended)
	}
	s.mu.Unlock()
	s.finish(ended...)
}

// doneEncoding notes that n batches with inputs of a job are encoded, and adds the job to
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

// encodeTimeout is how long a cancelled call waits for its inputs to be encoded. Nothing can stop
// a marshaler of the program, which may never return.
const encodeTimeout = 5 * time.Second

// giveUpEncoding ends a cancelled job whose inputs are still being encoded.
func (s *Scheduler) giveUpEncoding(j *Job) {
	s.mu.Lock()
	ended := s.doneEncoding(j, j.encoding, nil)
	s.mu.Unlock()
	s.finish(ended...)
}

// EncodingDone returns a channel that is closed as soon as no input of a cancelled job is
// being encoded; nil if that is so now.
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
