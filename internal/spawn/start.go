//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Start starts a child and returns when its exec has succeeded. The caller owns Conn and must
// close it.
func Start(spec Spec) (*Process, error) {
	p, err := start(&spec)
	if err != nil {
		return nil, errtext.Errorf("mp: start %s: %w", cmp.Or(spec.Name, "process"), err)
	}
	return p, nil
}

func start(spec *Spec) (*Process, error) {
	if len(mainArgs) == 0 {
		return nil, errors.New("os.Args is empty, so the program cannot be started again")
	}
	through, err := loader()
	if err != nil {
		return nil, err
	}
	if err := CheckStartable(); err != nil {
		return nil, err
	}
	if err := spec.check(); err != nil {
		return nil, err
	}
	w := spec.writers()
	pl, err := newChildIO(spec, w.joined)
	if err != nil {
		return nil, err
	}
	defer pl.closeChildEnds()
	nonce, err := newNonce()
	if err == nil {
		_, err = pl.conn.Write([]byte(greeting(nonce)))
	}
	if err != nil {
		pl.closeParentEnds()
		return nil, err
	}
	thread := spec.Thread
	if thread == nil {
		thread = CallingThread()
	}
	m := spec.bootstrap(nonce, thread)
	m.loader = strings.Join(through, "\x00")
	if w.joined {
		m.joined = 1
	}
	attr := &syscall.ProcAttr{
		Dir:   spec.Dir,
		Env:   childEnv(spec.Env, spec.Dir, m),
		Files: pl.childFiles(),
	}
	handleJobStops()
	addChild()
	starts.RLock()
	defer starts.RUnlock()
	pid, pidfd, err := fork(commandLine(through, spec.Dir), attr, thread)
	if err != nil {
		removeChild()
		pl.closeParentEnds()
		return nil, err
	}
	pl.killPipe.arm(pid)
	p := newProcess(pid, pidfd, pl, nonce)
	p.register()
	p.run(spec, w)
	return p, nil
}

// commandLine returns the command line of a child, which is that of the main process. A program
// that was started through a loader is called by the name that it was called by, if that leads to
// the program, so that os.Args is the same.
func commandLine(through []string, dir string) []string {
	if len(through) == 0 {
		return mainArgs
	}
	n := len(through) - 1
	program := through[n]
	if filepath.IsAbs(mainArgs[0]) || dir == "" && strings.Contains(mainArgs[0], "/") {
		if sameFile(mainArgs[0], program) {
			program = mainArgs[0]
		}
	}
	return slices.Concat(through[:n], []string{program}, mainArgs[1:])
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// maxDepth limits how many generations of children there can be. A program that reaches it starts
// itself again without end, and would fill the machine.
const maxDepth = 16

// depth returns the generation of this process; the main process is 0.
func depth() int {
	if child == nil {
		return 0
	}
	return child.Depth
}

// check finds errors for which the kernel's own error would name nothing.
func (spec *Spec) check() error {
	if depth() >= maxDepth {
		return fmt.Errorf("this process is child number %d in a chain of children, each started by the one before: "+
			"does code that runs in every process, before or beside main, start processes?", depth())
	}
	if spec.Dir != "" {
		info, err := os.Stat(spec.Dir)
		if err == nil && !info.IsDir() {
			err = &os.PathError{Err: syscall.ENOTDIR}
		}
		if err != nil {
			return &os.PathError{Op: "chdir", Path: spec.Dir, Err: errors.Unwrap(err)}
		}
	}
	for _, text := range slices.Concat(spec.Env, []string{spec.Name, spec.Title}) {
		if strings.IndexByte(text, 0) >= 0 {
			return fmt.Errorf("%q contains a NUL byte: %w", text, syscall.EINVAL)
		}
	}
	if f, ok := spec.Stdin.(*os.File); ok && f != nil && isTerminal(f) {
		return errors.New("the config's Stdin is a terminal, which a child cannot read because it has its own process group: " +
			"pass struct{ io.Reader }{os.Stdin}, so that this process reads it for the child")
	}
	return nil
}

// bootstrap returns what the child is told.
func (spec *Spec) bootstrap(nonce string, thread *Thread) *bootstrap {
	return &bootstrap{
		parent: os.Getpid(), nonce: nonce, title: spec.Title,
		name: spec.Name, pool: spec.Pool, worker: spec.Worker, identity: spec.Identity,
		procs: spec.Procs, memory: spec.MemoryLimit, nice: thread.nice, limits: spec.Limits,
		files: len(spec.Files), depth: depth() + 1,
	}
}

// executables returns the paths of this program's binary, the best first.
func executables() []string {
	if selfExe == "" {
		return []string{mainPath}
	}
	if mainPath == "" {
		return []string{selfExe}
	}
	return []string{selfExe, mainPath}
}

// forkExec starts the program from the first path that can be executed.
func forkExec(argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	for i, path := range executables() {
		var e error
		if pid, e = syscall.ForkExec(path, argv, attr); e == nil {
			return pid, nil
		}
		if i == 0 {
			err = &os.PathError{Op: "fork/exec", Path: path, Err: e}
		}
	}
	return 0, err
}
