package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gomultiprocessing/mp/thread"
)

// recorder is a screen that remembers.
type recorder struct {
	mu  sync.Mutex
	all []string
}

func (r *recorder) lines(text ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, text...)
}
func (r *recorder) problem(text string) { r.lines("! " + text) }
func (r *recorder) ask(string)          {}
func (r *recorder) answered(string)     {}
func (r *recorder) typeAhead() int      { return 1 }
func (r *recorder) close()              {}
func (r *recorder) read(context.Context, func(line) bool, func()) error {
	return nil
}

func TestTail(t *testing.T) {
	t.Parallel()
	write := func(text string) *os.File {
		f, err := openHistory(filepath.Join(t.TempDir(), "h"))
		must(t, err)
		t.Cleanup(func() { f.Close() })
		_, err = f.WriteString(text)
		must(t, err)
		return f
	}
	for text, want := range map[string][]string{
		"": nil, "\n": {""}, "a": {"a"}, "a\n": {"a"}, "a\nb\n": {"a", "b"}, "a\nb\nc\n": {"b", "c"}, "a\nb\nc": {"b", "c"}, "\n\n\n": {"", ""},
	} {
		got, _, err := tail(write(text), 2)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("the last two lines of %q are %q, %v; want %q", text, got, err, want)
		}
	}
	var long strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	got, _, err := tail(write(long.String()), 10_000)
	if err != nil || len(got) != 10_000 || got[0] != "line 90000" || got[9_999] != "line 99999" {
		t.Errorf("%d lines of a long history, %v", len(got), err)
	}
}

// A line that is longer than what is read is not shown in part, and it is said that there
// is more.
func TestTailIsCut(t *testing.T) {
	t.Parallel()
	for ends, want := range map[string][]string{
		"":          {"the last lines of %s: 0, as many as its last 16 MiB hold"},
		"\nlast\n":  {"the last lines of %s: 1, as many as its last 16 MiB hold", "last"},
		"\na\nb\nc": {"the last lines of %s: 2", "b", "c"},
	} {
		f, err := openHistory(filepath.Join(t.TempDir(), "h"))
		must(t, err)
		defer f.Close()
		must(t, f.Truncate(1<<30)) // a line without end
		_, err = f.WriteString(ends)
		must(t, err)
		out := &recorder{}
		newHistory(f, out, nil).showLast(2)
		want[0] = fmt.Sprintf(want[0], f.Name())
		if !slices.Equal(out.all, want) {
			t.Errorf("with %q at the end it says %.300q, want %q", ends, out.all, want)
		}
	}
}

// What is longer than the buffer is cut and said so, and what finds no room is counted.
func TestReceiver(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	conn := pc.(*net.UDPConn)
	defer conn.Close()
	kept, seen := make(chan string, 3), make(chan struct{}, 10)
	r := &receiver{conn: conn, most: 4, notices: newNotices(), keep: func(m message) bool {
		defer func() { seen <- struct{}{} }()
		select {
		case kept <- m.text:
			return true
		default:
			return false
		}
	}}
	running, err := thread.Start(t.Context(), "receiver", r.run)
	must(t, err)
	peer := newPeer(t, "127.0.0.1:0")
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, text := range []string{"four", "longer", "", "no room", "none", "none"} {
		peer.send(to, text)
		<-seen
	}
	conn.SetReadDeadline(time.Now())
	must(t, running.Join(context.Background()))
	if n := r.dropped(); n != 3 {
		t.Errorf("%d messages were dropped, want 3", n)
	}
	for _, want := range []string{"four", "long", ""} {
		if got := <-kept; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	out := &recorder{}
	r.notices.queue.Close()
	must(t, r.notices.show(out)(t.Context()))
	from := bare(peer.addr())
	want := []string{
		"! the message from " + from + " that begins with longe is longer than 4 bytes: the rest is lost",
		"! the message from " + from + " that begins with no ro is longer than 4 bytes: the rest is lost",
		"! the history does not keep up: what comes is dropped until there is room in its queue",
	}
	if !slices.Equal(out.all, want) {
		t.Errorf("it says %q, want %q", out.all, want)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	v4, v6, all := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"), netip.MustParseAddr("::")
	for _, c := range []struct {
		host  string
		local netip.Addr
		want  string // "": an error
	}{
		{"10.0.0.1", v4, "10.0.0.1"}, {"10.0.0.1", all, "10.0.0.1"}, {"10.0.0.1", v6, ""},
		{"::ffff:10.0.0.1", v4, "10.0.0.1"}, {"::1", all, "::1"}, {"[::1]", all, "::1"}, {"::1", v4, ""},
		{"fe80::1%eth0", all, "fe80::1%eth0"}, {"localhost", v4, "127.0.0.1"}, {"a b", all, ""}, {"\x1b[2J", all, ""}, {"a/b", all, ""},
	} {
		got, err := lookup(t.Context(), c.host, c.local)
		if (c.want == "") != (err != nil) || err == nil && got.String() != c.want {
			t.Errorf("%q from %s is %v, %v; want %s", c.host, c.local, got, err, c.want)
		}
		if err != nil && !plain(err.Error()) {
			t.Errorf("%q from %s: the error is %q", c.host, c.local, err)
		}
	}
	two := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")}
	for local, want := range map[netip.Addr]string{v4: "192.0.2.1", v6: "2001:db8::1", all: "192.0.2.1"} {
		if got, err := choose(two, "two", local); err != nil || got.String() != want {
			t.Errorf("from %s the address is %v, %v; want %s", local, got, err, want)
		}
	}
	if _, err := choose(two[:1], "six", v4); err == nil {
		t.Error("an address of IPv6 was chosen for a socket of IPv4")
	}
}
