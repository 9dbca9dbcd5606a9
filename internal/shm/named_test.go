//go:build linux

package shm_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/shm"
)

var nameCount atomic.Int64

// newName returns an unused name. The test removes the file at its end.
func newName(t *testing.T) string {
	name := fmt.Sprintf("mp-test-%d-%d", os.Getpid(), nameCount.Add(1))
	t.Cleanup(func() { os.Remove("/dev/shm/" + name) })
	return name
}

func drop(t *testing.T, b *shm.Block) {
	t.Helper()
	if err := b.Unmap(); err != nil {
		t.Error(err)
	}
	if err := b.CloseFile(); err != nil {
		t.Error(err)
	}
}

func creators() map[string]func(string, int) (*shm.Block, error) {
	return map[string]func(string, int) (*shm.Block, error){"nameless first": shm.CreateBlock, "at once": shm.CreateBlockAtOnce}
}

func TestNamedBlock(t *testing.T) {
	t.Parallel()
	for way, create := range creators() {
		t.Run(way, func(t *testing.T) {
			name := newName(t)
			a, err := create(name, 10000)
			if err != nil {
				t.Fatal(err)
			}
			defer drop(t, a)
			var stat unix.Stat_t
			if err := unix.Stat("/dev/shm/"+name, &stat); err != nil {
				t.Fatal(err)
			}
			if stat.Mode != unix.S_IFREG|0o600 || stat.Size != 10000 || stat.Blocks*512 < 10000 {
				t.Errorf("mode %o, %d bytes, %d blocks", stat.Mode, stat.Size, stat.Blocks)
			}
			b, err := shm.OpenBlock("/" + name)
			if err != nil {
				t.Fatal(err)
			}
			defer drop(t, b)
			if b.Name() != name || len(b.Bytes()) != 10000 || cap(b.Bytes()) != 10000 {
				t.Errorf("%q, %d bytes", b.Name(), len(b.Bytes()))
			}
			copy(a.Bytes()[9990:], "hello")
			if got := string(b.Bytes()[9990:9995]); got != "hello" {
				t.Errorf("the other one sees %q", got)
			}
			if _, err := create(name, 1); !errors.Is(err, fs.ErrExist) {
				t.Errorf("created twice: %v", err)
			}
			if flags, err := unix.FcntlInt(b.File().Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("the descriptor is not close-on-exec: %d, %v", flags, err)
			}
			if err := b.Unlink(); err != nil {
				t.Error(err)
			}
			if err := a.Unlink(); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the second Unlink: %v", err)
			}
			if _, err := shm.OpenBlock(name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			if a.Bytes()[9990] != 'h' {
				t.Error("the memory ended with its name")
			}
		})
	}
}

func TestUnlinkLeavesTheNameOfAnother(t *testing.T) {
	t.Parallel()
	name := newName(t)
	a, err := shm.CreateBlock(name, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer drop(t, a)
	os.Remove("/dev/shm/" + name)
	b, err := shm.CreateBlock(name, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer drop(t, b)
	if err := a.Unlink(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the name is another's: %v", err)
	}
	if err := b.Unlink(); err != nil {
		t.Error(err)
	}
}

// Of many concurrent creators one succeeds, and no process finds unfinished memory.
func TestNamedBlocksRace(t *testing.T) {
	t.Parallel()
	for range 50 {
		name := newName(t)
		var made atomic.Int64
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				b, err := shm.CreateBlock(name, 5000)
				if err == nil {
					made.Add(1)
					defer drop(t, b)
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
				if b, err = shm.OpenBlock(name); err != nil {
					t.Error(err)
				} else {
					defer drop(t, b)
					if len(b.Bytes()) != 5000 {
						t.Errorf("%d bytes", len(b.Bytes()))
					}
				}
			})
		}
		group.Wait()
		if n := made.Load(); n != 1 {
			t.Errorf("%d made it", n)
		}
		os.Remove("/dev/shm/" + name)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "/", "//", ".", "..", "/..", "a/b", "/a/b", "a/", "../x", "x\x00y", strings.Repeat("x", 256)} {
		for what, do := range map[string]func() (*shm.Block, error){
			"create": func() (*shm.Block, error) { return shm.CreateBlock(name, 1) },
			"open":   func() (*shm.Block, error) { return shm.OpenBlock(name) },
		} {
			if b, err := do(); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s %q: %v, %v", what, name, b, err)
			} else if len(err.Error()) > 150 {
				t.Errorf("a long error: %v", err)
			}
		}
	}
	base := newName(t)
	for _, name := range []string{base + ":colon", base + "\nline", base + " ü\xff", base + strings.Repeat("x", 255-len(base)), "." + base, "//" + base} {
		b, err := shm.CreateBlock(name, 1)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if want := strings.TrimLeft(name, "/"); b.Name() != want {
			t.Errorf("the name is %q, want %q", b.Name(), want)
		}
		if err := b.Unlink(); err != nil {
			t.Error(err)
		}
		drop(t, b)
	}
}

