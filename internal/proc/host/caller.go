package host

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Caller is the parent's end of a child that was started for one call.
type Caller struct {
	program Program
	proc    *spawn.Process
	sharing *sharing
	wanted  bool
	writing sync.Mutex
	losses  losses

	begun  bool       // the function was called
	output []byte     // what the function returned
	files  []*os.File // and the descriptors with it
	lost   error      // why they did not come
	ended  bool       // it has returned
	failed error      // what it returned instead
}

// StartCall starts a child that calls one function. wanted says that its output
// is to be sent back. It returns when the child runs; the input is sent behind it.
func StartCall(spec spawn.Spec, program Program, call Call, wanted bool, deadline time.Time) (*Caller, error) {
	c := &Caller{program: program, wanted: wanted}
	spec.Lost = c.losses.add
	share, err := newSharing(&spec, program)
	var proc *spawn.Process
	if err == nil {
		proc, err = spawn.Start(spec)
	}
	if err != nil {
		call.settle(false)
		return nil, err
	}
	share.proc = proc
	c.proc, c.sharing = proc, share
	var hello codec.Buffer
	hello.Byte(proto.HelloCall)
	share.hello(&hello)
	hello.String(call.Func)
	hello.Byte(proto.Flag(wanted))
	hello.Uint64(uint64(proto.Deadline(deadline)))
	proto.AppendPropagated(&hello, call.Propagated)
	hello.Uint64(uint64(call.Grace))
	hello.Raw(call.input())
	if call.Input != nil {
		hello.TakeAttachments(call.Input)
	}
	c.writing.Lock() // the first frame
	go func() {
		defer c.writing.Unlock()
		attached := len(hello.Attachments()) > 0
		err := frame.Write(proc.Conn(), proto.FrameHello, &hello) // Wait sees that it is dead
		hello.Settle(err == nil)
		if err != nil && attached {
			proc.Kill() // or that it should be: a part of the frame may be there
		}
	}()
	return c, nil
}

// PID is the child's number.
func (c *Caller) PID() int { return c.proc.PID() }

// WatchMemory says why Memory could not tell, now and later. A child that has ended need not be watched.
func (c *Caller) WatchMemory() error { return watched(c.proc) }

// watched looks at the memory of a child for the first time, which keeps what later looks need.
func watched(proc *spawn.Process) error {
	if _, err := proc.Memory(); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, os.ErrNotExist) {
		return err
	} else if err != nil {
		select {
		case <-proc.Dead():
		default:
			return err
		}
	}
	return nil
}

// Memory is what the child holds, in bytes; 0 when that is not known.
func (c *Caller) Memory() int64 {
	n, err := c.proc.Memory()
	if err != nil {
		return 0
	}
	return n
}

// Signal signals the child's process group.
func (c *Caller) Signal(sig syscall.Signal) error { return c.proc.Signal(sig) }

// Interrupt asks the function to stop. It does not wait.
func (c *Caller) Interrupt() {
	go func() {
		c.writing.Lock()
		defer c.writing.Unlock()
		frame.Write(c.proc.Conn(), proto.FrameCancel, proto.Empty) // an error: it is dead, then
	}()
}

// outputWait is how long what a dead child has printed may take to be passed on: a
// writer that never returns must not keep it alive.
const outputWait = time.Second

// Wait waits until the child has ended. The error is what its function failed
// with, if it came to say so, or why it cannot have ended well. It is called once.
func (c *Caller) Wait() (spawn.Exit, error) {
	gone := make(chan struct{})
	go func() {
		select {
		case <-c.proc.Dead():
			c.sharing.markDead()
			c.proc.Conn().SetReadDeadline(time.Now().Add(deathGrace)) // an error: it is closed, which is as good
		case <-gone:
		}
	}()
	if err := c.read(); err != nil {
		c.proc.Kill() // it does not make sense any more
		c.failed = errtext.Errorf("mp: it was killed because it broke the protocol: %w", err)
	}
	close(gone)
	exit := c.proc.ExitSoon(outputWait)
	c.sharing.markDead()
	c.proc.Conn().Close()
	return c.verdict(exit)
}

// StatusTaken says why it is not known how a process ended.
const StatusTaken = "its exit status was taken by something else in this program, such as a wait for any child"

// verdict is how the child ended, by its exit code and by what it has said.
func (c *Caller) verdict(exit spawn.Exit) (spawn.Exit, error) {
	switch {
	case c.failed != nil || exit.Signal != 0:
	case exit.Unknown && c.ended:
		exit.Code = 0 // what it has said is enough
	case exit.Unknown:
		c.failed = errors.New("mp: " + StatusTaken)
	case exit.Code == 0 && !c.begun:
		c.failed = errors.New("mp: it ended before it came to mp.Main: call mp.Main first thing in main, or in TestMain")
	}
	return exit, c.failed
}

// read takes what the child sends until its socket is at its end. The error says
// that it does not speak as a child does.
func (c *Caller) read() error {
	frames := frame.NewReader(fdpass.NewSocket(c.proc.Conn()))
	defer frames.CloseFiles()
	for {
		kind, payload, err := frames.Next(proto.AnySize)
		var bad *frame.Error
		if errors.As(err, &bad) {
			return err
		}
		if err != nil {
			return nil // it is dead, or something reads no more
		}
		switch kind {
		case proto.FrameBegun:
			c.begun = true
		case proto.FrameOutput:
			if c.ended {
				return errors.New("it returned twice")
			}
			c.output, c.ended = proto.Keep(payload), true
			if c.wanted {
				c.files, c.lost = frames.Files()
			}
		case proto.FrameFailed:
			c.failed = c.program.DecodeError(codec.NewReader(payload))
		case proto.FrameShare:
			if err := c.sharing.request(frames, payload); err != nil {
				return err
			}
		}
	}
}

// Output is what the function returned: ok says that it has. The descriptors that came with it are
// the caller's. It is called once, after Wait.
func (c *Caller) Output() (body []byte, files []*os.File, ok bool, err error) {
	if c.lost != nil {
		return nil, nil, c.ended, errtext.Errorf("mp: the output has lost what it holds: %w", c.lost)
	}
	return c.output, c.files, c.ended, nil
}
