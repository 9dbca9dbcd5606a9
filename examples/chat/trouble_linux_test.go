package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What was on the screen is in the file, whenever the program is killed.
func TestKilled(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		peer := newPeer(t, "127.0.0.1:0")
		c := startChat(t, "-peer", peer.addr().String())
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					peer.WriteToUDPAddrPort(fmt.Appendf(nil, "came %d", i), c.addr)
					fmt.Fprintf(c.stdin, "sent %d\n", i) // no error before the kill
				}
			}
		}()
		c.await(fmt.Sprintf(`的数据:(came|sent) %d`, 50*round))
		must(t, c.Process.Kill())
		close(stop)
		if code := c.ends(); code != -1 {
			t.Errorf("exit code %d of a killed program", code)
		}
		<-done
		text, err := os.ReadFile(c.history)
		must(t, err)
		inFile := map[string]bool{}
		for l := range strings.Lines(string(text)) {
			inFile[l] = true
		}
		shown := 0
		for _, l := range c.said {
			if m := regexp.MustCompile(`^(?:接收到来自于|发送到)\((.*), (.*)\)的数据:(.*)$`).FindStringSubmatch(l); m != nil {
				shown++
				entry := fmt.Sprintf("<<<(%s, %s):%s\n", m[1], m[2], m[3])
				if strings.HasPrefix(l, "接收到") {
					entry = fmt.Sprintf(">>>('%s', %s):%s\n", m[1], m[2], m[3])
				}
				if !inFile[entry] {
					t.Errorf("round %d: shown and not in the file: %s", round, l)
				}
			}
		}
		if shown < 1 {
			t.Errorf("round %d: nothing was shown", round)
		}
	}
}

// What the system drops, because the program does not take it in time, is counted too. A
// program that is stopped stands for one that has no time.
func TestDroppedBySystem(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t)
	must(t, c.Process.Signal(syscall.SIGSTOP))
	const messages = 500 // more than 8 MiB, which is what 4 MiB of buffer are
	for range messages {
		peer.send(c.addr, strings.Repeat("x", 60_000))
	}
	must(t, c.Process.Signal(syscall.SIGCONT))
	m := c.await(`^(\d+) messages that came were dropped`)
	dropped, err := strconv.Atoi(m[1])
	must(t, err)
	shown := 0
	for _, l := range c.said {
		shown += strings.Count(l, "的数据:")
	}
	for ; shown < messages-dropped; shown++ {
		c.await(`的数据:`)
	}
	must(t, c.stdin.Close())
	if code := c.ends(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(c.history)
	must(t, err)
	kept := strings.Count(string(text), "\n")
	if kept+dropped != messages {
		t.Errorf("%d messages are in the history and %d were dropped, of %d", kept, dropped, messages)
	}
	if want := fmt.Sprintf("\n%d messages are missing in the history\n", dropped); !strings.HasSuffix(c.everything(), want) {
		t.Errorf("it does not end with %s:\n%s", want, c.someOf())
	}
}

// A line that another program is writing is not taken for half a line.
func TestLineOfAnother(t *testing.T) {
	t.Parallel()
	file, err := openHistory(filepath.Join(t.TempDir(), "chat.txt"))
	must(t, err)
	defer file.Close()
	other, err := openHistory(file.Name())
	must(t, err)
	defer other.Close()
	free := alone(other)
	_, err = other.WriteString(">>>('127.0.0.1', 1):ha")
	must(t, err)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		newHistory(file, &recorder{}, nil).keep([]message{{netip.MustParseAddrPort("127.0.0.1:7891"), true, "mine"}})
	}()
	_, err = other.WriteString("lf\n")
	must(t, err)
	free()
	<-kept
	text, err := os.ReadFile(file.Name())
	must(t, err)
	if want := ">>>('127.0.0.1', 1):half\n>>>('127.0.0.1', 7891):mine\n"; string(text) != want {
		t.Errorf("the history is\n%swant\n%s", text, want)
	}
}

// Two programs that write to one history tear none of their lines, nor take one that the
// other is writing for half a line.
func TestTwoOnOneHistory(t *testing.T) {
	t.Parallel()
	const messages = 30
	name := filepath.Join(t.TempDir(), "both.txt")
	peer := newPeer(t, "127.0.0.1:0")
	long := strings.Repeat("x", 60_000) // the system writes it in pieces
	var both [2]*chatProcess
	for i := range both {
		both[i] = startChat(t, "-history", name)
	}
	for range messages {
		for _, c := range both {
			peer.send(c.addr, long)
		}
		for _, c := range both {
			c.await(`的数据:x+$`)
		}
	}
	for _, c := range both {
		must(t, c.stdin.Close())
		c.leaves()
	}
	text, err := os.ReadFile(name)
	must(t, err)
	line := fmt.Sprintf(">>>('127.0.0.1', %d):%s\n", peer.port(), long)
	lines := 0
	for l := range strings.Lines(string(text)) {
		if lines++; l != line {
			t.Errorf("line %d is %.100q", lines, l)
		}
	}
	if lines != 2*messages {
		t.Errorf("there are %d lines, want %d", lines, 2*messages)
	}
}

