package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// noSleep is for programs built with -race: else each sleeps for a second at its end.
const noSleep = "atexit_sleep_ms=0"

// tooLate is when a test gives up. Nothing here takes a tenth of it.
const tooLate = time.Minute

// The test binary is the program: it is run under the name chat.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", noSleep)
	testscript.Main(m, map[string]func(){"chat": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               func(env *testscript.Env) error { env.Setenv("GORACE", noSleep); return nil },
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chatProcess is the program as a process of its own, with pipes.
type chatProcess struct {
	*exec.Cmd
	t       *testing.T
	stdin   io.WriteCloser
	lines   chan string // of standard output and standard error
	said    []string    // those that were taken
	addr    netip.AddrPort
	history string
}

// startChat starts the program on a port of its own.
func startChat(t *testing.T, args ...string) *chatProcess {
	t.Helper()
	dir := t.TempDir()
	p := &chatProcess{
		Cmd: exec.Command("chat", append([]string{"-listen", "127.0.0.1:0"}, args...)...),
		t:   t, lines: make(chan string, 100_000), history: filepath.Join(dir, "chat.txt"),
	}
	p.Dir = dir
	var err error
	p.stdin, err = p.StdinPipe()
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	p.Stdout, p.Stderr = w, w
	must(t, p.Start())
	w.Close()
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
		for range p.lines { // until the pipe has ended
		}
	})
	go func() {
		defer close(p.lines)
		defer r.Close()
		in := bufio.NewReaderSize(r, 1<<20)
		for {
			l, err := in.ReadString('\n')
			if err != nil {
				return
			}
			p.lines <- strings.TrimSuffix(l, "\n")
		}
	}()
	m := p.await(`^listening on (\S+), history in `)
	p.addr, err = netip.ParseAddrPort(m[1])
	must(t, err)
	return p
}

// await takes lines until one matches.
func (p *chatProcess) await(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(tooLate)
	for {
		select {
		case l, ok := <-p.lines:
			p.said = append(p.said, l)
			if m := re.FindStringSubmatch(l); m != nil {
				return m
			}
			if ok {
				continue
			}
		case <-timeout:
		}
		p.t.Fatalf("no line matches %s:\n%s", pattern, p.someOf())
	}
}

func (p *chatProcess) typeLine(format string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.stdin, format+"\n", args...)
	must(p.t, err)
}

// ends waits for the end, which the program was told of before, and returns the exit code.
func (p *chatProcess) ends() int {
	p.t.Helper()
	timer := time.AfterFunc(tooLate, func() { p.Process.Kill() })
	defer timer.Stop()
	p.Wait() // the code says it
	for l := range p.lines {
		p.said = append(p.said, l)
	}
	return p.ProcessState.ExitCode()
}

// leaves is ends with code 0 and within a second.
func (p *chatProcess) leaves() {
	p.t.Helper()
	began := time.Now()
	if code := p.ends(); code != exitDone {
		p.t.Errorf("exit code %d:\n%s", code, p.someOf())
	}
	if took := time.Since(began); took > time.Second {
		p.t.Errorf("leaving took %v", took)
	}
}

func (p *chatProcess) everything() string { return strings.Join(p.said, "\n") + "\n" }

// someOf is what it said last, for a test that has failed.
func (p *chatProcess) someOf() string {
	all := p.everything()
	return all[max(0, len(all)-2000):]
}

// wrote compares the history.
func (p *chatProcess) wrote(want ...string) {
	p.t.Helper()
	got, err := os.ReadFile(p.history)
	must(p.t, err)
	if strings.TrimSuffix(string(got), "\n") != strings.Join(want, "\n") {
		p.t.Errorf("the history is\n%.2000s\nwant\n%.2000s", got, strings.Join(want, "\n"))
	}
}

// testPeer is a program at the other end.
type testPeer struct {
	*net.UDPConn
	t *testing.T
}

func newPeer(t *testing.T, address string) *testPeer {
	t.Helper()
	pc, err := net.ListenPacket("udp", address)
	must(t, err)
	t.Cleanup(func() { pc.Close() })
	return &testPeer{pc.(*net.UDPConn), t}
}

func (p *testPeer) addr() netip.AddrPort { return p.LocalAddr().(*net.UDPAddr).AddrPort() }
func (p *testPeer) port() uint16         { return p.addr().Port() }

func (p *testPeer) send(to netip.AddrPort, text string) {
	p.t.Helper()
	_, err := p.WriteToUDPAddrPort([]byte(text), to)
	must(p.t, err)
}

// gets waits for a datagram.
func (p *testPeer) gets(want string, from netip.AddrPort) {
	p.t.Helper()
	buf := make([]byte, 1<<16)
	p.SetReadDeadline(time.Now().Add(tooLate))
	n, addr, err := p.ReadFromUDPAddrPort(buf)
	must(p.t, err)
	if string(buf[:n]) != want {
		p.t.Errorf("the peer got %q, want %q", buf[:n], want)
	}
	if addr.Port() != from.Port() {
		p.t.Errorf("it came from port %d, want %d", addr.Port(), from.Port())
	}
}
