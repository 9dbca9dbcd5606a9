//go:build linux

package spawn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["hello"] = func(s *spawn.Self) { fmt.Fprintln(s.Conn, "hello") }
	helpers["whoami"] = func(s *spawn.Self) {
		comm, _ := os.ReadFile("/proc/self/comm")
		line, _ := os.ReadFile("/proc/self/cmdline")
		title, _, _ := bytes.Cut(line, []byte{0})
		fmt.Fprintf(s.Conn, "%s|%s|%d|%t\n", s.Name, s.Pool, s.Worker, s.ParentPID == os.Getppid())
		fmt.Fprintf(s.Conn, "%s|%s|%q\n", bytes.TrimSpace(comm), title, os.Args)
		fmt.Fprintf(s.Conn, "%d|%d|%s|%t\n", runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1), os.Getenv("X"), os.Getenv("HOME") == "")
		wd, _ := os.Getwd()
		fmt.Fprintf(s.Conn, "%s\n", wd)
	}
	helpers["leak"] = func(s *spawn.Self) {
		out, err := exec.Command("/proc/self/exe", "-test.list=.").Output() // a main process of its own
		fmt.Fprintln(s.Conn, err == nil && bytes.Contains(out, []byte("TestMarkDoesNotLeak")))
		env, err := exec.Command("env").Output()
		fmt.Fprintln(s.Conn, err == nil && !bytes.Contains(env, []byte(spawn.ChildVar)))
		ours := links("/proc/self/fd")
		fds, err := exec.Command("sh", "-c", "for f in /proc/$$/fd/*; do readlink $f; done; true").Output()
		for i, link := range ours {
			if i > 2 && !slices.Contains(ours[:3], link) && strings.Contains(string(fds), link) {
				fmt.Fprintln(s.Conn, "a process started by the child has its", link)
			}
		}
		fmt.Fprintln(s.Conn, err == nil && len(ours) >= 7)
	}
	helpers["files"] = func(s *spawn.Self) {
		for _, f := range s.Files {
			b, err := io.ReadAll(f)
			fmt.Fprintf(s.Conn, "%s %v\n", b, err)
		}
	}
	helpers["deadline"] = func(s *spawn.Self) {
		s.Conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := s.Conn.Read(make([]byte, 1))
		fmt.Fprintln(s.Conn, errors.Is(err, os.ErrDeadlineExceeded))
	}
	helpers["cat"] = func(s *spawn.Self) { io.Copy(s.Conn, os.Stdin) }
	helpers["wait"] = func(s *spawn.Self) {
		fmt.Fprintln(s.Conn, "ready")
		io.Copy(io.Discard, s.Conn)
	}
}

