package shm

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Block is shared memory that the program itself reads and writes. It may have a
// name. Its mapping and its descriptor end apart from each other, and only when
// they are told to. A Block never changes, so it is safe for concurrent use.
type Block struct {
	mem  []byte
	file *os.File
	name string
	info fs.FileInfo // says which file the name led to; nil without a name
}

// NewBlock makes a block of size bytes, all zero, without a name: a memfd that is
// sealed, as a Region. Its pages are there when they are first touched. What the
// block is, is for /proc and debuggers.
func NewBlock(what string, size int) (*Block, error) {
	r, err := retryAfterGC(func() (*Region, error) { return New(what, size) })
	if err != nil {
		return nil, err
	}
	CountDescriptors(1)
	return &Block{mem: r.mem, file: r.File()}, nil
}

// AdoptBlock maps a block that another process has sent: one without a name must be
// sealed and exactly as large, one with a name must be a file that has the size. The
// descriptor is the block's from now on, also when AdoptBlock fails.
func AdoptBlock(f *os.File, name string, size int) (*Block, error) {
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		f.Close()
		return nil, errors.New("mp: the shared memory was closed before it was sent")
	}
	if name != "" {
		return adoptNamed(f, name, size)
	}
	r, err := Open(f, size)
	if err != nil {
		return nil, err
	}
	CountDescriptors(1)
	return &Block{mem: r.mem, file: r.File()}, nil
}

// File is the block's descriptor, which others can be given.
func (b *Block) File() *os.File { return b.file }

// Bytes is the memory itself. It must not be used after Unmap.
func (b *Block) Bytes() []byte { return b.mem }

// Name is the block's name, without a slash, or "".
func (b *Block) Name() string { return b.name }

// CloseFile closes the descriptor and leaves the memory. It is called once.
func (b *Block) CloseFile() error {
	CountDescriptors(-1)
	return b.file.Close()
}

// Unmap takes the memory out of this process. It is called once.
func (b *Block) Unmap() error { return unix.Munmap(b.mem) }
