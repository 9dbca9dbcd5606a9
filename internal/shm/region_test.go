//go:build linux

package shm_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// dup duplicates a descriptor, as a child inherits it.
func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

func newRegion(t *testing.T, size int) *shm.Region {
	t.Helper()
	r, err := shm.New("mp-test", size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestBothSidesSeeTheSameMemory(t *testing.T) {
	t.Parallel()
	a := newRegion(t, 8192)
	b, err := shm.Open(dup(t, a.File()), 8192)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a.Word(64).Store(1 << 63)
	if got := b.Word(64).Load(); got != 1<<63 {
		t.Errorf("the other side sees %d", got)
	}
	copy(b.Bytes(4096, 5), "hello")
	if got := string(a.Bytes(4096, 5)); got != "hello" {
		t.Errorf("this side sees %q", got)
	}
	if got := a.WordOf(a.Bytes(64, 8)).Load(); got != 1<<63 {
		t.Errorf("WordOf is another word: %d", got)
	}
	if n := cap(a.Bytes(0, 16)); n != 16 {
		t.Errorf("Bytes can be grown to %d bytes", n)
	}
}

func TestRegionKeepsItsSize(t *testing.T) {
	t.Parallel()
	r := newRegion(t, 4096)
	for _, size := range []int64{0, 8192} {
		if err := unix.Ftruncate(int(r.File().Fd()), size); err != syscall.EPERM {
			t.Errorf("truncating to %d: %v, want EPERM", size, err)
		}
	}
	if flags, err := unix.FcntlInt(r.File().Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the descriptor is not close-on-exec: %d, %v", flags, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	plain := func(t *testing.T) *os.File {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		f.Truncate(4096)
		return f
	}
	unsealed := func(t *testing.T) *os.File {
		fd, err := unix.MemfdCreate("x", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
		if err != nil {
			t.Fatal(err)
		}
		unix.Ftruncate(fd, 4096)
		return os.NewFile(uintptr(fd), "x")
	}
	for name, c := range map[string]struct {
		make func(t *testing.T) *os.File
		want string
	}{
		"a file":               {plain, "shared memory"},
		"memory not sealed":    {unsealed, "not sealed"},
		"memory of other size": {func(t *testing.T) *os.File { return dup(t, newRegion(t, 8192).File()) }, "8192 bytes, not 4096"},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.make(t)
			r, err := shm.Open(f, 4096)
			if err == nil {
				r.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want something with %q", err, c.want)
			}
			if f.Close() == nil {
				t.Error("the descriptor was left open")
			}
		})
	}
}

func TestMisalignedWordPanics(t *testing.T) {
	t.Parallel()
	r := newRegion(t, 4096)
	for _, offset := range []int{1, 4, 4092, 4096} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Word(%d) did not panic", offset)
				}
			}()
			r.Word(offset)
		}()
	}
}

func TestNothingIsLeft(t *testing.T) {
	count := func() (n int) { // of this test's regions: the runtime opens descriptors of its own
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, "mp-left") {
				n++
			}
		}
		return n
	}
	maps := func() int {
		text, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "mp-left")
	}
	for range 100 {
		r, err := shm.New("mp-left", 4096)
		if err != nil {
			t.Fatal(err)
		}
		if count() != 1 || maps() != 1 {
			t.Fatalf("%d descriptors and %d mappings of one region", count(), maps())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(); n != 0 {
		t.Errorf("%d descriptors are left", n)
	}
	if n := maps(); n != 0 {
		t.Errorf("%d mappings are left", n)
	}
}
