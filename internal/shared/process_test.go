//go:build linux

package shared_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/proctable"
)

// The test binary is its own child process: TestMain runs what roles says under the
// name that the parent asks for, with the objects that it hands over.
var roles = map[string]func(files []*os.File, args []string){}

const roleVar = "MP_SHARED_ROLE"

// mainVar makes a role's process the main one of another program.
const mainVar = "MP_SHARED_MAIN"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	if role == "" {
		os.Exit(m.Run())
	}
	var key uint64
	fmt.Sscan(os.Getenv("MP_SHARED_KEY"), &key)
	table, link := os.NewFile(3, "table"), os.NewFile(4, "link")
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	if os.Getenv(mainVar) == "" {
		proctable.Join(table, key, role, func(proctable.Request) { link.Write([]byte{1}) })
	}
	var files []*os.File
	for fd := uintptr(5); fd < 5+uintptr(atoi(os.Getenv("MP_SHARED_FILES"))); fd++ {
		syscall.CloseOnExec(int(fd))
		files = append(files, os.NewFile(fd, "object"))
	}
	roles[role](files, os.Args[1:])
	os.Exit(0)
}

func atoi(s string) (n int) {
	fmt.Sscan(s, &n)
	return n
}

// child is a process that plays a role.
type child struct {
	*exec.Cmd
	t     testing.TB
	share *proctable.Child
	waits sync.Once
	err   error
}

// bury says that the child, which was reaped, is dead.
func (c *child) bury() { c.share.MarkDead() }

// reap waits for the end of the child.
func (c *child) reap() error {
	c.waits.Do(func() { c.err = c.Wait() })
	return c.err
}

// play starts a child. What it prints goes to the test's stderr. It is killed when the test ends.
func play(t testing.TB, role string, files []*os.File, args ...string) *child {
	t.Helper()
	return playWith(t, nil, role, files, args...)
}

func playWith(t testing.TB, env []string, role string, files []*os.File, args ...string) *child {
	t.Helper()
	return playFrom(t, "/proc/self/exe", env, role, files, args...)
}

// playFrom is playWith for another binary.
func playFrom(t testing.TB, binary string, env []string, role string, files []*os.File, args ...string) *child {
	if t != nil { // and not in a role
		t.Helper()
	}
	table, err := proctable.File()
	must(err)
	mine, theirs, err := os.Pipe()
	must(err)
	c := &child{Cmd: exec.Command(binary, args...), t: t, share: proctable.NewChild()}
	c.Env = append(os.Environ(), append(env, mainVar+"=", fmt.Sprint("MP_SHARED_FILES=", len(files)),
		fmt.Sprint("MP_SHARED_KEY=", c.share.Key()), roleVar+"="+role)...)
	c.ExtraFiles = append([]*os.File{table, theirs}, files...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, faultVar) }) {
		c.Stderr = nil // it is expected to complain
	}
	err = c.Start()
	theirs.Close()
	must(err)
	go func() {
		defer mine.Close()
		for {
			if _, err := mine.Read(make([]byte, 1)); err != nil {
				return
			}
			c.share.Request(c.Process.Pid, proctable.Request{Name: role})
		}
	}()
	if t != nil {
		t.Cleanup(c.kill)
	}
	return c
}

// forever is what a role does that waits to be killed.
func forever() { time.Sleep(time.Hour) }

// kill kills the child and buries it, as its parent does.
func (c *child) kill() {
	c.Process.Kill()
	c.reap()
	c.bury()
}

// killUnnoticed kills the child and tells nobody.
func (c *child) killUnnoticed() {
	c.Process.Kill()
	c.reap()
}

// ended waits until the child has ended well.
func (c *child) ended() {
	c.t.Helper()
	if err := c.reap(); err != nil {
		c.t.Fatalf("%v: %v", c.Env[len(c.Env)-1], err)
	}
	c.bury()
}

// soon is a ctx for what should happen at once.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// must is for roles, which have no test.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// again is another descriptor of the same file, as it comes from another process.
func again(t testing.TB, f *os.File) *os.File {
	if t != nil {
		t.Helper()
	}
	fd, err := syscall.Dup(int(f.Fd()))
	must(err)
	return os.NewFile(uintptr(fd), f.Name())
}
