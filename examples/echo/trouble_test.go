//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A crash in one process costs its connections and no others; another process takes its
// place, with the same listener.
func TestCrash(t *testing.T) {
	p := startEcho(t, "-processes", "2", "-max", "60")
	for round, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV} {
		var conns []net.Conn
		for range 50 {
			c := p.dial()
			must(t, trip(c, []byte("x")))
			conns = append(conns, c)
		}
		p.counts("echo_connections_open", 50)
		before := p.numbers()
		victim := round
		theirs := before[fmt.Sprintf(`echo_connections_open{process="%d"}`, victim)]
		syscall.Kill(p.pids()[victim], sig)
		p.counts(fmt.Sprintf(`echo_process_starts_total{process="%d"}`, victim), 2)
		lost := 0
		for _, c := range conns {
			if trip(c, noise(1000)) != nil {
				lost++
			}
		}
		if lost != theirs {
			t.Errorf("%d connections are lost, %d were that process's", lost, theirs)
		}
		p.counts("echo_connections_open", 50-lost)
		p.counts(fmt.Sprintf(`echo_connections_ended_total{process="%d",reason="crash"}`, victim), lost)
		p.counts(fmt.Sprintf(`echo_process_starts_total{process="%d"}`, 1-victim), round+1)
		for range lost { // there is room for as many as it had
			c := p.dial()
			must(t, trip(c, noise(1000)))
			conns = append(conns, c)
		}
		for _, c := range conns {
			c.Close()
		}
		p.counts("echo_connections_open", 0)
	}
	if n := p.count("a process died"); n != 2 {
		t.Errorf("%d lines of deaths", n)
	}
	p.closes()
}

func TestRefusedBeyondMax(t *testing.T) {
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-max", "3")...)
		var cs []net.Conn
		for range 3 {
			c := p.dial()
			must(t, trip(c, []byte("x")))
			cs = append(cs, c)
		}
		if _, err := p.dial().Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		p.counts("echo_connections_refused_total", 1)
		p.await("refused, as")
		cs[0].Close()
		p.counts("echo_connections_open", 2)
		must(t, trip(p.dial(), []byte("x")))
		for _, c := range cs {
			c.Close()
		}
		p.Process.Kill()
	})
}

// Without descriptors the server lives on, and serves those who wait when there are some.
func TestNoDescriptors(t *testing.T) {
	p := runEcho(t, exec.Command("sh", "-c", "ulimit -n 40; exec echo -listen 127.0.0.1:0"))
	p.address = p.await(`msg=listening address=(\S+)`)[1]
	p.await("fewer open files")
	var cs []net.Conn
	for range 60 { // those who are not accepted wait in the kernel
		cs = append(cs, p.dial())
	}
	p.await("cannot accept, trying again.*too many open files")
	must(t, trip(cs[0], noise(1000)))
	for i, c := range cs {
		if err := trip(c, noise(1000)); err != nil {
			t.Fatal(i, err)
		}
		c.Close()
	}
	p.closes()
}

func TestWrongFlags(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	taken := l.Addr().String()
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"-h", 0, "Usage: echo"},
		{"-max 0", 2, "-max 0: must be 1 or more"},
		{"-processes -1", 2, "-processes -1: must be 0 to 1000"},
		{"-idle -1s", 2, "-idle -1s: must be 0 or more"},
		{"-write-timeout -1s", 2, "-write-timeout -1s"},
		{"-drain -1s", 2, "-drain -1s"},
		{"-log loud", 2, "invalid value"},
		{"-listen=", 2, "-listen is empty"},
		{"12000", 2, `"12000" is not a flag`},
		{"-listen " + taken, 1, "address already in use"},
		{"-listen 127.0.0.1:0 -metrics " + taken, 1, "address already in use"},
		{"-processes 1 -listen 127.0.0.1:0 -metrics " + taken, 1, "address already in use"},
	} {
		out, err := exec.Command("echo", strings.Fields(c.args)...).CombinedOutput()
		code := 0
		if exit, ok := err.(*exec.ExitError); ok {
			code = exit.ExitCode()
		} else {
			must(t, err)
		}
		if code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("echo %s: %d, %s", c.args, code, out)
		}
	}
}

// A process that is stopped is killed when the time is over; nothing wrong is said of the other.
func TestStoppedProcess(t *testing.T) {
	p := startEcho(t, "-processes", "2", "-drain", "10ms")
	pids := p.pids()
	must(t, syscall.Kill(pids[0], syscall.SIGSTOP))
	for !inState(pids[0], "T") {
		time.Sleep(time.Millisecond)
	}
	p.closes()
	if n := p.count(`does not end, so it is killed.*process=0`); n != 1 {
		t.Errorf("%d lines of the stopped one", n)
	}
	if n := p.count(`process=1|takes its place`); n != 0 {
		t.Errorf("%d lines that are wrong", n)
	}
}

// The longest times there are mean what they say.
func TestLongestTimes(t *testing.T) {
	const longest = "2562047h47m16s"
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-drain", longest, "-idle", longest, "-write-timeout", longest)...)
		c := p.dial()
		must(t, trip(c, noise(10)))
		p.Process.Signal(os.Interrupt)
		p.await("closing: open")
		must(t, trip(c, noise(1000)))
		c.Close()
		if code := p.ends(); code != 0 || p.count("level=(WARN|ERROR)") != 0 {
			t.Error(code)
		}
	})
}
