//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pipe"
)

// move brings an end through a message into a new one, as another process would have it.
func move(t testing.TB, e *pipe.End) *pipe.End {
	t.Helper()
	var b codec.Buffer
	if err := e.Share(&b); err != nil {
		t.Fatal(err)
	}
	to := adopt(t, &b)
	b.Settle(true)
	return to
}

func adopt(t testing.TB, b *codec.Buffer) *pipe.End {
	t.Helper()
	var files []*os.File
	for _, a := range b.Attachments() {
		raw, err := a.File.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			d, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, os.NewFile(uintptr(d), "moved"))
		})
	}
	r := codec.NewReader(bytes.Clone(b.Bytes()))
	r.Attached(files)
	to, err := carrier.Open[*pipe.End](carrier.Kind(r.Byte()), r)
	if err == nil {
		err = r.Done()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	return to
}

// Moving at any moment, while both sides work, loses and doubles nothing.
func TestMoveInTheMiddle(t *testing.T) {
	a, b := newPipe(t)
	const n = 400
	go func() {
		for i := range n {
			data := binary.LittleEndian.AppendUint64(nil, uint64(i))
			send(background, a, append(data, make([]byte, i*331)...))
		}
		a.Close()
	}()
	for i, tries := 0, 0; ; tries++ {
		m, err := b.Receive(soon(time.Duration(tries%5)*100*time.Microsecond), pipe.Bytes, -1)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			b = move(t, b)
			continue
		case err == io.EOF && i == n:
			return
		case err != nil:
			t.Fatalf("after %d messages: %v", i, err)
		}
		if got := binary.LittleEndian.Uint64(m.Data); got != uint64(i) || len(m.Data) != 8+i*331 {
			t.Fatalf("message %d of %d bytes in the place of %d", got, len(m.Data), i)
		}
		i++
		if i%3 == 0 {
			b = move(t, b)
		}
	}
}

// A move while others wait: they have taken nothing. Given up, all is as before.
func TestMoveWhileOthersWait(t *testing.T) {
	a, b := newPipe(t)
	a.SpinNever()
	for _, sent := range []bool{false, true} {
		errs := make(chan error, 6)
		for range 3 {
			go func() {
				_, err := a.Receive(background, pipe.Bytes, -1)
				errs <- err
			}()
			go func() { errs <- send(background, a, make([]byte, 16<<20)) }()
		}
		time.Sleep(20 * time.Millisecond)
		var buf codec.Buffer
		if err := a.Share(&buf); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			if err := <-errs; !errors.Is(err, carrier.ErrEndClosed) {
				t.Error(err)
			}
		}
		if _, err := a.Receive(background, pipe.Bytes, -1); !errors.Is(err, carrier.ErrEndClosed) {
			t.Error(err)
		}
		if err := a.Share(&buf); !errors.Is(err, carrier.ErrEndClosed) {
			t.Error(err)
		}
		now := a
		if sent {
			now = adopt(t, &buf)
		}
		buf.Settle(sent)
		go send(background, now, []byte("from a"))
		mustReceive(t, b, "from a")
		mustSend(t, b, "from b")
		mustReceive(t, now, "from b")
		if err := a.Poll(soon(0)); sent && !errors.Is(err, carrier.ErrEndClosed) {
			t.Error(err)
		}
	}
}

// An end that is closed, or is garbage, between Share and the sending of the message
// travels all the same, and is closed if the message does not.
func TestCloseWhileMoving(t *testing.T) {
	a, b := newPipe(t)
	var buf codec.Buffer
	if err := a.Share(&buf); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	moved := adopt(t, &buf)
	buf.Settle(true)
	mustSend(t, moved, "still open")
	mustReceive(t, b, "still open")
	if err := moved.Share(&buf); err != nil {
		t.Fatal(err)
	}
	moved.Close()
	buf.Settle(false)
	if _, err := b.Receive(background, pipe.Bytes, -1); err != io.EOF {
		t.Error(err)
	}
}
