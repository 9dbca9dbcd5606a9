package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// On a full disk the chat goes on and says what is missing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-history", "/dev/full", "-peer", peer.addr().String())
	c.typeLine("hello")
	peer.gets("hello", c.addr)
	c.await(`^cannot write the history /dev/full: no space left on device$`)
	c.await(`^not in the history: 发送到.*:hello$`)
	peer.send(c.addr, "hi")
	c.await(`^not in the history: 接收到来自于.*:hi$`)
	c.typeLine("/history")
	c.await(`^cannot read the history /dev/full: it is not a file`)
	c.typeLine("/quit")
	if code := c.ends(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(c.everything(), "\n2 messages are missing in the history\n") {
		t.Errorf("it does not say what is missing:\n%s", c.everything())
	}
}

// A disk that fills up in the middle of a message takes the ones before it, and these alone
// are shown as kept. A limit on the size of files stands for it.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh in PATH, which sets the limit")
	}
	peer := newPeer(t, "127.0.0.1:0")
	cmd := exec.Command(sh, "-c", "ulimit -f 1 && exec chat -listen 127.0.0.1:0 -peer "+peer.addr().String())
	cmd.Dir = t.TempDir()
	var typed strings.Builder
	for i := range 50 {
		fmt.Fprintf(&typed, "%d %s\n", i, strings.Repeat("x", 50))
	}
	cmd.Stdin = strings.NewReader(typed.String())
	out, _ := cmd.CombinedOutput() // the code says it
	if code := cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	file, err := os.ReadFile(filepath.Join(cmd.Dir, "chat.txt"))
	must(t, err)
	shown, missing, whole := 0, 0, 0
	for l := range strings.Lines(string(out)) {
		switch {
		case strings.HasPrefix(l, "not in the history: "):
			missing++
		case strings.Contains(l, "的数据:"):
			shown++
		}
	}
	for l := range strings.Lines(string(file)) {
		if strings.HasSuffix(l, "\n") {
			whole++
		}
	}
	if shown != whole || missing != 50-whole || whole == 0 || whole == 50 {
		t.Errorf("%d messages are shown as kept, %d are whole in the file, %d are said to be missing:\n%s", shown, whole, missing, out)
	}
	if want := fmt.Sprintf("\n%d messages are missing in the history\n", missing); !strings.HasSuffix(string(out), want) {
		t.Errorf("it does not end with %s:\n%s", want, out)
	}
}

// What comes after half a line begins a new one, and it is said when a disk works again.
func TestHalfLine(t *testing.T) {
	t.Parallel()
	file, err := openHistory(filepath.Join(t.TempDir(), "chat.txt"))
	must(t, err)
	defer file.Close()
	bad, err := os.Open(file.Name()) // that cannot be written
	must(t, err)
	defer bad.Close()
	out := &recorder{}
	h := newHistory(file, out, nil)
	peer := netip.MustParseAddrPort("127.0.0.1:7891")
	h.keep([]message{{peer, true, "whole"}})
	// As a program that was killed leaves it.
	_, err = file.WriteString(">>>('127.0.0.1', 1):ha")
	must(t, err)
	h.file = bad
	h.keep([]message{{peer, true, "missing"}})
	h.file = file
	h.keep([]message{{peer, true, "after"}, {peer, false, "last"}})
	text, err := os.ReadFile(file.Name())
	must(t, err)
	want := ">>>('127.0.0.1', 7891):whole\n>>>('127.0.0.1', 1):ha\n>>>('127.0.0.1', 7891):after\n<<<(127.0.0.1, 7891):last\n"
	if string(text) != want {
		t.Errorf("the history is\n%swant\n%s", text, want)
	}
	var said []string
	for _, l := range out.all {
		if !strings.HasPrefix(l, "正在将") {
			said = append(said, l)
		}
	}
	wantSaid := []string{
		"接收到来自于(127.0.0.1, 7891)的数据:whole",
		"! cannot write the history " + file.Name() + ": bad file descriptor",
		"not in the history: 接收到来自于(127.0.0.1, 7891)的数据:missing",
		"! the history can be written again",
		"接收到来自于(127.0.0.1, 7891)的数据:after",
		"发送到(127.0.0.1, 7891)的数据:last",
	}
	if !slices.Equal(said, wantSaid) || h.missing.Load() != 1 {
		t.Errorf("it says %q, want %q; %d are missing", said, wantSaid, h.missing.Load())
	}
}

// What is missing is counted exactly; a wish to see the history is no message.
func TestStuckDiskIsCounted(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-history", fifo, "-peer", peer.addr().String())
	for range 2 { // of which a FIFO holds one
		peer.send(c.addr, strings.Repeat("x", 60_000))
		c.await(`^正在将1条消息写入`)
	}
	c.typeLine("waits")
	c.typeLine("/history")
	c.typeLine("/history")
	c.typeLine("/quit ")
	if code := c.ends(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(c.everything(), "\n2 messages may be missing in the history: writing it takes too long\n") {
		t.Errorf("it does not say what is missing:\n%s", c.someOf())
	}
}
