package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/task"
)

// exitCall is what a worker calls at its end.
type exitCall struct {
	name  string
	input *codec.Reader
	lost  error // why the descriptors of the input did not come
}

// setExit takes the parent's frame.
func (s *server) setExit(payload []byte) {
	files, lost := s.frames.Files()
	r := codec.NewReader(payload)
	r.Alias = true
	r.Attached(files)
	e := &exitCall{name: r.String()}
	var err error
	if e.input, err = proto.CloseInput(proto.FrameExit, r); err != nil {
		s.lost(err)
	}
	if lost != nil {
		e.lost = errtext.Errorf("mp: the input has lost what it holds: %w", lost)
	}
	s.exit = e
}

// leaving is how long after its grace an Exit that does not heed its ctx is waited for.
const leaving = 50 * time.Millisecond

// leave is the end of a worker that was asked to end: the ctx of Init ends, Exit is called, and what the program
// has registered for the end of the process.
func (s *server) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	s.endLife()
	if e := s.exit; e != nil {
		done := make(chan error, 1)
		go func() {
			err := e.lost
			if err == nil {
				_, _, err = s.once(ctx, e.name, e.input)
			}
			done <- err
		}()
		if err := await(ctx, done, s.grace); err != nil {
			fmt.Fprintf(os.Stderr, "%s: Exit: %s\n", s.self.Name, task.Text(err))
			var b codec.Buffer
			s.program.EncodeError(&b, err)
			s.write(proto.FrameExit, &b)
		}
	}
	s.program.Leave(ctx)
}

// await waits for the end of Exit, and a moment longer than its ctx says.
func await(ctx context.Context, done <-chan error, grace time.Duration) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(leaving):
		return errors.New("mp: it did not return within " + grace.String() + ", PoolConfig.Grace, and was left alone")
	}
}

// leaveCall is the end of a child that was started for one call, whose function has returned.
func (s *server) leaveCall() {
	ctx, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	s.program.Leave(ctx)
}
