//go:build linux

package testkit

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// Sent is a message and its descriptors, as another process gets them.
type Sent struct {
	Body  []byte
	Files []*os.File
}

// Send encodes v, and gives away second descriptors, as a socket does.
func Send[T any](t testing.TB, v T) (Sent, error) {
	t.Helper()
	b := codec.Buffer{Copy: true}
	if err := codec.For[T]().Encode(&b, "in", &v); err != nil {
		b.Settle(false)
		return Sent{}, err
	}
	sent := Sent{Body: b.Bytes()}
	for _, a := range b.Attachments() {
		sent.Files = append(sent.Files, Dup(t, a.File))
	}
	b.Settle(true)
	return sent, nil
}

// Dup returns a second descriptor of f.
func Dup(t testing.TB, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// Receive decodes what was sent.
func Receive[T any](sent Sent) (v T, err error) {
	r := codec.NewReader(sent.Body)
	r.Attached(sent.Files)
	defer r.CloseAttached()
	if err := codec.For[T]().Decode(r, &v); err != nil {
		return v, err
	}
	return v, r.Done()
}

// Pass returns v as another process gets it.
func Pass[T any](t testing.TB, v T) T {
	t.Helper()
	sent, err := Send(t, v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Receive[T](sent)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
