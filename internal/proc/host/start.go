package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Spec says how workers are started.
type Spec struct {
	Spec    spawn.Spec // the shared memory is added to its Files
	Program Program
	Init    Call          // the zero Call: none
	Max     int64         // bytes of one outcome; negative: no limit
	Timeout time.Duration // of the start, Init included
	Exit    Call          // at the worker's end; the zero Call: none
	Grace   time.Duration // of that
}

// Call names a function and has its encoded input.
type Call struct {
	Func string
	// Input has attachments as well. StartCall settles it, Start does not: it is for many
	// workers, and must hold nothing that moves; Release settles it. nil: empty.
	Input *codec.Buffer
	// Propagated is for the ctx of the call, and Grace for what the child does when it has returned: for StartCall.
	Propagated map[string]string
	Grace      time.Duration
}

// Release closes what Init's and Exit's inputs hold, when no more workers will be started.
func (ws *Spec) Release() {
	ws.Init.settle(false)
	ws.Exit.settle(false)
}

func (c *Call) settle(sent bool) {
	if c.Input != nil {
		c.Input.Settle(sent)
	}
}

// input is the bytes of the input.
func (c *Call) input() []byte {
	if c.Input == nil {
		return nil
	}
	return c.Input.Bytes()
}

// Start starts a worker and waits until it is ready for tasks. It answers
// Init's own error, wrapped, when that failed.
func Start(ctx context.Context, ws Spec, sink pool.Sink) (pool.Worker, error) {
	region, err := shm.New("mp-worker", proto.PageSize)
	if err != nil {
		return nil, err
	}
	w := newWorker(ws, proto.NewPage(region), sink)
	ws.Spec.Files = append([]*os.File{region.File()}, ws.Spec.Files...)
	ws.Spec.Lost, ws.Spec.TaskLabel = w.lost, w.taskLabel
	share, err := newSharing(&ws.Spec, ws.Program)
	var proc *spawn.Process
	if err == nil {
		proc, err = spawn.Start(ws.Spec)
	}
	region.CloseFile()
	if err != nil {
		region.Close()
		return nil, err
	}
	w.started(proc, share)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer shm.AfterFunc(ws.Timeout, func() {
		cancel(fmt.Errorf("mp: worker %d was not ready after %v: StartTimeout", ws.Spec.Worker, ws.Timeout))
	})()
	if err = watchable(ws, proc); err == nil {
		err = w.greet(ctx, ws)
	}
	w.handOn(outputPatience) // what Init has printed
	if err != nil {
		w.Kill()
		w.exit()
		w.frames.CloseFiles()
		proc.Conn().Close()
		region.Close()
		return nil, err
	}
	go w.read()
	return w, nil
}

// watchable says why a worker's memory could not be watched, if it has a limit.
func watchable(ws Spec, proc *spawn.Process) error {
	if ws.Spec.MemoryLimit <= 0 {
		return nil
	}
	if err := watched(proc); err != nil {
		return errtext.Errorf("mp: the memory of worker %d cannot be watched, as MaxMemory wants: %w", ws.Spec.Worker, err)
	}
	return nil
}

// greet sends the first frame and waits for the answer.
func (w *Worker) greet(ctx context.Context, ws Spec) error {
	unblock := context.AfterFunc(ctx, func() { w.proc.Conn().SetDeadline(time.Unix(1, 0)) })
	watch := make(chan struct{})
	defer close(watch)
	go func() { // end of file is not certain: something may have got hold of the socket
		select {
		case <-w.proc.Dead():
			w.proc.Conn().SetReadDeadline(time.Now().Add(deathGrace))
		case <-watch:
		}
	}()
	err := w.shakeHands(ws)
	if !unblock() {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return err
}

func (w *Worker) shakeHands(ws Spec) error {
	var hello codec.Buffer
	hello.Byte(proto.HelloWorker)
	w.sharing.hello(&hello)
	hello.String(ws.Init.Func)
	hello.Uint64(uint64(ws.Max))
	hello.Byte(proto.Flag(ws.Spec.Labels()))
	hello.Uint64(uint64(ws.Grace))
	hello.Raw(ws.Init.input())
	if ws.Init.Input != nil {
		hello.CopyAttachments(ws.Init.Input)
	}
	err := frame.Write(w.proc.Conn(), proto.FrameHello, &hello)
	if err == nil && ws.Exit.Func != "" {
		err = w.sendExit(ws.Exit)
	}
	var kind byte
	var payload []byte
	for again := err == nil; again; again = err == nil && kind == proto.FrameShare {
		if kind == proto.FrameShare {
			if err := w.sharing.request(w.frames, payload); err != nil {
				return errtext.Errorf("mp: worker %d broke the protocol while it started: %w", w.number, err)
			}
		}
		kind, payload, err = w.frames.Next(proto.MaxControl)
	}
	switch {
	case err != nil:
		return w.diedEarly(err)
	case kind == proto.FrameReady:
		return nil
	case kind == proto.FrameFailed:
		err := w.program.DecodeError(codec.NewReader(payload))
		if ws.Init.Func != "" {
			err = errtext.Errorf("mp: Init, which is %s: %w", ws.Init.Func, err)
		}
		return &InitError{err}
	}
	return fmt.Errorf("mp: worker %d did not answer as a worker does (frame %d)", w.number, kind)
}

// diedEarly is the error of a worker that died before it was ready.
func (w *Worker) diedEarly(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		select {
		case <-w.proc.Dead():
		default:
			return err // greet knows why
		}
	}
	select {
	case <-w.proc.Dead():
		exit := w.proc.ExitSoon(deathGrace)
		if exit.Code == 0 {
			return fmt.Errorf("mp: worker %d exited before it was ready, in Init or before it came to mp.Main: "+
				"call mp.Main first thing in main, or in TestMain", w.number)
		}
		return errtext.Errorf("mp: worker %d ended before it was ready: %w", w.number, w.program.Died(w.proc.PID(), exit))
	case <-time.After(time.Second):
		return errtext.Errorf("mp: worker %d does not talk: %w", w.number, err)
	}
}

// sendExit tells the worker what it calls at its end.
func (w *Worker) sendExit(exit Call) error {
	var b codec.Buffer
	b.String(exit.Func)
	b.Raw(exit.input())
	if exit.Input != nil {
		b.CopyAttachments(exit.Input)
	}
	return frame.Write(w.proc.Conn(), proto.FrameExit, &b)
}

// InitError is what the pool's Init has failed with.
type InitError struct{ Err error }

// Error is Init's own.
func (e *InitError) Error() string { return e.Err.Error() }

// Unwrap returns Init's own error.
func (e *InitError) Unwrap() error { return e.Err }
