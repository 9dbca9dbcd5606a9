package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// namedIn is where named memory is, as of shm_open.
const namedIn = "/dev/shm"

// plainName is the name as a file's: slashes in front mean nothing, as to shm_open.
func plainName(name string) (string, error) {
	plain := strings.TrimLeft(name, "/")
	switch {
	case plain == "" || plain == "." || plain == "..":
		return "", fmt.Errorf("mp: %w: %q is no name for shared memory", fs.ErrInvalid, name)
	case strings.ContainsRune(plain, '/'):
		return "", fmt.Errorf("mp: %w: the name %q has a slash inside", fs.ErrInvalid, name)
	case strings.ContainsRune(plain, 0):
		return "", fmt.Errorf("mp: %w: the name %q has a zero byte in it", fs.ErrInvalid, name)
	case len(plain) > unix.NAME_MAX:
		return "", fmt.Errorf("mp: %w: the name %.20q... has %d bytes, more than %d", fs.ErrInvalid, plain, len(plain), unix.NAME_MAX)
	}
	return plain, nil
}

// CreateBlock makes a block that others find by its name until Unlink. It has all of
// its memory at once. A name that is taken is fs.ErrExist.
//
// The name comes last, so nobody finds a block that is not ready, and whoever is
// killed in here leaves nothing.
func CreateBlock(name string, size int) (*Block, error) {
	name, err := plainName(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(namedIn, name)
	if _, err := os.Lstat(path); err == nil {
		return nil, failed("create", path, unix.EEXIST)
	}
	f, err := retryAfterGC(func() (*os.File, error) { return openNameless(path) })
	if err != nil {
		return createAtOnce(path, name, size)
	}
	b, err := reserveNamed(f, name, size)
	if err != nil {
		return nil, err
	}
	from := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	if err := unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW); err != nil {
		b.discard()
		if err == unix.EEXIST {
			return nil, failed("create", path, err)
		}
		return createAtOnce(path, name, size)
	}
	return b, nil
}

// createAtOnce is for systems that have no files without a name, or no /proc to give
// them one.
func createAtOnce(path, name string, size int) (*Block, error) {
	f, err := openFile(path, unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return nil, failed("create", path, err)
	}
	b, err := reserveNamed(f, name, size)
	if err != nil {
		os.Remove(path)
		return nil, err
	}
	return b, nil
}

// adoptNamed maps a file that another process has sent, which is the block's from now
// on.
func adoptNamed(f *os.File, name string, size int) (*Block, error) {
	name, err := plainName(name)
	if err != nil {
		f.Close()
		return nil, err
	}
	return mapNamed(f, name, size)
}

// OpenBlock maps the block that has this name, in the size of its file. A name that
// is not there is fs.ErrNotExist.
func OpenBlock(name string) (*Block, error) {
	name, err := plainName(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(namedIn, name)
	f, err := retryAfterGC(func() (*os.File, error) { return openFile(path, 0) })
	if err != nil {
		return nil, failed("open", path, err)
	}
	return mapNamed(f, name, 0)
}

// openNameless makes a file beside path that has no name yet.
func openNameless(path string) (*os.File, error) {
	fd, err := unix.Open(filepath.Dir(path), unix.O_RDWR|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openFile opens as shm_open does.
func openFile(path string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, 0o600)
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		if err != unix.EINTR {
			return nil, err
		}
	}
}

// reserveNamed gives a new file its memory, and maps it. The file is the block's from
// now on.
func reserveNamed(f *os.File, name string, size int) (*Block, error) {
	if err := reserve(f, int64(size)); err != nil {
		f.Close()
		return nil, failed("create", filepath.Join(namedIn, name), fmt.Errorf("%d bytes: %w", size, sizeLimit(int64(size), err)))
	}
	return mapNamed(f, name, size)
}

// reserve makes size bytes of the file that cannot be missing later. It goes by steps,
// because a signal takes back what one call has done.
func reserve(f *os.File, size int64) error {
	const step = 16 << 20
	fd := int(f.Fd())
	var have unix.Statfs_t
	if err := unix.Fstatfs(fd, &have); err == nil && have.Blocks > 0 && uint64(size-1)/uint64(have.Bsize) >= have.Bavail {
		return unix.ENOSPC // before it fills what is left
	}
	for at := int64(0); at < size; at += step {
		err := unix.EINTR
		for err == unix.EINTR {
			err, _ = unix.Fallocate(fd, 0, at, min(step, size-at)).(unix.Errno)
		}
		if err != 0 {
			return err
		}
	}
	return nil
}

// mapNamed maps size bytes of a file that has a name, or will have it; all of them if
// size is 0. The file is the block's from now on.
func mapNamed(f *os.File, name string, size int) (*Block, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("mp: %w: the shared memory %s is no file", fs.ErrInvalid, name)
	case info.Size() == 0:
		err = fmt.Errorf("mp: the shared memory %s has no bytes: who made it may be about to give it its size", name)
	case info.Size() > math.MaxInt:
		err = fmt.Errorf("mp: the shared memory %s has %d bytes: %w", name, info.Size(), unix.ENOMEM)
	case info.Size() < int64(size):
		err = fmt.Errorf("mp: the shared memory %s has %d bytes, not %d: it was shrunk", name, info.Size(), size)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if size == 0 {
		size = int(info.Size())
	}
	mem, err := retryAfterGC(func() ([]byte, error) {
		return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("mp: mapping %d bytes of the shared memory %s: %w", size, name, err)
	}
	CountDescriptors(1)
	return &Block{mem: mem, file: f, name: name, info: info}, nil
}

// Unlink removes the name, if it still leads to this memory; otherwise the error is
// fs.ErrNotExist. The memory lives on for those who have it.
func (b *Block) Unlink() error {
	path := filepath.Join(namedIn, b.name)
	now, err := os.Lstat(path)
	if err == nil && !os.SameFile(now, b.info) {
		err = unix.ENOENT // another's memory has the name now
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return failed("unlink", path, err)
	}
	return nil
}

// failed is the error of what was done to a path.
func failed(op, path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("mp: %w", &fs.PathError{Op: op, Path: path, Err: err})
}

// discard gives up a block that nobody has seen.
func (b *Block) discard() {
	b.Unmap()
	b.CloseFile()
}