// A block that is too large fails at once and leaves nothing behind.
func TestReservationFails(t *testing.T) {
	t.Parallel()
	var have unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &have); err != nil {
		t.Skip("no /dev/shm: ", err)
	}
	for way, create := range creators() {
		name := newName(t)
		for _, size := range []int{int(have.Bavail)*int(have.Bsize) + 1, math.MaxInt / 4, math.MaxInt} {
			if have.Blocks == 0 {
				continue // no limit
			}
			if b, err := create(name, size); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s, %d bytes: %v, %v", way, size, b, err)
			}
			if _, err := os.Lstat("/dev/shm/" + name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, %d bytes left something: %v", way, size, err)
			}
		}
	}
}

func TestOpenBlockRefuses(t *testing.T) {
	t.Parallel()
	link, dir, fifo, empty, loop := newName(t), newName(t), newName(t), newName(t), newName(t)
	target := filepath.Join(t.TempDir(), "file")
	os.WriteFile(target, []byte("x"), 0o600)
	os.Symlink(target, "/dev/shm/"+link)
	os.Symlink(loop, "/dev/shm/"+loop)
	os.Mkdir("/dev/shm/"+dir, 0o700)
	unix.Mkfifo("/dev/shm/"+fifo, 0o600)
	os.WriteFile("/dev/shm/"+empty, nil, 0o600)
	for name, want := range map[string]string{
		link: "too many levels", loop: "too many levels", dir: "is a directory", fifo: "is not a regular file", empty: "is empty",
	} {
		b, err := shm.OpenBlock(name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "mp: ") {
			t.Errorf("%v, %v: want %q", b, err, want)
		}
		if name == fifo || name == dir || name == link {
			if _, err := shm.CreateBlock(name, 1); !errors.Is(err, fs.ErrExist) {
				t.Errorf("created: %v", err)
			}
		}
	}
}

func TestAdoptBlock(t *testing.T) {
	t.Parallel()
	name := newName(t)
	a, err := shm.CreateBlock(name, 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer drop(t, a)
	b, err := shm.AdoptBlock(dup(t, a.File()), name, 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer drop(t, b)
	a.Bytes()[4999] = 7
	if b.Bytes()[4999] != 7 {
		t.Error("it is not the same memory")
	}
	c, err := shm.NewBlock("mp-test", 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer drop(t, c)
	d, err := shm.AdoptBlock(dup(t, c.File()), "", 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer drop(t, d)
	shm.Elements[uint32](c.Bytes(), 1250)[1249] = 1 << 8
	if d.Bytes()[4997] != 1 {
		t.Error("it is not the same memory")
	}
	null := func() *os.File {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for what, f := range map[string]func() (*os.File, string, int){
		"named, larger than it is":   func() (*os.File, string, int) { return dup(t, a.File()), name, 5001 },
		"named, with a bad name":     func() (*os.File, string, int) { return dup(t, a.File()), "../x", 5000 },
		"not sealed, without a name": func() (*os.File, string, int) { return dup(t, a.File()), "", 5000 },
		"without a name, of other size": func() (*os.File, string, int) {
			return dup(t, c.File()), "", 4999
		},
		"no file":      func() (*os.File, string, int) { return null(), "x", 1 },
		"nothing like": func() (*os.File, string, int) { return null(), "", 1 },
	} {
		file, name, size := f()
		if b, err := shm.AdoptBlock(file, name, size); err == nil {
			t.Errorf("%s: %v", what, b)
		}
		if file.Close() == nil {
			t.Errorf("%s: the descriptor was left open", what)
		}
	}
}

func TestBlocksThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, size := range []int{math.MaxInt / 8, math.MaxInt, 0, -1} {
		if b, err := shm.NewBlock("mp-test", size); err == nil {
			t.Errorf("%d bytes: %v", size, b)
		} else if !strings.HasPrefix(err.Error(), "mp: ") {
			t.Error(err)
		}
	}
}
