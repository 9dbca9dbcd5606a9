package mp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/proc/host"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// ProcessOption is a ProcessConfig. Of several in one call each adds to those before it: a field, or one of
// Limits, that is not zero replaces what they say.
type ProcessOption interface{ process(*ProcessConfig) }

// ProcessConfig says how Start and Call start a process. What is zero is as in
// this process.
type ProcessConfig struct {
	Name           string        // default Process-N, in a child Process-N:M; for a Runner its type's name, MyProcess-N
	Daemon         bool          // JoinAll does not wait for it, and ends it
	Env            []string      // the whole environment, as in os/exec
	Dir            string        // the working directory
	Stdin          io.Reader     // nil: nothing to read; a terminal cannot be handed over, only read for the process
	Stdout, Stderr io.Writer     // get whole lines as soon as they are complete; nil: os.Stdout and os.Stderr
	QuietCrash     bool          // what the Go runtime prints about a crash is in the error only, not in Stderr as well
	Grace          time.Duration // when Start's ctx ends: between cancelling the Func's ctx and the kill; 0: 1 s; NoGrace: none
	Procs          int           // GOMAXPROCS; 0: as any program starts with
	Limits         Limits
	Propagate      func(ctx context.Context) map[string]string // called with Start's or Call's ctx: what Propagated tells the Func, 4 KiB at most
}

func (c ProcessConfig) process(to *ProcessConfig) {
	merge(reflect.ValueOf(to).Elem(), reflect.ValueOf(c))
}

// merge sets what from has and leaves the rest, in structs field by field.
func merge(to, from reflect.Value) {
	for i := range from.NumField() {
		switch field := from.Field(i); {
		case field.Kind() == reflect.Struct:
			merge(to.Field(i), field)
		case !field.IsZero():
			to.Field(i).Set(field)
		}
	}
}

// complete checks the configuration and fills in the default of Grace.
func (c *ProcessConfig) complete() error {
	if err := checkProcs("ProcessConfig", c.Procs); err != nil {
		return err
	}
	if err := c.Limits.check("ProcessConfig"); err != nil {
		return err
	}
	if err := checkGrace("ProcessConfig", c.Grace); err != nil {
		return err
	}
	c.Grace = graceOf(c.Grace, time.Second)
	return nil
}

// spec is the configuration as package spawn wants it.
func (c *ProcessConfig) spec() spawn.Spec {
	spec := spawn.Spec{
		Name: c.Name, Title: title(c.Name), Env: c.Env, Dir: c.Dir,
		Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr, QuietCrash: c.QuietCrash,
		Procs: c.Procs, Limits: c.Limits.spawn(),
	}
	if c.Limits.Memory > 0 {
		spec.MemoryLimit = gcTarget(c.Limits.Memory)
	}
	return spec
}

// title is how a process is shown by ps.
func title(name string) string { return filepath.Base(os.Args[0]) + ": " + name }

// Start starts a process that calls f with in, as multiprocessing.Process.start.
// It returns when the process runs, a millisecond or two later; f has its own copy of the
// input by then or gets it soon, so in may be changed. What f returns besides an
// error is dropped.
//
// The process ends when f returns, even if it has left goroutines, threads and processes running: let f wait for
// them, by thread.JoinAll and JoinAll.
//
// ctx governs the whole life of the process: when it ends, the ctx of f is
// cancelled, and after Grace the process is killed. ctx's deadline is that of f's
// ctx; its values stay here, but for what ProcessConfig.Propagate makes of them.
//
// A fatal error of the Go runtime ends the process as it would end a program. That
// all goroutines are asleep is found out as long as f has not looked at its ctx,
// and, as in any program, not with cgo, a timer or a handler of signals.
//
// When f fails, its error is printed to the process's stderr, a panic with its stack.
// Lines of up to 64 KiB that several processes print to one destination are never mixed.
//
// The error is ErrNoMain, ctx's error, that of a value that cannot travel,
// errors.ErrUnsupported where there are no processes or no limits on memory, or the
// operating system's. That f is not known over there, or fails, is Join's.
func Start[In, Out any](ctx context.Context, f *Func[In, Out], in In, opts ...ProcessOption) (*Process, error) {
	return startProcess(ctx, f, in, false, opts)
}

