//go:build linux

package spawn_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
	"go.uber.org/goleak"
)

// patience bounds every wait of these tests: what takes longer hangs.
const patience = 30 * time.Second

// helpers are what the tests' children do, by Spec.Name. mains are what other main processes do,
// by the variable mainVar.
var (
	helpers = map[string]func(*spawn.Self){}
	mains   = map[string]func(){}
	used    sync.Map
)

// strict makes the tests check promised times exactly.
var strict = os.Getenv("MP_LONG") != "" && !raceBuild

// within returns the bound for something promised within d. A busy machine, or the race detector,
// gets so much more time that only a hang exceeds it.
func within(promised time.Duration) time.Duration {
	if strict {
		return promised
	}
	return max(20*promised, 5*time.Second)
}

const mainVar = "SPAWN_TEST_MAIN"

func TestMain(m *testing.M) {
	if self := spawn.Child(); self != nil {
		helper := helpers[self.Name]
		if helper == nil {
			fmt.Fprintf(os.Stderr, "no helper %q\n", self.Name)
			os.Exit(99)
		}
		helper(self)
		os.Exit(0)
	}
	if name := os.Getenv(mainVar); name != "" {
		os.Unsetenv(mainVar)
		mains[name]()
		os.Exit(0)
	}
	if r, w, err := os.Pipe(); err == nil { // the netpoller's own files stay open
		r.Close()
		w.Close()
	}
	code := m.Run()
	if code == 0 && !slices.ContainsFunc([]string{"run", "skip", "short", "list"}, func(name string) bool {
		f := flag.Lookup("test." + name)
		return f.Value.String() != f.DefValue
	}) {
		for name := range helpers {
			if _, ok := used.Load(name); !ok {
				fmt.Fprintf(os.Stderr, "helper %q is not used\n", name)
				code = 1
			}
		}
		for name := range mains {
			if _, ok := used.Load(name); !ok {
				fmt.Fprintf(os.Stderr, "main %q is not used\n", name)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// tidy checks at the end of a test that the test has left nothing behind.
func tidy(t *testing.T) {
	t.Helper()
	before := openFiles(t)
	t.Cleanup(func() {
		var err error
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if err = left(t, before); err == nil {
				return
			}
		}
		t.Error(err)
	})
}

// left describes what a test should not have left.
func left(t *testing.T, files int) error {
	if n := spawn.Children(); n != 0 {
		return fmt.Errorf("%d children are left", n)
	}
	if now := openFiles(t); now > files {
		return fmt.Errorf("%d files are open, there were %d", now, files)
	}
	return goleak.Find()
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// kid is a child under test, with the lines that it writes to Conn.
type kid struct {
	*spawn.Process
	t     *testing.T
	lines *bufio.Reader
}

// start starts the helper that spec.Name names. Its output goes to the test's log.
func start(t *testing.T, spec spawn.Spec) *kid {
	t.Helper()
	used.Store(spec.Name, true)
	if spec.Stdout == nil {
		spec.Stdout = t.Output()
	}
	if spec.Stderr == nil {
		spec.Stderr = t.Output()
	}
	p, err := spawn.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	p.Conn().SetDeadline(time.Now().Add(patience))
	k := &kid{p, t, bufio.NewReader(p.Conn())}
	t.Cleanup(func() {
		p.Kill()
		k.wait()
		p.Conn().Close()
	})
	return k
}

// line returns the next line that the child writes to Conn.
func (k *kid) line() string {
	k.t.Helper()
	s, err := k.lines.ReadString('\n')
	if err != nil {
		k.t.Fatalf("the child said %q: %v", s, err)
	}
	return strings.TrimSuffix(s, "\n")
}

func (k *kid) say(s string) {
	k.t.Helper()
	if _, err := io.WriteString(k.Conn(), s+"\n"); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kid) wait() spawn.Exit {
	k.t.Helper()
	select {
	case <-k.Done():
	case <-time.After(patience):
		k.t.Fatal("the child does not end")
	}
	return k.Exit()
}

// buffer is a writer that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// mainProcess runs one of mains in a process that is not a child.
func mainProcess(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	used.Store(name, true)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=NONE")
	cmd.Env = append(os.Environ(), mainVar+"="+name)
	return cmd
}

// eventually polls for a condition that nothing reports.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// alive reports whether a process exists and is not a zombie.
func children(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, state, ok := strings.Cut(string(b), ") ")
	return ok && state[0] != 'Z' && state[0] != 'X'
}
