package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
	"golang.org/x/sys/unix"
)

// socketPair returns the two ends of a stream, as a process and its child have them.
func socketPair(t testing.TB) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { fdpass.CloseAll([]*os.File{a, b}) })
	return a, b
}

// numbered returns n files, the i-th of which holds i.
func numbered(t testing.TB, n int) (files []*os.File) {
	t.Helper()
	for i := range n {
		fd, err := unix.MemfdCreate("numbered", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "numbered")
		f.Write(binary.LittleEndian.AppendUint64(nil, uint64(i)))
		files = append(files, f)
	}
	t.Cleanup(func() { fdpass.CloseAll(files) })
	return files
}

func number(t testing.TB, f *os.File) int {
	t.Helper()
	var b [8]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		t.Fatal(err)
	}
	return int(binary.LittleEndian.Uint64(b[:]))
}

// descriptors returns how many descriptors this process has.
func descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// Frames of all sizes, with and without descriptors in any mixture, arrive with their own
// descriptors.
func TestFilesArriveWithTheirFrames(t *testing.T) {
	files := numbered(t, fdpass.Max)
	before := descriptors(t)
	a, b := socketPair(t)
	type sent struct{ size, files int }
	var plan []sent
	for _, size := range []int{0, 1, 9, 4096, 64<<10 - 1, 64 << 10, 300_000} {
		for _, n := range []int{0, 1, 0, 0, 2, 253, 250, 0, 200} {
			plan = append(plan, sent{size, n})
		}
	}
	wrote := make(chan error, 1)
	go func() {
		for i, s := range plan {
			m := frameOf(s.size)
			for _, f := range files[:s.files] {
				m.Attach(codec.Attachment{File: f})
			}
			if err := frame.Write(a, byte(i), m); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- a.Close()
	}()
	r := frame.NewReader(fdpass.NewSocket(b))
	for i, s := range plan {
		kind, payload, err := r.Next(1 << 30)
		if err != nil || kind != byte(i) || len(payload) != s.size || !bytes.Equal(payload, frameOf(s.size).Bytes()) {
			t.Fatalf("frame %d: kind %d, %d bytes, %v", i, kind, len(payload), err)
		}
		if i%7 == 3 {
			continue // without asking for the descriptors
		}
		got, err := r.Files()
		if err != nil || len(got) != s.files {
			t.Fatalf("frame %d: %d files, %v", i, len(got), err)
		}
		for k, f := range got {
			if number(t, f) != k {
				t.Fatalf("frame %d: file %d is file %d", i, k, number(t, f))
			}
			if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Fatal("a received descriptor would be inherited", err)
			}
		}
		fdpass.CloseAll(got)
	}
	if _, _, err := r.Next(1); err != io.EOF {
		t.Error(err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	b.Close()
	r.CloseFiles()
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, there were %d", n, before)
	}
}

func fileHeader(length uint64, kind, reserved byte, files uint32) []byte {
	h := binary.LittleEndian.AppendUint64(nil, length)
	h = append(h, kind, reserved, 0, 0)
	return binary.LittleEndian.AppendUint32(h, files)
}

// piece is one write of a hostile sender.
type piece struct {
	bytes []byte
	files int
}

// received returns what a reader reads from the pieces. The reader must not wait or leave anything
// open.
func received(t testing.TB, pieces []piece) (kinds []byte, files []int, err error) {
	t.Helper()
	a, b := socketPair(t)
	file := numbered(t, 1)[0]
	open := make([]int, 253)
	for i := range open {
		open[i] = int(file.Fd())
	}
	for _, p := range pieces {
		var rights []byte
		if p.files > 0 {
			rights = unix.UnixRights(open[:p.files]...)
		}
		if len(p.bytes) > 0 {
			if _, err := unix.SendmsgN(int(a.Fd()), p.bytes, rights, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.Close()
	b.SetReadDeadline(time.Now().Add(10 * time.Second))
	before := descriptors(t)
	r := frame.NewReader(fdpass.NewSocket(b))
	for {
		kind, _, e := r.Next(1 << 20)
		if e != nil {
			err = e
			break
		}
		got, _ := r.Files()
		kinds, files = append(kinds, kind), append(files, len(got))
		fdpass.CloseAll(got)
	}
	r.CloseFiles()
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, there were %d", n, before)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the reader waits for something that never arrives")
	}
	return kinds, files, err
}

func TestHostileFiles(t *testing.T) {
	plain := fileHeader(0, 1, 0, 0)
	one := fileHeader(0, 2, 0, 1)
	cat := func(ps ...[]byte) []byte { return bytes.Join(ps, nil) }
	for name, c := range map[string]struct {
		pieces []piece
		kinds  string
		want   string // of the error; "" is io.EOF
	}{
		"honest":                 {[]piece{{plain, 0}, {one, 1}, {plain, 0}}, "\x01\x02\x01", ""},
		"many":                   {[]piece{{fileHeader(0, 2, 0, 253), 253}, {fileHeader(0, 2, 0, 3), 3}}, "\x02\x02", ""},
		"missing":                {[]piece{{plain, 0}, {one, 0}}, "\x01", "missing"},
		"too few":                {[]piece{{fileHeader(0, 2, 0, 2), 1}}, "", "1 descriptors arrived, 2 were announced"},
		"too many":               {[]piece{{one, 2}}, "", "2 descriptors arrived, 1 were announced"},
		"not announced":          {[]piece{{plain, 1}, {plain, 0}}, "\x01", "no header announces"},
		"inside a payload":       {[]piece{{cat(fileHeader(100<<10, 1, 0, 0), make([]byte, 100)), 0}, {make([]byte, 100<<10-100), 3}}, "\x01", "no header announces"},
		"byte by byte":           {[]piece{{plain[:1], 9}, {plain[1:2], 9}, {plain[2:3], 9}, {plain[3:4], 9}, {plain[4:5], 9}, {plain[5:6], 9}}, "", "no header announces"},
		"absurd":                 {[]piece{{fileHeader(0, 1, 0, 1<<31), 1}}, "", "at most 253"},
		"one too many":           {[]piece{{fileHeader(0, 1, 0, 254), 253}}, "", "at most 253"},
		"cut off":                {[]piece{{one[:9], 1}}, "", "unexpected EOF"},
		"cut off in the payload": {[]piece{{fileHeader(99, 2, 0, 1), 1}}, "", "unexpected EOF"},
		"reserved bytes":         {[]piece{{[]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0}, 0}}, "", "not zero"},
		"other reserved bytes":   {[]piece{{[]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0}, 0}}, "", "not zero"},
	} {
		t.Run(name, func(t *testing.T) {
			kinds, _, err := received(t, c.pieces)
			if string(kinds) != c.kinds {
				t.Errorf("frames of the kinds %q", kinds)
			}
			if c.want == "" && err != io.EOF || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}

func FuzzFrameFiles(f *testing.F) {
	f.Add(fileHeader(0, 1, 0, 1), byte(1), fileHeader(3, 2, 1, 0), byte(0))
	f.Add(fileHeader(0, 0, 1, 253), byte(253), fileHeader(3, 2, 0, 7), byte(7))
	f.Add(fileHeader(70_000, 1, 0, 0), byte(0), make([]byte, 100), byte(2))
	f.Fuzz(func(t *testing.T, p []byte, n byte, q []byte, m byte) {
		received(t, []piece{{p, min(int(n), 253)}, {q, min(int(m), 253)}, {p, 0}})
	})
}

// A process that cannot open more files loses the descriptors of a message, and nothing else.
func TestFilesLost(t *testing.T) {
	a, b := socketPair(t)
	files := numbered(t, 200)
	before := descriptors(t)
	for i, n := range []int{1, 200, 2, 0, 1} {
		m := frameOf(100)
		for _, f := range files[:n] {
			m.Attach(codec.Attachment{File: f})
		}
		if err := frame.Write(a, byte(i), m); err != nil {
			t.Fatal(err)
		}
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := unix.Rlimit{Cur: uint64(before + 10), Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	r := frame.NewReader(fdpass.NewSocket(b))
	for i, n := range []int{1, -1, 2, 0, 1} {
		kind, payload, err := r.Next(1000)
		if err != nil || int(kind) != i || len(payload) != 100 {
			t.Fatal(i, kind, len(payload), err)
		}
		got, err := r.Files()
		if n < 0 {
			if !errors.Is(err, fdpass.ErrLost) || !errors.Is(err, syscall.EMFILE) || got != nil {
				t.Error(i, len(got), err)
			}
		} else if err != nil || len(got) != n {
			t.Error(i, len(got), err)
		}
		fdpass.CloseAll(got)
	}
	unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors, there were %d", n, before)
	}
}

// A message with more descriptors than the kernel takes is refused before any of it is written.
func TestTooManyFilesAreRefused(t *testing.T) {
	a, b := socketPair(t)
	file := numbered(t, 1)[0]
	m := frameOf(10)
	for range fdpass.Max + 1 {
		m.Attach(codec.Attachment{File: file})
	}
	err := frame.Write(a, 1, m)
	if err == nil || !strings.Contains(err.Error(), "254") || !strings.Contains(err.Error(), "253") {
		t.Error(err)
	}
	if err := frame.Write(a, 2, frameOf(3)); err != nil {
		t.Fatal(err)
	}
	if kind, _, err := frame.NewReader(fdpass.NewSocket(b)).Next(100); kind != 2 || err != nil {
		t.Errorf("the next frame is of kind %d, %v", kind, err)
	}
}

func TestFilesNeedASocket(t *testing.T) {
	files := numbered(t, 1)
	m := frameOf(10)
	m.Attach(codec.Attachment{File: files[0]})
	if err := frame.Write(new(bytes.Buffer), 1, m); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	p, q, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	defer q.Close()
	if err := frame.Write(q, 1, m); !errors.Is(err, syscall.ENOTSOCK) {
		t.Error(err)
	}
	if _, _, err := frame.NewReader(bytes.NewReader(fileHeader(0, 1, 0, 1))).Next(9); err == nil {
		t.Error("a frame has descriptors where there cannot be any")
	}
}

// A file that was closed before it was sent arrives as an empty file, which TakeFileAs recognises. The
// others arrive intact.
func TestClosedFileIsSent(t *testing.T) {
	a, b := socketPair(t)
	files := numbered(t, 3)
	files[1].Close()
	m := frameOf(10)
	for _, f := range files {
		m.Attach(codec.Attachment{File: f})
	}
	if err := frame.Write(a, 1, m); err != nil {
		t.Fatal(err)
	}
	r := frame.NewReader(fdpass.NewSocket(b))
	r.Next(99)
	got, err := r.Files()
	if err != nil || len(got) != 3 || number(t, got[0]) != 0 || number(t, got[2]) != 2 {
		t.Fatal(len(got), err)
	}
	if n, err := got[1].Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	reader := codec.NewReader(nil)
	reader.Attached(append(got, null))
	for i := range 4 {
		f, err := reader.TakeFileAs("x")
		if closed := errors.Is(err, os.ErrClosed); closed != (i == 1) || !closed && err != nil {
			t.Error(i, err)
		}
		f.Close()
	}
}
