//go:build linux

package hosted_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// hello is a client's first message, with its length.
func hello(version byte) []byte {
	h := append([]byte("mp-hosted"), version, 1, 0)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(h))), h...)
}

// greeted is a connection after the first messages.
func greeted(t *testing.T, path string) net.Conn {
	t.Helper()
	conn := dial(t, path)
	conn.Write(hello(1))
	if _, err := conn.Read(make([]byte, 200)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func framed(body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// ends fails the test unless the server ends the connection.
func ends(t *testing.T, what string, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errTimeout(err)) {
		t.Errorf("%s: the server goes on", what)
	}
}

// errTimeout is err if it is a timeout.
func errTimeout(err error) error {
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return err
	}
	return errors.New("none")
}

// works fails the test unless another client is served as ever.
func works(t *testing.T, c *hosted.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	l, err := c.NewLock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g, err := l.Acquire(ctx)
	if err := errors.Join(err, l.Release(g.Token)); err != nil {
		t.Error("another client suffers:", err)
	}
}

func TestClientsThatSpeakSomethingElse(t *testing.T) {
	t.Parallel()
	s, path := serve(t, hosted.Config{MaxMessage: 1 << 20})
	good := connect(t, path, hosted.ClientConfig{})
	for what, bytes := range map[string][]byte{
		"a pickle": framed(0x80, 4, 'N', '.'), "another version": hello(9), "a long hello": binary.BigEndian.AppendUint32(nil, 1<<20),
		"nothing": framed(), "the wrong magic": framed([]byte("mp-hostel\x01\x01\x00")...),
	} {
		conn := dial(t, path)
		conn.Write(bytes)
		ends(t, what, conn)
	}
	const create = 16 + 3 // opCreate
	for what, bytes := range map[string][]byte{
		"4 GiB announced": {0xff, 0xff, 0xff, 0xff}, "a frame of nothing": framed(), "unknown flags": framed(create, 0xff, 1, 0),
		"an endless number":    framed(append([]byte{create, 0}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)...),
		"a billion references": framed(create, 1<<5, 1, 0, 0xff, 0xff, 0xff, 0xff, 3), "more than the limit": binary.BigEndian.AppendUint32(nil, 1<<21),
	} {
		conn := greeted(t, path)
		conn.Write(bytes)
		ends(t, what, conn)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 { // what is well-formed but makes no sense is answered, and what is not ends the connection
		conn := greeted(t, path)
		for range 20 {
			body := make([]byte, random.IntN(60))
			for i := range body {
				body[i] = byte(random.Uint32())
			}
			if len(body) > 2 {
				body[0], body[1] = byte(random.IntN(128)), byte(random.IntN(64))
			}
			conn.Write(framed(body...))
		}
		conn.Close()
	}
	eventually(t, "the end of sessions", func() bool { return s.Sessions() == 1 })
	if n := s.Objects(); n != 0 {
		t.Error(n, "objects are left")
	}
	works(t, good)
}

// What was announced takes no memory before it is there.
func TestAnnouncedBytesTakeNoMemory(t *testing.T) {
	_, path := serve(t, hosted.Config{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 20 {
		greeted(t, path).Write(binary.BigEndian.AppendUint32(nil, 1<<30))
	}
	works(t, connect(t, path, hosted.ClientConfig{}))
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("%d MiB for what did not come", grown>>20)
	}
}

// A client that reads nothing is given up; one that sends a byte now and then harms only itself.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	s, path := serve(t, hosted.Config{Heartbeat: 500 * time.Millisecond})
	good := connect(t, path, hosted.ClientConfig{Heartbeat: 500 * time.Millisecond, Limit: time.Minute})
	q := testkit.Must(good.NewQueue(testkit.Ctx(t), hosted.FirstInFirstOut, 0, 0))(t)
	late := dial(t, path) // says nothing
	ends(t, "silence before the first message", late)
	deaf := greeted(t, path)
	id := q.ID()
	deaf.Write(framed(append([]byte{16 + 4, 0, 1, 0}, id[:]...)...)) // opOpen
	for err := error(nil); err == nil; {                             // until the server reads no more, or is done with it
		deaf.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, err = deaf.Write(framed(append([]byte{16 + 4, 0, 1, 0}, id[:]...)...))
	}
	slow := greeted(t, path)
	for _, b := range framed(append([]byte{16 + 4, 0, 1, 0}, id[:]...)...) {
		slow.Write([]byte{b})
		time.Sleep(20 * time.Millisecond)
		works(t, good)
	}
	if n, err := slow.Read(make([]byte, 100)); n == 0 || err != nil {
		t.Error("no reply to a slow client:", err)
	}
	slow.Close()
	eventually(t, "the end of the others", func() bool { return s.Sessions() == 1 })
}

// One client that has too many calls at once gets an error.
func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{MaxCalls: 10})
	c := connect(t, path, hosted.ClientConfig{})
	e := testkit.Must(c.NewEvent(ctx))(t)
	waits := make(chan error, 30)
	for range 30 {
		go func() { waits <- e.Wait(ctx) }()
	}
	for range 20 {
		if err := <-waits; !errors.Is(err, carrier.ErrFull) {
			t.Error(err)
		}
	}
	if err := e.Set(); err != nil {
		t.Error(err)
	}
	for range 10 {
		if err := <-waits; err != nil {
			t.Error(err)
		}
	}
}

// A message that is too large is an error of its sender, and nothing else.
func TestTooLargeMessage(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{MaxMessage: 1 << 20})
	c := connect(t, path, hosted.ClientConfig{})
	q := testkit.Must(c.NewQueue(ctx, hosted.FirstInFirstOut, 0, 0))(t)
	if err := q.PutMessage(ctx, hosted.Message{Data: make([]byte, 2<<20)}); err == nil {
		t.Error("it was sent")
	}
	large := make([]byte, 1<<20)
	large[12345] = 1
	if err := q.PutMessage(ctx, hosted.Message{Data: large}); err != nil {
		t.Error(err)
	}
	if b, _, err := q.Get(ctx, nil); err != nil || len(b) != len(large) || b[12345] != 1 {
		t.Error(len(b), err)
	}
	works(t, c)
}
