package host

import (
	"fmt"
	"os"
	"sync"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Descriptors go over the socket along with frames: see frame.Write. Inputs that have some
// are sent one by one, so that the worker takes those of an item when it begins it, and closes
// those of items that it never begins. Outcomes that have some never go through the ring.

// Attached are the descriptors of an outcome, as pool.Outcome has them.
type Attached []*os.File

// Drop implements pool.Attached.
func (a Attached) Drop() { fdpass.CloseAll(a) }

// sharing is what the program has to know about a child because processes share objects: what it
// asks for, and, once, that it is dead.
type sharing struct {
	once   sync.Once
	sharer Sharer
	proc   *spawn.Process
}

// newSharing adds to a child's descriptors the one that it needs for sharing.
func newSharing(spec *spawn.Spec, p Program) (*sharing, error) {
	s, err := p.Share()
	if err != nil {
		return nil, err
	}
	if table := s.Table(); table != nil {
		spec.Files = append([]*os.File{table}, spec.Files...)
	}
	return &sharing{sharer: s}, nil
}

// hello tells the child what it needs for sharing.
func (s *sharing) hello(b *codec.Buffer) {
	b.Byte(proto.Flag(s.sharer.Table() != nil))
	b.Uint64(s.sharer.Key())
}

// request hands a request of the child over, the frame that was read last. A request whose
// descriptor was lost is dropped; one that is malformed is an error.
func (s *sharing) request(frames *frame.Reader, payload []byte) error {
	files, lost := frames.Files()
	key, name, err := proto.ReadShare(payload)
	if err == nil && len(files) > 1 {
		err = fmt.Errorf("mp: a malformed share frame: %d descriptors", len(files))
	}
	if err != nil || lost != nil {
		fdpass.CloseAll(files)
		return err
	}
	q := proctable.Request{Key: key, Name: name}
	if len(files) == 1 {
		q.PIDFD = files[0]
	}
	s.sharer.Request(s.proc.PID(), q)
	return nil
}

// markDead returns when the program has been told that the child is dead.
func (s *sharing) markDead() { s.once.Do(func() { s.sharer.MarkDead(s.proc.PID()) }) }
