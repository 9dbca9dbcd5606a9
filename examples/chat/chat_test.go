package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The notes' program: a menu; 1, address, port, lines; an empty line goes back; 2 leaves.
func TestMenu(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t)
	c.await(`1 .*send.*2 .*leave`)
	peer.send(c.addr, "while the menu waits")
	c.await(fmt.Sprintf(`^接收到来自于\(127\.0\.0\.1, %d\)的数据:while the menu waits$`, peer.port()))

	c.typeLine("3")
	c.await(`^3 is neither 1 nor 2$`)
	c.typeLine("1")
	c.await(`address`)
	c.typeLine("not an address")
	c.await(`^not an address is neither an address nor`)
	c.typeLine("127.0.0.1")
	c.await(`port`)
	c.typeLine("70000")
	c.await(`^70000 is not a port`)
	c.typeLine("%d", peer.port())
	c.typeLine("你好")
	peer.gets("你好", c.addr)
	c.await(fmt.Sprintf(`^发送到\(127\.0\.0\.1, %d\)的数据:你好$`, peer.port()))
	c.typeLine("")
	c.await(`1 .*send.*2 .*leave`)
	c.typeLine("1")
	c.typeLine("")
	c.await(`1 .*send.*2 .*leave`)
	c.typeLine("2")
	c.leaves()
	if !strings.Contains(c.everything(), "正在将1条消息写入chat.txt\n") {
		t.Errorf("it does not say that it writes:\n%s", c.everything())
	}
	c.wrote(fmt.Sprintf(">>>('127.0.0.1', %d):while the menu waits", peer.port()), fmt.Sprintf("<<<(127.0.0.1, %d):你好", peer.port()))
}

func TestCommands(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-peer", a.addr().String())
	c.typeLine("/history")
	c.await(`^chat.txt is empty$`)
	c.typeLine("to a")
	a.gets("to a", c.addr)
	c.typeLine("/peer %s", b.addr())
	c.typeLine("  to b, with spaces  \r")
	b.gets("  to b, with spaces  ", c.addr)
	c.typeLine("//peer is sent")
	b.gets("/peer is sent", c.addr)
	c.typeLine("")
	c.typeLine("/history 2")
	c.await(`^the last lines of chat.txt: 2$`)
	if l := <-c.lines; l != fmt.Sprintf("<<<(127.0.0.1, %d):  to b, with spaces  ", b.port()) {
		t.Errorf("the history shows %s", l)
	}
	c.await(fmt.Sprintf(`^<<<\(127.0.0.1, %d\):/peer is sent$`, b.port()))
	for wrong, says := range map[string]string{
		"/history 0": `^/history 0: must be a number`, "/history x": `^/history x: must be`, "/peer": `^/peer is no command`,
		"/peer 127.0.0.1": `^127.0.0.1 is not host:port.*; lines still go to \(127`, "/peer :1": `has no host`, "/peer 127.0.0.1:0": `^0 is not a port`, "/peer 127.0.0.1:": `has no port behind`,
		"/peer [::1]:7890":         `cannot be reached from 127.0.0.1.*IPv6`,
		"/peer no.such.invalid:1":  `^(no host with the name|the address of) no.such.invalid `,
		"/quit now":                `^/quit now is no command`,
		"/\x1b[2J":                 `^/\\x1b\[2J is no command`,
		strings.Repeat("x", 65508): `^not sent to .*: x+\.\.\. \(it has 65508 bytes of UTF-8, and a datagram takes 65507\)$`,
		strings.Repeat("y", 1<<20): `^not sent to .*: y+\.\.\. \(it has 1048576 bytes`,
		"\xff\xfe":                 `^not sent to .*: \\xff\\xfe \(it is not UTF-8\)$`,
	} {
		c.typeLine("%s", wrong)
		c.await(says)
	}
	c.typeLine("/help")
	c.await(`^/history \[n\]`)
	c.typeLine("%s", strings.Repeat("z", 65507))
	c.await(`zzz`)
	b.gets(strings.Repeat("z", 65507), c.addr)
	c.typeLine("/quit")
	c.leaves()
	c.wrote(fmt.Sprintf("<<<(127.0.0.1, %d):to a", a.port()), fmt.Sprintf("<<<(127.0.0.1, %d):  to b, with spaces  ", b.port()),
		fmt.Sprintf("<<<(127.0.0.1, %d):/peer is sent", b.port()), fmt.Sprintf("<<<(127.0.0.1, %d):%s", b.port(), strings.Repeat("z", 65507)))
}

// The end of the input is the end, whatever the peer does; a last line needs no break.
func TestEndOfInput(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-peer", peer.addr().String())
	fmt.Fprint(c.stdin, "one\ntwo")
	must(t, c.stdin.Close())
	c.leaves()
	peer.gets("one", c.addr)
	peer.gets("two", c.addr)
	c.wrote(fmt.Sprintf("<<<(127.0.0.1, %d):one", peer.port()), fmt.Sprintf("<<<(127.0.0.1, %d):two", peer.port()))
}

