//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// noSleep is for programs built with -race: else each sleeps for a second at its end.
const noSleep = "atexit_sleep_ms=0"

// The test binary is the program: tests run it under the name echo.
func TestMain(m *testing.M) {
	mp.Main()
	os.Setenv("GORACE", noSleep) // it is for speed only
	testscript.Main(clean{m}, map[string]func(){"echo": main})
}

// clean runs the tests and looks for what they have left.
type clean struct{ m *testing.M }

func (c clean) Run() int {
	code := c.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "leak:", err)
		return 1
	}
	return code
}

// patience is how long a test waits for what should be there at once.
const patience = 30 * time.Second

// echoProcess is the program as a process of its own.
type echoProcess struct {
	*exec.Cmd
	t       testing.TB
	address string
	metrics string
	ended   chan struct{} // when it is no more, and its lines are there
	client  *http.Client

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed when there is a new line
}

// startEcho starts the program on ports of its own and waits until it listens.
func startEcho(t testing.TB, args ...string) *echoProcess {
	t.Helper()
	args = append([]string{"-listen", "127.0.0.1:0", "-metrics", "127.0.0.1:0"}, args...)
	p := runEcho(t, exec.Command("echo", args...))
	p.metrics = p.await(`msg=metrics address=(\S+)`)[1]
	p.address = p.await(`msg=listening address=(\S+)`)[1]
	return p
}

func runEcho(t testing.TB, cmd *exec.Cmd) *echoProcess {
	t.Helper()
	p := &echoProcess{Cmd: cmd, t: t, ended: make(chan struct{}), more: make(chan struct{})}
	p.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stderr = w
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer close(p.ended)
		defer r.Close()
		for in := bufio.NewScanner(r); in.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, in.Text())
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
		p.Wait()
	}()
	t.Cleanup(func() {
		p.Process.Kill()
		<-p.ended // also the workers: they have the other end of the pipe
		if t.Failed() {
			t.Logf("%s", strings.Join(p.lines[max(0, len(p.lines)-20):], "\n"))
		}
	})
	return p
}

// await waits for a line.
func (p *echoProcess) await(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	for seen := 0; ; {
		p.mu.Lock()
		lines, more := p.lines, p.more
		p.mu.Unlock()
		for ; seen < len(lines); seen++ {
			if m := re.FindStringSubmatch(lines[seen]); m != nil {
				return m
			}
		}
		select {
		case <-more:
		case <-p.ended:
			p.t.Fatalf("it has ended, and no line matched %s", pattern)
		case <-timeout:
			p.t.Fatalf("no line matched %s", pattern)
		}
	}
}

// count is how many lines match.
func (p *echoProcess) count(pattern string) (n int) {
	re := regexp.MustCompile(pattern)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		if re.MatchString(line) {
			n++
		}
	}
	return n
}

// ends waits until the program has ended, with all its workers, and returns the exit code.
func (p *echoProcess) ends() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatal("it does not end")
	}
	return p.ProcessState.ExitCode()
}

// closes sends SIGINT and waits for the end, which must be a good one.
func (p *echoProcess) closes() {
	p.t.Helper()
	p.Process.Signal(os.Interrupt)
	if code := p.ends(); code != 0 {
		p.t.Errorf("exit code %d", code)
	}
}

func (p *echoProcess) dial() *net.TCPConn {
	p.t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// numbers are the metrics, by their names with labels, and without them as sums.
func (p *echoProcess) numbers() map[string]int {
	p.t.Helper()
	answer, err := p.client.Get("http://" + p.metrics + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	all := map[string]int{}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(value)
		if !ok || err != nil {
			p.t.Fatalf("no metric: %q", line)
		}
		all[name] = n
		if short, _, labelled := strings.Cut(name, "{"); labelled {
			all[short] += n
		}
	}
	return all
}

// counts waits until a metric has a value.
func (p *echoProcess) counts(name string, want int) {
	p.t.Helper()
	n := 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if n = p.numbers()[name]; n == want {
			return
		}
	}
	p.t.Fatalf("%s is %d, want %d", name, n, want)
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Int())
	}
	return b
}

// trip sends bytes and reads as many.
func trip(c net.Conn, sent []byte) error {
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write(sent)
		wrote <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		c.Close()
		<-wrote
		return err
	}
	if !bytes.Equal(got, sent) {
		return fmt.Errorf("%d bytes came, and are not what was sent", len(got))
	}
	return <-wrote
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