// Call calls f in a fresh process and returns its output. When ctx ends it returns at once; the process is asked
// to stop and killed after Grace.
//
// If f fails, or the process ends in any other way, the error is an *ExitError. Errors of Start are returned as
// they are, as is that of a type of output that can never travel. Call does not report printed output that could
// not be written, since its result is there all the same: use Start and Join for that.
func Call[In, Out any](ctx context.Context, f *Func[In, Out], in In, opts ...ProcessOption) (Out, error) {
	var out Out
	p, err := startProcess(ctx, f, in, true, opts)
	if err != nil {
		return out, err
	}
	if err := p.join(ctx); err != nil {
		go p.drop()
		return out, err
	}
	body, files, ok, err := p.call.Output()
	if !ok {
		return out, &ExitError{PID: p.PID(), Err: errors.New("mp: it ended before its Func returned")}
	}
	if err == nil {
		err = f.decode(body, files, &out)
	}
	if err != nil {
		return out, errtext.Errorf("mp: the output of %s: %w", f.name, err)
	}
	return out, nil
}

func startProcess[In, Out any](ctx context.Context, f *Func[In, Out], in In, wanted bool, opts []ProcessOption) (*Process, error) {
	if ctx == nil {
		panic("mp: the ctx is nil: use context.Background() for a process that no ctx ends")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := mayStart(); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, errNilFunc
	}
	if err := f.known(); err != nil {
		return nil, err
	}
	var cfg ProcessConfig
	for _, o := range opts {
		if o != nil {
			o.process(&cfg)
		}
	}
	exitGrace := exitGraceOf(cfg.Grace)
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	carried, err := propagated(ctx, "ProcessConfig", cfg.Propagate)
	if err != nil {
		return nil, err
	}
	body, err := f.ownInput(in, wanted)
	if err != nil {
		return nil, err
	}
	id := nextIdentity()
	cfg.Name = cmp.Or(cfg.Name, cmp.Or(f.runner, "Process")+"-"+id)
	spec := cfg.spec()
	spec.Identity = id
	deadline, _ := ctx.Deadline()
	call, err := host.StartCall(spec, program{}, host.Call{Func: f.name, Input: body, Propagated: carried, Grace: exitGrace}, wanted, deadline)
	if err != nil {
		return nil, err
	}
	if cfg.Limits.Memory > 0 {
		if err := call.WatchMemory(); err != nil {
			call.Signal(syscall.SIGKILL)
			go call.Wait() // reaps it
			return nil, errtext.Errorf("mp: ProcessConfig.Limits.Memory is %d, and the memory of the process cannot be watched: %w", cfg.Limits.Memory, err)
		}
	}
	p := &Process{name: cfg.Name, daemon: cfg.Daemon, call: call, done: make(chan struct{})}
	children.add(p)
	go p.attend(ctx, cfg)
	return p, nil
}

// drop closes the descriptors of an unused output.
func (p *Process) drop() {
	<-p.done
	_, files, _, _ := p.call.Output()
	fdpass.CloseAll(files)
}

// attend waits for the process's end and sees to its limits.
func (p *Process) attend(ctx context.Context, cfg ProcessConfig) {
	stop := context.AfterFunc(ctx, func() {
		p.asked.Do(p.call.Interrupt)
		select {
		case <-p.done:
		case <-shm.After(cfg.Grace):
			p.kill(context.Cause(ctx))
		}
	})
	if cfg.Limits.Memory > 0 {
		go p.watchMemory(cfg.Limits.Memory)
	}
	exit, err := p.call.Wait()
	if p.forced.Load() && !p.shot.Load() && p.killed.Load() == nil && exit.Signal == syscall.SIGKILL {
		exit.Signal, exit.Code, exit.OOMKilled = syscall.SIGTERM, -int(syscall.SIGTERM), false
	}
	p.code = exit.Code
	if exit.Code != 0 || err != nil {
		p.err = &ExitError{PID: p.PID(), Code: exit.Code, Err: err, Reason: exit.Reason, Stderr: exit.Stderr}
		if exit.Signal != 0 {
			p.err.Signal = exit.Signal
		}
		if exit.OOMKilled {
			p.err.Reason = reasonOOM
		}
		if panicked, ok := err.(*PanicError); ok && p.err.Reason == "" {
			p.err.Reason = "panic: " + panicked.Value
		}
		if why := p.killed.Load(); why != nil && (err == nil && exit.Signal == syscall.SIGKILL || exit.Unknown) {
			p.err.Err = *why
		}
	}
	children.remove(p)
	close(p.done)
	stop()
}

// watchMemory kills the process when it holds more than limit bytes.
func (p *Process) watchMemory(limit int64) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
			if used := p.call.Memory(); used > limit {
				p.kill(overMemory(used, limit))
				return
			}
		}
	}
}
