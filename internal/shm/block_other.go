//go:build !linux

package shm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// Block is shared memory of the program, which is supported on Linux only.
type Block struct{}

var errNoBlock = fmt.Errorf("mp: shared memory on %s: %w", runtime.GOOS, errors.ErrUnsupported)

// NewBlock returns errors.ErrUnsupported.
func NewBlock(string, int) (*Block, error) { return nil, errNoBlock }

// CreateBlock returns errors.ErrUnsupported.
func CreateBlock(string, int) (*Block, error) { return nil, errNoBlock }

// OpenBlock returns errors.ErrUnsupported.
func OpenBlock(string) (*Block, error) { return nil, errNoBlock }

// AdoptBlock returns errors.ErrUnsupported.
func AdoptBlock(f *os.File, _ string, _ int) (*Block, error) {
	f.Close()
	return nil, errNoBlock
}

func (*Block) File() *os.File   { return nil }
func (*Block) CloseFile() error { return nil }
func (*Block) Bytes() []byte    { return nil }
func (*Block) Name() string     { return "" }
func (*Block) Unmap() error     { return nil }
func (*Block) Unlink() error    { return errNoBlock }
