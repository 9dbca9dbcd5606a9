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
