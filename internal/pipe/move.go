package pipe

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Share writes this end to a message and attaches its socket. From then on methods return
// carrier.ErrEndClosed; goroutines that were waiting have taken nothing. When the message is sent
// that is final; when it is given up, this end is as before. What was read ahead, and what is
// still to be sent of a message that was given up, goes along. Share waits for nothing that can
// take long.
func (e *End) Share(b *codec.Buffer) error {
	e.mu.Lock()
	if e.state != open {
		e.mu.Unlock()
		return carrier.ErrEndClosed
	}
	e.state = moving
	e.receiving.deadline(pastDeadline)
	e.sending.deadline(pastDeadline)
	e.stopPollers()
	e.mu.Unlock()
	<-e.receiving.turn
	<-e.sending.turn
	defer e.receiving.endTurn()
	defer e.sending.endTurn()

	b.Byte(byte(carrier.KindPipe))
	b.Attach(codec.Attachment{File: e.file, Settled: e.moved})
	stream, sets := e.rx.in.replay()
	along := 1
	for _, s := range sets {
		along += len(s.Files)
	}
	if along > fdpass.Max {
		return fmt.Errorf("mp: a pipe's end cannot be sent while a message with %d descriptors of open files and shared objects waits in it, because at most %d can travel with one value, the end's own included: receive the message first", along-1, fdpass.Max)
	}
	b.Byte(byte(e.mode))
	b.Raw(stream)
	b.Raw(e.tx.pending)
	b.Uvarint(uint64(len(sets)))
	for _, s := range sets {
		cut := uint64(0)
		if s.Lost {
			cut = 1
		}
		b.Uvarint(uint64(len(s.Files))<<1 | cut)
		for _, f := range s.Files {
			b.Attach(codec.Attachment{File: f})
		}
	}
	return nil
}

// moved is called when the message that this end is in was sent or given up.
func (e *End) moved(sent bool) {
	e.mu.Lock()
	if sent || e.closeAfterMove {
		e.state = closed
		e.endWatches()
		e.mu.Unlock()
		e.release()
		if sent {
			collectInFlight()
		}
		return
	}
	e.state = open
	e.receiving.deadline(time.Time{})
	e.sending.deadline(time.Time{})
	e.startPollers()
	e.mu.Unlock()
	e.resume()
}

// resume goes on with what is still to be sent, if there is something.
func (e *End) resume() {
	select {
	case <-e.sending.turn:
		e.finishSend()
	default: // the goroutine that has the turn will
	}
}

func init() {
	carrier.RegisterOpener(carrier.KindPipe, func(r *codec.Reader) (carrier.Object, error) {
		e, err := Adopt(r)
		if err != nil {
			return nil, err
		}
		return e, nil
	})
}

// Adopt makes the end that Share wrote, behind its kind.
func Adopt(r *codec.Reader) (*End, error) {
	f := r.TakeFile()
	if f == nil {
		return nil, r.Err()
	}
	mode := Mode(r.Byte())
	stream, rest := append([]byte(nil), r.Raw()...), append([]byte(nil), r.Raw()...)
	var in assembler
	in.buf, in.w = stream, len(stream)
	for range r.Uvarint() {
		if r.Err() != nil {
			break
		}
		n := r.Uvarint()
		s := fdpass.Set{Lost: n&1 != 0}
		for range n >> 1 {
			file := r.TakeFile()
			if file == nil {
				break
			}
			s.Files = append(s.Files, file)
		}
		in.sets = append(in.sets, s)
	}
	err := r.Err()
	if err == nil && (mode == 0 || mode > Receives|Sends || len(rest) > headerSize+maxChunk+1) {
		err = errors.New("not an end of a pipe")
	}
	if err != nil {
		f.Close()
		in.discard()
		return nil, err
	}
	return newMovedEnd(f, mode, in, rest)
}

func newMovedEnd(f *os.File, mode Mode, in assembler, rest []byte) (*End, error) {
	own, err := adoptSocket(f)
	if err != nil {
		in.discard()
		return nil, fmt.Errorf("receiving an end of a pipe: %w", err)
	}
	e, err := newEnd(own, mode)
	if err != nil {
		own.Close()
		in.discard()
		return nil, err
	}
	e.rx.in = in
	if len(rest) > 0 {
		e.tx.pending = rest
		e.resume()
	}
	return e, nil
}

// pollable says whether waiting for the file ties up no thread.
func pollable(f *os.File) bool { return f.SetDeadline(time.Time{}) == nil }
