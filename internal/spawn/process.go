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

// drainTime bounds the wait for the output of a dead child while something outside of its
// process group, which was killed, still holds the pipes.
const drainTimeout = 250 * time.Millisecond

// Process is a started child. Its methods may be called at any time from any goroutine.
type Process struct {
	pid        int
	conn       *os.File
	stdout     *stream
	stderr     *stream
	tail       *tail
	captures   *captures
	poller     *outputPoller
	joined     bool // its stderr is in stdout
	crashOnce  sync.Once
	crash      string // after words
	exited     chan struct{}
	done       chan struct{}
	exit       Exit // complete when done is closed
	reapedExit Exit // the same without its words, guarded by mu

	// mu orders signals and looks at the child before its reaping: as long as it is held
	// and reaped is false, pid means this child and nothing else.
	mu        sync.Mutex
	reaped    bool
	killed    bool     // by our own hand
	pidfd     int      // -1: none
	pidfdFile *os.File // the same in the netpoller, which then closes it
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

// run sets the goroutines going that attend to the child.
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
	// Nothing but this goroutine reaps, so the child is there to be looked at.
	p.oom = watchOOM(p.pid)
	go p.wait()
}

func (p *Process) PID() int              { return p.pid }
func (p *Process) Conn() *os.File        { return p.conn }
func (p *Process) Dead() <-chan struct{} { return p.exited }
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is how the process ended. Before Done is closed it is zero.
func (p *Process) Exit() Exit {
	select {
	case <-p.done:
		return p.exit
	default:
		return Exit{}
	}
}

// attend waits for the end of the child and clears up after it.
func (p *Process) wait() {
	p.killGroupAndReap(p.waitExit())
	close(p.exited)
	removeChild()
	p.awaitOutput()
	p.exit = p.withOutput(p.exit)
	p.poller.close()
	close(p.done)
}

// exitRaced is what a program exits with in which the race detector has reported something.
const exitCodeRace = 66

// withWords adds what the dead child said last, as far as it was read.
func (p *Process) withOutput(e Exit) Exit {
	e = p.withCrash(e)
	e.Raced = raceBuild && (e.Code == exitCodeRace || p.tail.hasRaced())
	if e.Raced && e.Reason == "" {
		e.Reason = "data race"
	}
	return e
}

// withReason adds the reason of a crash and the last words.
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
	// What looks like a reason may have been printed to stdout.
	if reason, words := crashReport(p.crash); reason != "" {
		e.Reason, e.Stderr = reason, words
	} else if p.crash == "" && e.Signal != 0 {
		e.Reason = ""
	}
	return e
}

// ExitSoon is Exit for one who cannot wait for Done as long as some writer may take:
// it waits for Dead, and then for Done at most that long. What the child said last is
// told as far as it was read by then.
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

// bury kills what is left of the group and reaps the child, in this order: a group's id
// cannot be used again while its leader is not reaped.
func (p *Process) killGroupAndReap(reapable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.signalGroup(syscall.SIGKILL); errors.Is(err, syscall.EPERM) {
		p.io.killPipe.fire() // this process has other rights than when it started the child
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

// awaitOutput waits until all output is forwarded. A pipe that somebody still holds is
// given up after a while; a slow destination is waited for.
func (p *Process) awaitOutput() {
	deadline := time.Now().Add(drainTimeout)
	for _, s := range []*stream{p.stdout, p.stderr} {
		s.file.SetReadDeadline(deadline)
	}
	<-p.stdout.ended
	<-p.stderr.ended
}

// Signal sends a signal to the child's process group. It has no effect, and is no
// error, when the child is dead.
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

// Kill ends the child and its process group at once.
func (p *Process) Kill() error { return p.Signal(syscall.SIGKILL) }