func TestBinaryHoweverReached(t *testing.T) {
	tidy(t)
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "prog"), "./testdata/prog")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, "prog"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, do string }{
		{"absolute", "", "nothing"},
		{"relative", "./sub/prog", "nothing"},
		{"relative, then another directory", "./sub/prog", "chdir"},
		{"symlink", "./link", "nothing"},
		{"symlink, then another directory", "./link", "chdir"},
		{"deleted", "", "delete"},
		{"replaced", "", "replace"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			prog := filepath.Join(dir, "sub", "prog")
			os.Mkdir(filepath.Dir(prog), 0o755)
			if err := os.WriteFile(prog, content, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("sub/prog", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(prog, c.do, "a b", "-x=\"y\"")
			if c.path != "" {
				cmd.Path, cmd.Args[0] = c.path, c.path
			}
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil || string(out) != "ok 0\n" {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestSelf(t *testing.T) {
	tidy(t)
	if spawn.Child() != nil {
		t.Fatal("the test is a child")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k := start(t, spawn.Spec{
		Name: "whoami", Pool: "a \"pool\"\xff", Worker: 7, Title: "mp: worker number 7",
		Env: []string{"X=1", "X=2"}, Dir: dir, Procs: 3, MemoryLimit: 123 << 20,
	})
	for _, want := range []string{
		"whoami|a \"pool\"\xff|7|true",
		fmt.Sprintf("mp:worker num 7|mp: worker number 7|%q", os.Args),
		fmt.Sprintf("3|%d|2|true", 123<<20),
		dir,
	} {
		if got := k.line(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	if e := k.wait(); e.Code != 0 || e.Reason != "" || e.CPU <= 0 || e.MaxRSS <= 0 {
		t.Errorf("%+v", e)
	}
}

func TestUntitledChildIsNamedAsItsParent(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "whoami"})
	k.line()
	base := filepath.Base(os.Args[0])
	want := fmt.Sprintf("%s|%s|%q", base[:min(15, len(base))], os.Args[0], os.Args)
	if got := k.line(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	k.wait()
}

func TestMarkDoesNotLeak(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "leak", Files: []*os.File{os.Stdin}})
	for range 3 {
		if got := k.line(); got != "true" {
			t.Error(got)
		}
	}
	k.wait()
}

// links returns the targets of the open descriptors.
func links(dir string) (names []string) {
	for fd := range 64 {
		if name, err := os.Readlink(fmt.Sprint(dir, "/", fd)); err == nil {
			names = append(names, name)
		}
	}
	return names
}

func TestMarkOfSomebodyElse(t *testing.T) {
	used.Store("hello", true)
	for _, mark := range []string{"", "nonsense", spawn.NewBootstrap("n", "a", "t", "hello", "")} {
		cmd := exec.Command("/proc/self/exe", "-test.list=.")
		cmd.Env = append(os.Environ(), spawn.ChildVar+"="+mark)
		if out, err := cmd.Output(); err != nil || !bytes.Contains(out, []byte("TestSelf")) {
			t.Errorf("with the mark %q: %v %s", mark, err, out)
		}
	}
}

func TestFiles(t *testing.T) {
	tidy(t)
	var files []*os.File
	for i := range 5 {
		name := filepath.Join(t.TempDir(), "f")
		os.WriteFile(name, fmt.Append(nil, "content ", i), 0o600)
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	k := start(t, spawn.Spec{Name: "files", Files: files})
	for i := range files {
		if got, want := k.line(), fmt.Sprintf("content %d <nil>", i); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	k.wait()
}

func TestConnHasDeadlines(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "deadline"})
	if got := k.line(); got != "true" {
		t.Error(got)
	}
	k.wait()
	k.Conn().SetReadDeadline(time.Now().Add(-1))
	if _, err := k.Conn().Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("here: %v", err)
	}
}

func TestStdin(t *testing.T) {
	tidy(t)
	name := filepath.Join(t.TempDir(), "in")
	long := strings.Repeat("0123456789", 50_000)
	if err := os.WriteFile(name, []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
	}{
		{"nil", nil, ""},
		{"file", file, long},
		{"reader", strings.NewReader(long), long},
		{"failing reader", io.MultiReader(strings.NewReader("some"), iotest.ErrReader(io.ErrNoProgress)), "some"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := start(t, spawn.Spec{Name: "cat", Stdin: c.in})
			if got, err := io.ReadAll(k.lines); string(got) != c.want || err != nil {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, len(c.want))
			}
			k.wait()
		})
	}
}

func TestStdinNobodyReads(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "hello", Stdin: endless{}})
	k.wait() // and tidy finds no goroutine that still copies
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestStartErrors(t *testing.T) {
	tidy(t)
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		name string
		spec spawn.Spec
		want error
	}{
		{"directory", spawn.Spec{Dir: "/does/not/exist"}, fs.ErrNotExist},
		{"NUL", spawn.Spec{Title: "a\x00b"}, syscall.EINVAL},
		{"NUL in env", spawn.Spec{Env: []string{"A=\x00"}}, syscall.EINVAL},
		{"nil file", spawn.Spec{Files: []*os.File{nil}}, fs.ErrInvalid},
		{"closed file", spawn.Spec{Files: []*os.File{closed}}, fs.ErrClosed},
		{"closed stdin", spawn.Spec{Stdin: closed}, fs.ErrClosed},
	} {
		if p, err := spawn.Start(c.spec); p != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestManyStartsLeaveNothing(t *testing.T) {
	tidy(t)
	for range 50 {
		k := start(t, spawn.Spec{Name: "hello"})
		k.line()
		k.wait()
		k.Conn().Close()
	}
	if zombies := childrenOf(t, os.Getpid()); len(zombies) > 0 {
		t.Errorf("left: %q", zombies)
	}
}

// childrenOf returns the children of parent, including zombies.
func childrenOf(t *testing.T, ppid int) (found []string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == fmt.Sprint(ppid) {
			found = append(found, string(stat))
		}
	}
	return found
}

func TestConcurrentStarts(t *testing.T) {
	tidy(t)
	used.Store("hello", true)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				p, err := spawn.Start(spawn.Spec{Name: "hello"})
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := io.ReadAll(p.Conn()); string(b) != "hello\n" || err != nil {
					t.Errorf("%q, %v", b, err)
				}
				<-p.Done()
				p.Conn().Close()
			}
		})
	}
	wg.Wait()
}

// The forking thread lives as long as a child does, and serves other goroutines afterwards.
func TestStarterComesAndGoes(t *testing.T) {
	tidy(t)
	for range 3 {
		k := start(t, spawn.Spec{Name: "wait"})
		k.line()
		if !starterRuns() {
			t.Error("there is a child and no starter")
		}
		other := start(t, spawn.Spec{Name: "hello"})
		other.wait()
		if !starterRuns() {
			t.Error("the starter has ended before the last child")
		}
		k.Conn().Close()
		k.wait()
		eventually(t, patience, "the starter ends", func() bool { return !starterRuns() })
	}
}

func starterRuns() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("spawn.starterThread"))
}

func TestDeadComesBeforeDone(t *testing.T) {
	tidy(t)
	k := start(t, spawn.Spec{Name: "wait"})
	k.line()
	select {
	case <-k.Dead():
		t.Fatal("it is not dead")
	default:
	}
	if e := k.Exit(); e != (spawn.Exit{}) {
		t.Errorf("before the end: %+v", e)
	}
	if !slices.Contains([]int{1}, spawn.Children()) {
		t.Errorf("%d children", spawn.Children())
	}
	k.Kill()
	<-k.Dead()
	k.wait()
}
