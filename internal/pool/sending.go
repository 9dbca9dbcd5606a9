package pool

import (
	"errors"
	"runtime"
	"time"
)

// serve is the sender: a goroutine for each worker that sends it batches
// until it is gone.
func (m *member) serve() {
	for range m.wakeup {
		m.sendAll()
	}
}

// sendAll sends as long as there is something to send.
func (m *member) sendAll() {
	var b *Batch
	defer func() {
		if b != nil { // code of the program that encodes an input has ended this goroutine
			m.unsendable(b)
		}
	}()
	here, _ := m.w.(Inline)
	for b = m.next(); b != nil; b = m.next() {
		sent := b
		m.handed(b, m.w.Send(b, func() { m.s.encoded(sent) }))
		if here != nil {
			b = nil
			here.Run(sent, m.resumeSending)
		}
	}
}

// resumeSending goes on in place of a goroutine that a task has ended.
func (m *member) resumeSending() {
	m.sendAll()
	m.serve()
}

// next returns the batch that is sent next; nil if there is nothing to send now.
func (m *member) next() *Batch {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.awake && s.queues.items > 0 { // it has something to do: others may be about to submit more, to be sent along
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if m.waking {
		m.waking = false
		s.waking--
	}
	b := s.nextBatch(m)
	if b == nil {
		m.parked = true
		s.nothingToSend(m)
		return nil
	}
	m.parked = false
	m.sending, m.sendSince = b, time.Now()
	for i := range b.Spans {
		b.Spans[i].Job.sending++
		b.Spans[i].Job.encoding++
	}
	return b
}

// handed notes that a batch was sent, and its size in bytes.
func (m *member) handed(b *Batch, size int64) {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	m.notSending(b)
	if len(m.batches) > 0 && m.batches[0] == b {
		m.headSince = time.Now()
	}
	b.estimate.addSize(b.items, size)
	if b.timed && !m.dead {
		s.watchTimeouts(m) // while it was being sent, it was given more time
	}
}

// notSending notes that a batch is not being sent any more.
func (m *member) notSending(b *Batch) {
	m.sending = nil
	for i := range b.Spans {
		b.Spans[i].Job.sending--
	}
}

// Unsent implements Sink.
func (m *member) Unsent(b *Batch, from int, moves bool) {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.dead {
		return // they wait again already
	}
	if sp, _ := b.At(from); moves && sp != nil {
		sp.Job.Moves = true
	}
	if s.takeBack(m, b, from) > 0 {
		s.wakeSenders(s.queues.items)
	}
}

// unsendable settles a batch with an input that cannot be encoded, and cannot be told from the
// others. It replaces the worker, which waits for the batch.
func (m *member) unsendable(b *Batch) {
	s := m.s
	s.mu.Lock()
	m.notSending(b)
	m.w.Limit(b, 0)
	var due []delivery
	for b.done < b.limit {
		sp, at := b.advance(1)
		s.addOutstanding(m, b, -1)
		s.notInFlight(sp.Job, 1, b)
		if sp.Job.over {
			continue
		}
		out := Outcome{First: sp.First + at, Count: 1, Attempts: sp.Attempt, PID: m.pid, ID: sp.Job.taskID(sp.First + at), Err: errNotEncoded}
		due = s.failed(sp.Job, out, m.n, true, due)
	}
	s.kill(m, errNotEncoded)
	s.mu.Unlock()
	s.encoded(b)
	s.deliver(due)
}

// errNotEncoded is for all inputs of a batch one of which has ended its sender.
var errNotEncoded = errors.New("mp: the input, or one sent with it, cannot be encoded: its MarshalBinary called runtime.Goexit")
