//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/pipe"
)

func newPipe(t testing.TB) (a, b *pipe.End) {
	t.Helper()
	a, b, err := pipe.New(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

func send(ctx context.Context, e *pipe.End, data []byte) error {
	return e.Send(ctx, pipe.Bytes, [][]byte{data}, nil)
}

func mustSend(t *testing.T, e *pipe.End, data string) {
	t.Helper()
	if err := send(background, e, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func mustReceive(t *testing.T, e *pipe.End, want string) {
	t.Helper()
	m, err := e.Receive(background, pipe.Bytes, -1)
	if err != nil || string(m.Data) != want {
		t.Fatalf("%.40q, %v; not %.40q", m.Data, err, want)
	}
}

func soon(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(background, d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// A send that is given up has no effect, wherever it was.
func TestSendGivenUp(t *testing.T) {
	a, b := newPipe(t)
	for _, size := range []int{1 << 20, 3 << 20, 212_000, 150_000} {
		mustSend(t, a, "before")
		given, data := 0, make([]byte, size)
		for range 20 {
			if err := send(soon(2*time.Millisecond), a, data); errors.Is(err, context.DeadlineExceeded) {
				given++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if given == 0 {
			t.Fatal("all was sent to nobody")
		}
		done := make(chan error, 1)
		go func() { done <- send(background, a, []byte("after")) }()
		mustReceive(t, b, "before")
		for i := given; i < 20; i++ {
			if m, err := b.Receive(background, pipe.Bytes, -1); err != nil || len(m.Data) != size {
				t.Fatalf("%d bytes, %v", len(m.Data), err)
			}
		}
		mustReceive(t, b, "after")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// What was given up is taken back also when nobody sends again, so that Ready is right.
func TestTakenBackInTheBackground(t *testing.T) {
	a, b := newPipe(t)
	large := make([]byte, 16<<20)
	if err := send(soon(50*time.Millisecond), a, large); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if !b.Ready() {
		t.Error("the beginning of a message is not there")
	}
	if _, err := b.Receive(soon(50*time.Millisecond), pipe.Bytes, -1); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if b.Ready() {
		t.Error("the beginning of a message is still there")
	}
}

func TestReceiveGoesOnWhereItStopped(t *testing.T) {
	a, b := newPipe(t)
	want := bytes.Repeat([]byte("0123456789"), 400_000)
	done := make(chan error, 1)
	go func() { done <- send(background, a, want) }()
	for tries := 1; ; tries++ {
		m, err := b.Receive(soon(time.Duration(tries%7)*100*time.Microsecond), pipe.Bytes, -1)
		if errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		if err != nil || !bytes.Equal(m.Data, want) {
			t.Fatalf("%d bytes, %v", len(m.Data), err)
		}
		break
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestClose(t *testing.T) {
	a, b := newPipe(t)
	a.SpinNever()
	errs := make(chan error, 2)
	go func() {
		_, err := a.Receive(background, pipe.Bytes, -1)
		errs <- err
	}()
	go func() { errs <- send(background, a, make([]byte, 16<<20)) }()
	time.Sleep(10 * time.Millisecond)
	mustSend(t, b, "x")
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := <-errs; err != nil && !errors.Is(err, carrier.ErrEndClosed) {
			t.Error(err)
		}
	}
	if _, err := b.Receive(background, pipe.Bytes, -1); err != io.EOF {
		t.Error("a message that was half sent:", err)
	}
	err := send(background, b, []byte("x"))
	if !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
}

// A child that was killed is the end of file at once, after all that it sent.
func TestChildIsKilled(t *testing.T) {
	e, cmd := child(t, "echo")
	for range 3 {
		mustSend(t, e, "x")
	}
	for range 3 {
		mustReceive(t, e, "x")
	}
	began := make(chan time.Time, 1)
	time.AfterFunc(20*time.Millisecond, func() {
		began <- time.Now()
		cmd.Process.Kill()
	})
	if _, err := e.Receive(background, pipe.Bytes, -1); err != io.EOF {
		t.Fatal(err)
	}
	if d := time.Since(<-began); d > 5*time.Second {
		t.Error("after", d)
	}
}

func TestManyGoroutines(t *testing.T) {
	a, b := newPipe(t)
	const senders, each = 8, 200
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				data := bytes.Repeat([]byte{byte(s)}, 8+(i*7919)%100_000)
				binary.LittleEndian.PutUint64(data, uint64(i))
				if err := send(background, a, data); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	var got [senders][each]int
	var receivers sync.WaitGroup
	for range 4 {
		receivers.Go(func() {
			for {
				m, err := b.Receive(background, pipe.Bytes, -1)
				if err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					return
				}
				i := binary.LittleEndian.Uint64(m.Data)
				rest := m.Data[8:]
				if len(m.Data) != 8+(int(i)*7919)%100_000 || len(rest) > 0 && !bytes.Equal(rest, bytes.Repeat(rest[:1], len(rest))) {
					t.Error("a message is torn")
				}
				if len(rest) > 0 {
					mu.Lock()
					got[rest[0]][i]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	a.Close()
	receivers.Wait()
	for s := range got {
		for i, n := range got[s] {
			if n != 1 && (i*7919)%100_000 > 0 {
				t.Errorf("message %d of %d came %d times", i, s, n)
			}
		}
	}
}

func TestNonsenseClosesTheEnd(t *testing.T) {
	a, b := newPipe(t)
	raw, _ := a.File().SyscallConn()
	raw.Write(func(fd uintptr) bool {
		unix.Write(int(fd), []byte("GET / HTTP/1.1\r\n"))
		return true
	})
	if _, err := b.Receive(background, pipe.Bytes, -1); !errors.Is(err, pipe.ErrProtocol) {
		t.Error(err)
	}
	if _, err := b.Receive(background, pipe.Bytes, -1); !errors.Is(err, carrier.ErrEndClosed) {
		t.Error(err)
	}
	if err := send(background, a, []byte("x")); !errors.Is(err, carrier.ErrPeer) {
		t.Error(err)
	}
}
