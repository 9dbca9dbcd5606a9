//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drainTimeout bounds the wait for the output of a dead child if a process outside its killed
// group still holds the pipes.
const drainTimeout = 250 * time.Millisecond

// Process is a started child. Its methods are safe for concurrent use.
type Process struct {
	pid        int
	conn       *os.File
	stdout     *stream
	stderr     *stream
	tail       *tail
	captures   *captures
	poller     *outputPoller
	joined     bool // stderr shares the pipe of stdout
	crashOnce  sync.Once
	crash      string // set by crashOnce
	exited     chan struct{}
	done       chan struct{}
	exit       Exit // complete when done is closed
	reapedExit Exit // without the output, set when the child is reaped; guarded by mu

	// mu orders signals and inspections before the reaping: while it is held and reaped is false,
	// pid refers to this child.
	mu        sync.Mutex
	reaped    bool
	killed    bool     // by this program
	pidfd     int      // -1: not available
	pidfdFile *os.File // pidfd in the netpoller, which then closes it
	statm     statm
	io        *childIO
	oom       oomWatch
}

func newProcess(pid, pidfd int, pl *childIO, nonce string) *Process {
	p := &Process{
		pid: pid, pidfd: pidfd, io: pl, conn: pl.conn, poller: pl.poller, statm: noStatm,
		captures: new(captures),
		tail:     new(tail),
		exited:   make(chan struct{}),
		done:     make(chan struct{}),
	}
	p.stdout = newStream(pl.stdout, 0, nonce, p.captures)
	p.stderr = newStream(pl.stderr, 1, nonce, p.captures)
	return p
}

// run starts the goroutines that serve the child.
func (p *Process) run(spec *Spec, w writers) {
	p.joined = w.joined
	for i, s := range []*stream{p.stdout, p.stderr} {
		s.sink = newSink(w.to[i], []io.Writer{spec.Stdout, spec.Stderr}[i], spec)
		if i == 1 || p.joined {
			s.tail = p.tail
			if spec.QuietCrash {
				s.crash = &crashFilter{pipe: p.io.crash}
			}
		}
		go s.run()
	}
	if p.io.stdin != nil {
		go p.io.copyStdin(spec.Stdin)
	}
	// Only wait reaps the child, so it can still be inspected.
	p.oom = watchOOM(p.pid)
	go p.wait()
}

func (p *Process) PID() int              { return p.pid }
func (p *Process) Conn() *os.File        { return p.conn }
func (p *Process) Dead() <-chan struct{} { return p.exited }
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit returns how the process ended. It is zero before Done is closed.
func (p *Process) Exit() Exit {
	select {
	case <-p.done:
		return p.exit
	default:
		return Exit{}
	}
}

// wait waits for the end of the child and cleans up after it.
func (p *Process) wait() {
	p.killGroupAndReap(p.waitExit())
	close(p.exited)
	removeChild()
	p.awaitOutput()
	p.exit = p.withOutput(p.exit)
	p.poller.close()
	close(p.done)
}

// exitCodeRace is the exit code of a program in which the race detector reported something.
const exitCodeRace = 66

// withOutput adds what the output of the dead child tells, as far as it was read.
func (p *Process) withOutput(e Exit) Exit {
	e = p.withCrash(e)
	e.Raced = raceBuild && (e.Code == exitCodeRace || p.tail.hasRaced())
	if e.Raced && e.Reason == "" {
		e.Reason = "data race"
	}
	return e
}

// withCrash adds the reason for a crash and the end of the output.
func (p *Process) withCrash(e Exit) Exit {
	p.crashOnce.Do(func() {
		p.crash = p.io.crash.contents()
		p.io.crash.close()
	})
	e.Reason, e.Stderr = p.tail.text()
	if e.Signal == 0 && e.Code != 2 && !e.Unknown {
		e.Reason = ""
	}
	if !p.joined {
		return e
	}
	// A line on stdout may look like a reason.
	if reason, words := crashReport(p.crash); reason != "" {
		e.Reason, e.Stderr = reason, words
	} else if p.crash == "" && e.Signal != 0 {
		e.Reason = ""
	}
	return e
}

// ExitSoon is Exit for callers that cannot wait for Done as long as a slow writer takes. It waits
// for Dead, and after that at most wait for Done. Exit.Reason and Exit.Stderr reflect what was
// read by then.
func (p *Process) ExitSoon(wait time.Duration) Exit {
	<-p.exited
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.exit
	case <-timer.C:
	}
	p.mu.Lock()
	e := p.reapedExit
	p.mu.Unlock()
	return p.withOutput(e)
}

// killGroupAndReap kills what is left of the group and then reaps the child. A group's id cannot
// be reused before its leader is reaped.
func (p *Process) killGroupAndReap(reapable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.signalGroup(syscall.SIGKILL); errors.Is(err, syscall.EPERM) {
		p.io.killPipe.fire() // this process has changed its credentials since it started the child
	}
	p.exit = Exit{Code: CodeUnknown, Unknown: true}
	if reapable {
		p.exit = p.reap()
	}
	p.reaped = true
	p.unregister()
	if adoptsOrphans() {
		go reapOrphans(p.pid)
	}
	defer func() { p.reapedExit = p.exit }()
	p.exit.OOMKilled = p.exit.Signal == syscall.SIGKILL && !p.killed && p.oom.killedChild()
	if p.pidfd >= 0 {
		p.closePidfd()
	}
	p.statm.close()
	p.io.killPipe.close()
	if p.io.stdin != nil {
		p.io.stdin.Close()
	}
}

func (p *Process) reap() Exit {
	var status unix.WaitStatus
	var usage unix.Rusage
	_, err := unix.Wait4(p.pid, &status, 0, &usage)
	for err == unix.EINTR {
		_, err = unix.Wait4(p.pid, &status, 0, &usage)
	}
	if err != nil {
		return Exit{Code: CodeUnknown, Unknown: true}
	}
	return exitOf(status, &usage)
}

func exitOf(status unix.WaitStatus, usage *unix.Rusage) Exit {
	e := Exit{
		Code:   status.ExitStatus(),
		CPU:    time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		MaxRSS: int64(usage.Maxrss) * maxRSSUnit,
	}
	if status.Signaled() {
		e.Signal = status.Signal()
		e.Code = -int(e.Signal)
		e.Core = status.CoreDump()
	}
	return e
}

// awaitOutput waits until all output is delivered. It gives up on a pipe that another process
// holds open, but waits for a slow writer.
func (p *Process) awaitOutput() {
	deadline := time.Now().Add(drainTimeout)
	for _, s := range []*stream{p.stdout, p.stderr} {
		s.file.SetReadDeadline(deadline)
	}
	<-p.stdout.ended
	<-p.stderr.ended
}

// Signal sends a signal to the child's process group. If the child is dead it does nothing and
// returns nil.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return nil
	}
	if sig == syscall.SIGKILL {
		p.killed = true
	}
	err := p.signalGroup(sig)
	if errors.Is(err, syscall.ESRCH) {
		err = p.signalLeader(sig) // it has moved to another group
	}
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EPERM) && sig == syscall.SIGKILL && p.io.killPipe.fire() {
		return nil
	}
	return os.NewSyscallError("kill", err)
}

// Kill kills the child and its process group.
func (p *Process) Kill() error { return p.Signal(syscall.SIGKILL) }
