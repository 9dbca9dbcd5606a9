package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// pythonPeer is testdata/peer.py as a process.
type pythonPeer struct {
	stdin io.Writer
	lines chan string
	port  string
}

func startPython(t *testing.T, c *chatProcess) *pythonPeer {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 in PATH: the chat with a Python program is not tested")
	}
	cmd := exec.Command(python, "testdata/peer.py", c.addr.Addr().String(), fmt.Sprint(c.addr.Port()))
	cmd.Stderr = os.Stderr
	p := &pythonPeer{lines: make(chan string, 10_000)}
	p.stdin, err = cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		for range p.lines {
		}
		cmd.Wait()
	})
	go func() {
		defer close(p.lines)
		for in := bufio.NewScanner(stdout); in.Scan(); {
			p.lines <- in.Text()
		}
	}()
	p.port = p.gets(t)
	return p
}

func (p *pythonPeer) gets(t *testing.T) string {
	t.Helper()
	select {
	case l, ok := <-p.lines:
		if !ok {
			t.Fatal("the Python program has ended")
		}
		return l
	case <-time.After(tooLate):
		t.Fatal("the Python program got nothing")
	}
	return ""
}

// A thousand messages each way, and all are in the history. UDP may drop what nobody takes
// in time, so no more than a window of them is under way.
func TestPython(t *testing.T) {
	t.Parallel()
	const messages, window = 1000, 32
	c := startChat(t)
	python := startPython(t, c)
	c.typeLine("/peer 127.0.0.1:%s", python.port)

	there := make(chan error)
	go func() { // to Python
		for i := range messages {
			if _, err := fmt.Fprintf(c.stdin, "去 %d\n", i); err != nil {
				there <- err
				return
			}
			if i >= window {
				there <- nil
			}
		}
		for range window {
			there <- nil
		}
	}()
	arrived := make(chan string)
	go func() {
		for i := range messages {
			select {
			case l := <-python.lines:
				if want := fmt.Sprintf("%d 去 %d", c.addr.Port(), i); l != want {
					arrived <- fmt.Sprintf("the Python program got %q, want %q", l, want)
				}
				if err := <-there; err != nil {
					arrived <- err.Error()
				}
			case <-time.After(tooLate):
				arrived <- fmt.Sprintf("message %d did not arrive", i)
				close(arrived)
				return
			}
		}
		close(arrived)
	}()
	for i := range messages + window { // from Python
		if i < messages {
			fmt.Fprintf(python.stdin, "来 %d\n", i)
		}
		if i >= window {
			c.await(fmt.Sprintf(`^接收到来自于\(127\.0\.0\.1, %s\)的数据:来 %d$`, python.port, i-window))
		}
	}
	for problem := range arrived {
		t.Error(problem)
	}
	must(t, c.stdin.Close())
	c.leaves()

	text, err := os.ReadFile(c.history)
	must(t, err)
	var sent, came []string
	for l := range strings.Lines(string(text)) {
		if strings.HasPrefix(l, "<<<") {
			sent = append(sent, l)
		} else {
			came = append(came, l)
		}
	}
	var wantSent, wantCame []string
	for i := range messages {
		wantSent = append(wantSent, fmt.Sprintf("<<<(127.0.0.1, %s):去 %d\n", python.port, i))
		wantCame = append(wantCame, fmt.Sprintf(">>>('127.0.0.1', %s):来 %d\n", python.port, i))
	}
	if !slices.Equal(sent, wantSent) || !slices.Equal(came, wantCame) {
		t.Errorf("the history has %d lines that were sent and %d that came, or others", len(sent), len(came))
	}
}