// A history that is removed, or replaced as some editors do, is not written into the void.
func TestHistoryIsRemoved(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t)
	peer.send(c.addr, "one")
	c.await(`的数据:one$`)
	must(t, os.Remove(c.history))
	peer.send(c.addr, "two")
	c.await(`^chat.txt is not the file any more that it was: it was opened again$`)
	c.await(`的数据:two$`)
	c.wrote(fmt.Sprintf(">>>('127.0.0.1', %d):two", peer.port()))
	must(t, os.WriteFile(c.history+".new", []byte("edited\n"), 0o600))
	must(t, os.Rename(c.history+".new", c.history))
	c.typeLine("/history")
	c.await(`^edited$`)
	must(t, os.RemoveAll(c.Dir))
	peer.send(c.addr, "three")
	c.await(`^cannot write the history chat.txt: no such file or directory$`)
	c.await(`^not in the history: .*:three$`)
	must(t, c.stdin.Close())
	if code := c.ends(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}

// A disk that is stuck does not keep the program from receiving, nor from leaving. A FIFO
// that nobody reads stands for it.
func TestStuckDisk(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-history", fifo)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				peer.WriteToUDPAddrPort([]byte(strings.Repeat("x", 1000)), c.addr)
			}
		}
	}()
	c.await(`^the history does not keep up: what comes is dropped`)
	close(stop)
	<-done
	c.typeLine("/peer %s", peer.addr())
	c.typeLine("still sent")
	peer.gets("still sent", c.addr)
	c.typeLine("/history")
	began := time.Now()
	c.typeLine("/quit")
	if code := c.ends(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("leaving took %v", took)
	}
	for _, says := range []string{"misses it: still sent\n", "the history does not keep up: try again\n", "may be missing in the history"} {
		if !strings.Contains(c.everything(), says) {
			t.Errorf("it does not say %s:\n%s", says, c.everything())
		}
	}
}

// A screen that takes nothing does not keep the program from leaving. A pipe that nobody
// reads stands for it.
func TestStuckScreen(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	peer := newPeer(t, "127.0.0.1:0")
	c := exec.Command("chat", "-listen", "127.0.0.1:0", "-peer", peer.addr().String())
	c.Dir, c.Stdout, c.Stderr = t.TempDir(), w, w
	stdin, err := c.StdinPipe()
	must(t, err)
	must(t, c.Start())
	w.Close()
	go func() {
		for { // until the program has ended: it has stopped to read long before
			if _, err := io.WriteString(stdin, strings.Repeat("y", 1000)+"\n"); err != nil {
				return
			}
		}
	}()
	peer.SetReadDeadline(time.Now().Add(tooLate))
	buf := make([]byte, 1<<16)
	for range 100 { // the pipe is full before
		_, _, err := peer.ReadFromUDPAddrPort(buf)
		must(t, err)
	}
	began := time.Now()
	must(t, c.Process.Signal(os.Interrupt))
	c.Wait() // the code says it
	if took := time.Since(began); took > time.Second || c.ProcessState.ExitCode() != exitFailed {
		t.Errorf("leaving took %v, with exit code %d", took, c.ProcessState.ExitCode())
	}
}

// A peer that is not there is told of, though a socket that talks to many does not hear
// of it by itself, and the next one gets its message.
func TestUnreachablePeer(t *testing.T) {
	t.Parallel()
	gone := newPeer(t, "127.0.0.1:0")
	nobody := gone.addr()
	gone.Close()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-listen", ":0", "-peer", nobody.String())
	c.typeLine("is there somebody")
	c.await(fmt.Sprintf(`^\(127\.0\.0\.1, %d\) cannot be reached: connection refused$`, nobody.Port()))
	for i := range 20 {
		c.typeLine("/peer %s", nobody)
		c.typeLine("%d", i)
		c.typeLine("/peer %s", peer.addr())
		c.typeLine("%d", i)
		peer.gets(fmt.Sprint(i), c.addr)
	}
	peer.send(netip.AddrPortFrom(peer.addr().Addr(), c.addr.Port()), "still here")
	c.await(`的数据:still here$`)
	must(t, c.stdin.Close())
	c.leaves()
}

// A message that the system does not take is told of with its text.
func TestNoWayToPeer(t *testing.T) {
	t.Parallel()
	c := startChat(t, "-peer", "192.0.2.1:7890") // from 127.0.0.1 there is no way to others
	c.typeLine("hello")
	c.await(`^not sent to \(192\.0\.2\.1, 7890\): hello \(.*127\.0\.0\.1.*\)$`)
	must(t, c.stdin.Close())
	c.leaves()
	c.wrote("")
}

// Ctrl-C is a way to leave, and what has come is kept.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			t.Logf("%v is ignored here, as under nohup, and so by the program", sig)
			continue
		}
		peer := newPeer(t, "127.0.0.1:0")
		c := startChat(t)
		for i := range 100 {
			peer.send(c.addr, fmt.Sprint(i))
		}
		must(t, c.Process.Signal(sig))
		c.leaves()
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprintf(">>>('127.0.0.1', %d):%d", peer.port(), i))
		}
		c.wrote(want...)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	stderr, err := os.CreateTemp(t.TempDir(), "")
	must(t, err)
	defer stderr.Close()
	if code := program([]string{"-listen", peer.addr().String(), "-history", os.DevNull}, os.Stdin, stderr, stderr); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(stderr.Name())
	must(t, err)
	if want := fmt.Sprintf("cannot listen on %s: address already in use; -listen takes another address\n", peer.addr()); string(text) != want {
		t.Errorf("it says %q, want %q", text, want)
	}
}
