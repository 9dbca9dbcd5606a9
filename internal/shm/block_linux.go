package shm

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Block is shared memory that the program itself reads and writes. It may have a name. Its
// mapping lasts until Unmap and its descriptor until CloseFile. A Block never changes, so it is
// safe for concurrent use.
type Block struct {
	mem  []byte
	file *os.File
	name string
	info fs.FileInfo // the file that had the name; nil without a name
}

// NewBlock makes a block of size bytes, all zero, without a name: a sealed memfd, like a
// Region. Its pages use memory once they are touched. what is shown in /proc and by debuggers.
func NewBlock(what string, size int) (*Block, error) {
	r, err := New(what, size)
	if err != nil {
		return nil, err
	}
	return &Block{mem: r.mem, file: r.File()}, nil
}

// AdoptBlock maps a block that another process has sent. A block without a name must be sealed
// and have exactly this size; one with a name must be a file of at least this size. AdoptBlock
// takes over the descriptor, and closes it when it fails.
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
	return &Block{mem: r.mem, file: r.File()}, nil
}

// File is the block's descriptor, which can be sent to other processes.
func (b *Block) File() *os.File { return b.file }

// Bytes is the memory. It must not be used after Unmap: that crashes the process.
func (b *Block) Bytes() []byte { return b.mem }

// Name is the block's name, without a slash, or "".
func (b *Block) Name() string { return b.name }

// CloseFile closes the descriptor and keeps the mapping. It must be called once.
func (b *Block) CloseFile() error {
	return b.file.Close()
}

// Unmap ends the mapping. It must be called once.
func (b *Block) Unmap() error { return unix.Munmap(b.mem) }
