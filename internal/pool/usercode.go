package pool

import (
	"bytes"
	"errors"
)

// offloadUserCode delivers outcomes whose Deliver runs code of the program on another goroutine,
// and returns the others. The goroutine that reports for the worker must not wait for such code:
// it would not notice the worker's death. The number of these goroutines is limited
// until the worker is killed or dies.
func (m *member) offloadUserCode(due []delivery) (others []delivery) {
	if !anyUserCode(due) {
		return due
	}
	var theirs []delivery
	others = due[:0]
	for _, d := range due {
		if !d.runsUserCode() {
			others = append(others, d)
			continue
		}
		if !d.out.Owned {
			d.out.Payload, d.out.Owned = bytes.Clone(d.out.Payload), true
		}
		theirs = append(theirs, d)
	}
	slot := m.decoding
	select {
	case slot <- struct{}{}:
	case <-m.quit:
		slot = nil
	}
	go func() {
		if slot != nil {
			defer func() { <-slot }()
		}
		m.s.deliverEach(theirs)
	}()
	return others
}

// runsUserCode reports whether the delivery of an outcome runs code of the program.
func (d *delivery) runsUserCode() bool { return d.job.RunsUserCode && d.out.Payload != nil }

func anyUserCode(due []delivery) bool {
	for i := range due {
		if due[i].runsUserCode() {
			return true
		}
	}
	return false
}

// Dead implements Sink.
func (m *member) Dead() {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.stopDecoding()
}

// stopDecoding ends all waits for goroutines that decode.
func (m *member) stopDecoding() {
	if !m.quitClosed {
		m.quitClosed = true
		close(m.quit)
	}
}

// deliverEach delivers outcomes one by one. If code of the program ends the
// goroutine, that is the outcome, and another goroutine goes on.
func (s *Scheduler) deliverEach(due []delivery) {
	next := 0
	defer func() {
		if next == len(due) {
			return
		}
		out := &due[next].out
		out.Payload, out.Err = nil, errExit
		s.deliver(due[next : next+1])
		go s.deliverEach(due[next+1:])
	}()
	for next < len(due) {
		s.deliver(due[next : next+1])
		next++
	}
}

// errExit is for an output whose decoding ended its goroutine.
var errExit = errors.New("mp: the output cannot be decoded: its UnmarshalBinary called runtime.Goexit")

// maxDecoding is how many goroutines may decode what one worker has sent.
const maxDecoding = 16
