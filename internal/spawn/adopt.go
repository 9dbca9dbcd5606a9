//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gomultiprocessing/mp/internal/early"
	"golang.org/x/sys/unix"
)

// The descriptors at which a child finds what its parent gave it: the control socket, a pipe for
// stderr alone, the crash pipe, then Spec.Files.
const (
	connFD   = early.ConnFD
	stderrFD = early.StderrFD
	crashFD  = early.CrashFD
	filesFD  = early.FilesFD
)

// adopt reads the bootstrap, removes it from the environment so that nothing this process starts
// takes itself for a child, and applies it.
func adopt() *Self {
	text, ok := os.LookupEnv(childVar)
	if !ok {
		return nil
	}
	os.Unsetenv(childVar)
	m, err := parseBootstrap(text)
	if err != nil {
		return nil
	}
	greeted := hasGreeting(m.nonce)
	if os.Getppid() != m.parent {
		// Either a child ran another program before its init got here, and that program is an
		// ordinary main process; or this is a child whose parent has died since. The latter must
		// not run the program's main as if it were the main process.
		if greeted && parentClosed() {
			os.Exit(1)
		}
		return nil
	}
	if !greeted {
		return nil
	}
	self, err := m.becomeChild()
	if err != nil {
		fmt.Fprintf(os.Stderr, "fatal error: cannot start this child process: %v\n", err)
		os.Exit(2)
	}
	return self
}

// hasGreeting reports whether descriptor 3 is a socket in which the greeting waits.
func hasGreeting(nonce string) bool {
	want := greeting(nonce)
	got := make([]byte, len(want))
	n, _, err := unix.Recvfrom(connFD, got, unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil && string(got[:n]) == want
}

// parentClosed reports whether the parent's end of the socket is closed. It waits a little,
// because a process that the parent was just forking may hold a copy until it calls exec.
func parentClosed() bool {
	fds := []unix.PollFd{{Fd: connFD}}
	n, err := unix.Poll(fds, 50)
	for err == unix.EINTR {
		n, err = unix.Poll(fds, 50)
	}
	return n == 1 && fds[0].Revents&unix.POLLHUP != 0
}

// becomeChild turns this process into the child that the bootstrap describes.
func (m *bootstrap) becomeChild() (*Self, error) {
	s := &Self{
		Name: m.name, Pool: m.pool, Worker: m.worker, Identity: m.identity, ParentPID: m.parent, Depth: m.depth,
		nonce: m.nonce, joined: m.joined != 0, outputs: [2]int{-1, -1},
	}
	if err := s.openFiles(m); err != nil {
		return nil, err
	}
	if m.loader != "" {
		inheritedLoader = strings.Split(m.loader, "\x00")
	}
	setNice(m.nice)
	if err := m.limits.apply(); err != nil {
		return nil, err
	}
	if m.procs > 0 {
		runtime.GOMAXPROCS(m.procs)
	}
	if m.memory > 0 {
		debug.SetMemoryLimit(m.memory)
	}
	leaveTerminal()
	m.setTitles()
	return s, nil
}

// setTitles sets what ps and top show of this process.
func (m *bootstrap) setTitles() {
	if m.title == "" {
		if len(os.Args) > 0 {
			setComm(filepath.Base(os.Args[0]))
		}
		return
	}
	setComm(m.title)
	if len(os.Args) > 0 {
		setTitle(append([]string{m.title}, os.Args[1:]...))
	}
}

func (s *Self) openFiles(m *bootstrap) error {
	greeting := make([]byte, len(greeting(m.nonce)))
	if _, err := unix.Read(connFD, greeting); err != nil {
		return os.NewSyscallError("read", err)
	}
	if err := unix.SetNonblock(connFD, true); err != nil {
		return os.NewSyscallError("setnonblock", err)
	}
	unix.CloseOnExec(connFD)
	s.Conn = os.NewFile(connFD, "conn")
	for i := range m.files {
		unix.CloseOnExec(filesFD + i)
		s.Files = append(s.Files, os.NewFile(uintptr(filesFD+i), fmt.Sprint("file ", i)))
	}
	unix.CloseOnExec(stderrFD)
	unix.CloseOnExec(crashFD)
	s.Crash = printCrashesTo(crashFD)
	stdout, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, connFD)
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	s.outputs = [2]int{stdout, stderrFD}
	return nil
}
