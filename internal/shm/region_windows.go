package shm

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// Region is shared memory, which is not supported on Windows.
type Region struct{}

var errNoRegion = fmt.Errorf("mp: shared memory on windows: %w", errors.ErrUnsupported)

// New returns errors.ErrUnsupported.
func New(string, int) (*Region, error) { return nil, errNoRegion }

// Open returns errors.ErrUnsupported.
func Open(*os.File, int) (*Region, error) { return nil, errNoRegion }

func (*Region) File() *os.File               { return nil }
func (*Region) SetFile(*os.File)             {}
func (*Region) Size() int                    { return 0 }
func (*Region) Word(int) *atomic.Uint64      { return nil }
func (*Region) WordOf([]byte) *atomic.Uint64 { return nil }
func (*Region) Word32(int) *atomic.Uint32    { return nil }
func (*Region) Bytes(int, int) []byte        { return nil }
func (*Region) CloseFile() error             { return nil }
func (*Region) Close() error                 { return nil }
func (*Region) Unmap() error                 { return nil }

func create(string, int64) (*os.File, error) { return nil, errNoRegion }
func check(*os.File, int64) error            { return errNoRegion }