// Nobody can forge a line or make the terminal do something.
func TestMessagesAreEscaped(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t)
	here := fmt.Sprintf("127.0.0.1, %d", peer.port())
	var want []string
	for _, m := range [][2]string{
		{"hi\n>>>('10.0.0.1', 7890):forged", `hi\n>>>('10.0.0.1', 7890):forged`},
		{"hi\r\n<<<(10.0.0.1, 7890):forged\n", `hi\r\n<<<(10.0.0.1, 7890):forged\n`},
		{"\x1b[2J\x1b]0;owned\a\u009b1A\x9b", `\x1b[2J\x1b]0;owned\x07\u009b1A\x9b`},
		{"a\u2028b\u2029\u0085c\v\f", `a\u2028b\u2029\u0085c\x0b\x0c`},
		{"\u202etxt.exe", `\u202etxt.exe`},
		{`C:\new`, `C:\\new`},
		{"", ""},
		{"\xff\x00", `\xff\x00`},
		{strings.Repeat("é", 32753), strings.Repeat("é", 32753)},
		{strings.Repeat("\xff", 65507), strings.Repeat(`\xff`, 65507)},
	} {
		peer.send(c.addr, m[0])
		c.await(`^接收到来自于`)
		if l := c.said[len(c.said)-1]; l != "接收到来自于("+here+")的数据:"+m[1] {
			t.Errorf("%.80q is shown as %.200s", m[0], l)
		}
		want = append(want, ">>>('127.0.0.1', "+fmt.Sprint(peer.port())+"):"+m[1])
	}
	must(t, c.stdin.Close())
	c.leaves()
	c.wrote(want...)
}

// What is in the file may be someone else's, and is shown as carefully.
func TestHistoryOfOthers(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "old.txt")
	must(t, os.WriteFile(name, []byte("old \\n line\n\x1b[2J\xff\nhalf a li"), 0o600))
	c := startChat(t, "-history", name)
	c.typeLine("/history")
	c.await(`^the last lines of .*old.txt: 3$`)
	c.await(`^old \\n line$`)
	c.await(`^\\x1b\[2J\\xff$`)
	c.await(`^half a li$`)
	peer := newPeer(t, "127.0.0.1:0")
	peer.send(c.addr, "new")
	c.await(`的数据:new$`)
	must(t, c.stdin.Close())
	c.leaves()
	got, err := os.ReadFile(name)
	must(t, err)
	if want := fmt.Sprintf("old \\n line\n\x1b[2J\xff\nhalf a li\n>>>('127.0.0.1', %d):new\n", peer.port()); string(got) != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
}

// Two runs one after the other append to one file.
func TestHistoryIsAppended(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "both.txt")
	peer := newPeer(t, "127.0.0.1:0")
	want := ""
	for _, text := range []string{"first", "second"} {
		c := startChat(t, "-history", name, "-peer", peer.addr().String())
		c.typeLine("%s", text)
		peer.gets(text, c.addr)
		c.typeLine("/quit")
		c.leaves()
		want += fmt.Sprintf("<<<(127.0.0.1, %d):%s\n", peer.port(), text)
	}
	got, err := os.ReadFile(name)
	must(t, err)
	if string(got) != want {
		t.Errorf("the history is %q, want %q", got, want)
	}
}

// An answer is in the history behind what it answers, however fast it comes.
func TestAnswersComeAfter(t *testing.T) {
	t.Parallel()
	const messages = 500
	peer := newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-peer", peer.addr().String())
	go func() { // until the peer is closed
		buf := make([]byte, 100)
		for {
			n, from, err := peer.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			peer.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	var want []string
	for i := range messages {
		c.typeLine("%d", i)
		c.await(fmt.Sprintf(`^接收到来自于.*:%d$`, i))
		want = append(want, fmt.Sprintf("<<<(127.0.0.1, %d):%d", peer.port(), i), fmt.Sprintf(">>>('127.0.0.1', %d):%[2]d", peer.port(), i))
	}
	must(t, c.stdin.Close())
	c.leaves()
	c.wrote(want...)
}

func TestManySenders(t *testing.T) {
	t.Parallel()
	c := startChat(t)
	var want []string
	for i := range 50 {
		p := newPeer(t, "127.0.0.1:0")
		p.send(c.addr, fmt.Sprint("I am ", i))
		c.await(fmt.Sprintf(`^接收到来自于\(127.0.0.1, %d\)的数据:I am %d$`, p.port(), i))
		want = append(want, fmt.Sprintf(">>>('127.0.0.1', %d):I am %d", p.port(), i))
	}
	must(t, c.stdin.Close())
	c.leaves()
	c.wrote(want...)
}

// A socket for all addresses talks both families.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	six, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	t.Cleanup(func() { six.Close() })
	peer6, peer4 := &testPeer{six.(*net.UDPConn), t}, newPeer(t, "127.0.0.1:0")
	c := startChat(t, "-listen", ":0", "-peer", peer6.addr().String())
	port := c.addr.Port()
	c.typeLine("six")
	peer6.gets("six", c.addr)
	c.typeLine("/peer %s", peer4.addr())
	c.typeLine("four")
	peer4.gets("four", c.addr)
	c.await(`的数据:four$`)
	peer6.send(netip.AddrPortFrom(netip.IPv6Loopback(), port), "from six")
	c.await(fmt.Sprintf(`^接收到来自于\(::1, %d\)的数据:from six$`, peer6.port()))
	peer4.send(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), "from four")
	c.await(fmt.Sprintf(`^接收到来自于\(127.0.0.1, %d\)的数据:from four$`, peer4.port()))
	must(t, c.stdin.Close())
	c.leaves()
	c.wrote(fmt.Sprintf("<<<(::1, %d):six", peer6.port()), fmt.Sprintf("<<<(127.0.0.1, %d):four", peer4.port()),
		fmt.Sprintf(">>>('::1', %d):from six", peer6.port()), fmt.Sprintf(">>>('127.0.0.1', %d):from four", peer4.port()))
}
