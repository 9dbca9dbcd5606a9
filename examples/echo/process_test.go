//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// both runs a test with goroutines of one process and with worker processes.
func both(t *testing.T, test func(t *testing.T, args ...string)) {
	t.Run("goroutines", func(t *testing.T) { test(t) })
	t.Run("processes", func(t *testing.T) { test(t, "-processes", "2") })
}

// The notes' server: many clients at once, each gets its own bytes back, 3,000 of them too; a
// line for each connection and piece; one idle client does not hold up another.
func TestManyClients(t *testing.T) {
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-log", "debug")...)
		idle := p.dial()
		var clients sync.WaitGroup
		for range 40 {
			c := p.dial()
			clients.Go(func() {
				for _, n := range []int{1, 3000, 1024, 100_000} {
					if err := trip(c, noise(n)); err != nil {
						t.Error(err)
					}
				}
				c.CloseWrite()
				if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
					t.Error(len(rest), err)
				}
			})
		}
		clients.Wait()
		must(t, trip(idle, noise(3000)))
		p.counts(`echo_connections_ended_total`, 40)
		idle.Close()
		p.counts("echo_connections_open", 0)
		if n := p.numbers(); n["echo_received_bytes_total"] != 40*104_025+3000 || n["echo_sent_bytes_total"] != n["echo_received_bytes_total"] {
			t.Error(n)
		}
		p.closes()
		if n := p.count(`msg=connection .*in=104025 out=104025 .*why=ended`); n != 40 {
			t.Errorf("%d lines of connections", n)
		}
		if n := p.count(`msg=piece .*bytes=\d+ sent=\d+`); n < 160 {
			t.Errorf("%d lines of pieces", n)
		}
	})
}

const pythonClient = `
import os, socket, sys, threading
host, port = sys.argv[1].split(":")
def one(size, failed):
    sent = os.urandom(size)
    with socket.create_connection((host, int(port)), timeout=60) as s:
        def send():
            s.sendall(sent)
            s.shutdown(socket.SHUT_WR)
        t = threading.Thread(target=send)
        t.start()
        got = b""
        while True:
            piece = s.recv(1024)
            if not piece:
                break
            got += piece
        t.join()
        if got != sent:
            failed.append(size)
failed = []
threads = [threading.Thread(target=one, args=(size, failed)) for size in [0, 1, 1024, 3000, 100000] * 4]
for t in threads: t.start()
for t in threads: t.join()
print("failed:", failed)
`

// Python's clients, with the notes' recv(1024).
func TestPythonClients(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, args...)
		out, err := exec.Command(python, "-c", pythonClient, p.address).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "failed: []" {
			t.Errorf("%s %v", out, err)
		}
		p.counts("echo_connections_ended_total", 20)
		p.closes()
	})
}

// After Ctrl-C nobody new is served, and who is there may end.
func TestInterruptDrains(t *testing.T) {
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-drain", "1m")...)
		c := p.dial()
		must(t, trip(c, noise(10)))
		p.Process.Signal(os.Interrupt)
		p.await("closing: open")
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			other, err := net.Dial("tcp", p.address)
			if err != nil {
				break
			}
			other.Close()
			if time.Now().After(end) {
				t.Fatal("it still listens")
			}
		}
		must(t, trip(c, noise(100_000)))
		c.CloseWrite()
		if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
			t.Error(len(rest), err)
		}
		if code := p.ends(); code != 0 || p.count("msg=closed") != 1 {
			t.Error(code)
		}
	})
}

// Who does not end in time is closed, and the exit code is 0 all the same.
func TestTerminatedDrainIsOver(t *testing.T) {
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-drain", "50ms")...)
		c := p.dial()
		must(t, trip(c, noise(10)))
		p.Process.Signal(syscall.SIGTERM)
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		if code := p.ends(); code != 0 || p.count("the time to drain is over.*1 connections were closed") != 1 {
			t.Error(code)
		}
	})
}

func TestInterruptedTwice(t *testing.T) {
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-drain", "1h")...)
		c := p.dial()
		must(t, trip(c, noise(10)))
		p.Process.Signal(os.Interrupt)
		p.await("closing: open")
		began := time.Now()
		for !gone(p.Process.Pid) { // the first one may not have handed the second to the kernel yet
			p.Process.Signal(os.Interrupt)
			select {
			case <-p.ended:
			case <-time.After(20 * time.Millisecond):
			}
		}
		p.ends()
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("%v until it had ended", d)
		}
	})
}

// Nobody is left when the main process is killed: the workers have the pipe of its lines.
func TestKilledLeavesNobody(t *testing.T) {
	p := startEcho(t, "-processes", "2")
	c := p.dial()
	must(t, trip(c, noise(10)))
	pids := p.pids()
	p.Process.Kill()
	p.ends()
	for _, pid := range pids {
		for end := time.Now().Add(patience); !gone(pid); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("process %d is there", pid)
			}
		}
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("its connection is open")
	}
}

// gone says whether a process has ended, reaped or not: an orphan is the system's to reap.
func gone(pid int) bool { return inState(pid, "Z") }

// inState says whether a process is in a state of /proc, or is no more.
func inState(pid int, state string) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") "+state+" ")
}

// pids are those of the workers, when all have begun.
func (p *echoProcess) pids() (pids []int) {
	p.t.Helper()
	all := p.numbers()
	for end := time.Now().Add(patience); p.beginning(all) && time.Now().Before(end); all = p.numbers() {
		time.Sleep(time.Millisecond)
	}
	for i := 0; ; i++ {
		pid, ok := all[fmt.Sprintf(`echo_process_pid{process="%d"}`, i)]
		if !ok {
			return pids
		}
		pids = append(pids, pid)
	}
}

// beginning says that a worker has still to begin.
func (p *echoProcess) beginning(all map[string]int) bool {
	for i := 0; ; i++ {
		pid, ok := all[fmt.Sprintf(`echo_process_pid{process="%d"}`, i)]
		if !ok || pid == 0 {
			return ok
		}
	}
}

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
