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

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// namedIn is the directory of named memory, which is that of shm_open.
const namedIn = "/dev/shm"

// plainName checks a name and strips leading slashes, which shm_open ignores as well.
func plainName(name string) (string, error) {
	plain := strings.TrimLeft(name, "/")
	switch {
	case plain == "" || plain == "." || plain == "..":
		return "", fmt.Errorf("mp: %w: %q cannot be the name of shared memory", fs.ErrInvalid, name)
	case strings.ContainsRune(plain, '/'):
		return "", fmt.Errorf("mp: %w: the name %q contains a slash", fs.ErrInvalid, name)
	case strings.ContainsRune(plain, 0):
		return "", fmt.Errorf("mp: %w: the name %q contains a zero byte", fs.ErrInvalid, name)
	case len(plain) > unix.NAME_MAX:
		return "", fmt.Errorf("mp: %w: the name %.20q... has %d bytes; at most %d are allowed", fs.ErrInvalid, plain, len(plain), unix.NAME_MAX)
	}
	return plain, nil
}

// CreateBlock makes a block that other processes find by its name until Unlink. All of its
// memory is allocated at once. If the name is taken the error is fs.ErrExist.
//
// The file gets its name last, so that no process finds an unfinished block, and a process that
// is killed in CreateBlock leaves nothing behind.
func CreateBlock(name string, size int) (*Block, error) {
	name, err := plainName(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(namedIn, name)
	if _, err := os.Lstat(path); err == nil {
		return nil, failed("create", path, unix.EEXIST)
	}
	f, err := openNameless(path)
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

// createAtOnce is CreateBlock for systems that have no unnamed files, or no /proc by which to
// name one.
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

// adoptNamed maps a named block's file that another process has sent. It takes over the file.
func adoptNamed(f *os.File, name string, size int) (*Block, error) {
	name, err := plainName(name)
	if err != nil {
		f.Close()
		return nil, err
	}
	return mapNamed(f, name, size)
}

// OpenBlock maps the block that has a name, in the size of its file. If there is none the
// error is fs.ErrNotExist.
func OpenBlock(name string) (*Block, error) {
	name, err := plainName(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(namedIn, name)
	f, err := openFile(path, 0)
	if err != nil {
		return nil, failed("open", path, err)
	}
	return mapNamed(f, name, 0)
}

// openNameless makes an unnamed file in the directory of path.
func openNameless(path string) (*os.File, error) {
	fd, err := unix.Open(filepath.Dir(path), unix.O_RDWR|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openFile opens a file with the flags of shm_open.
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

// reserveNamed allocates the memory of a new file, and maps it. It takes over the file.
func reserveNamed(f *os.File, name string, size int) (*Block, error) {
	if err := reserve(f, int64(size)); err != nil {
		f.Close()
		return nil, failed("create", filepath.Join(namedIn, name), fmt.Errorf("%d bytes: %w", size, sizeLimit(int64(size), err)))
	}
	return mapNamed(f, name, size)
}

// reserve allocates size bytes for a file, so that writing to them cannot fail later. It does so
// in steps, because a signal undoes the whole of one call.
func reserve(f *os.File, size int64) error {
	const step = 16 << 20
	fd := int(f.Fd())
	var have unix.Statfs_t
	if err := unix.Fstatfs(fd, &have); err == nil && have.Blocks > 0 && uint64(size-1)/uint64(have.Bsize) >= have.Bavail {
		return unix.ENOSPC // without filling up what is left first
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

// mapNamed maps size bytes of a file that has a name, or will get one; the whole file if size is
// 0. It takes over the file.
func mapNamed(f *os.File, name string, size int) (*Block, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("mp: %w: the shared memory %s is not a regular file", fs.ErrInvalid, name)
	case info.Size() == 0:
		err = fmt.Errorf("mp: the shared memory %s is empty: the process that is creating it may not have sized it yet", name)
	case info.Size() > math.MaxInt:
		err = fmt.Errorf("mp: the shared memory %s has %d bytes, too many to map: %w", name, info.Size(), unix.ENOMEM)
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
	mem, err := mapShared(f, size)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("mp: mapping %d bytes of the shared memory %s: %w", size, name, err)
	}
	return &Block{mem: mem, file: f, name: name, info: info}, nil
}

// Unlink removes the name if it still belongs to this memory; otherwise the error is
// fs.ErrNotExist. The memory remains for processes that have it mapped.
func (b *Block) Unlink() error {
	path := filepath.Join(namedIn, b.name)
	now, err := os.Lstat(path)
	if err == nil && !os.SameFile(now, b.info) {
		err = unix.ENOENT // other memory has the name now
	}
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return failed("unlink", path, err)
	}
	return nil
}

// failed is the error of an operation on a path.
func failed(op, path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return errtext.Errorf("mp: %w", &fs.PathError{Op: op, Path: path, Err: err})
}

// discard frees a block that no other code has seen.
func (b *Block) discard() {
	b.Unmap()
	b.CloseFile()
}
