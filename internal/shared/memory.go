package shared

import (
	"os"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Memory is a handle of memory that the program itself reads and writes. What it has handed out
// stays mapped until Close, or until the process ends.
type Memory struct {
	block  *shm.Block
	size   int         // in bytes
	open   atomic.Bool // until Close or Drop
	handed atomic.Bool // the program has seen the memory, and may have it still
}

// NewMemory makes a handle of a block, which is the handle's from now on.
func NewMemory(b *shm.Block) *Memory {
	m := &Memory{block: b, size: len(b.Bytes())}
	m.open.Store(true)
	return m
}

// hand says whether the memory may be handed out, which keeps it mapped until Close.
func (m *Memory) hand() bool {
	if !m.open.Load() {
		return false
	}
	if !m.handed.Load() {
		m.handed.Store(true)
	}
	return true
}

// Bytes is the memory itself; nil after Close. Who calls it keeps the handle from being garbage
// meanwhile.
func (m *Memory) Bytes() []byte {
	if !m.hand() {
		return nil
	}
	return m.block.Bytes()
}

// Elements is the memory as n elements, for which there is room, as Bytes. T holds no pointers.
func Elements[T any](m *Memory, n int) []T {
	if !m.hand() {
		return nil
	}
	return shm.Elements[T](m.block, n)
}

// Size is the size in bytes. It never changes.
func (m *Memory) Size() int { return m.size }

// Name is the name of memory that has one, without a slash in front.
func (m *Memory) Name() string { return m.block.Name() }

// Unlink removes the name.
func (m *Memory) Unlink() error { return m.block.Unlink() }

// File is what another process needs to have the memory. It is ErrMemoryClosed after Close.
func (m *Memory) File() (*os.File, error) {
	if !m.open.Load() {
		return nil, carrier.ErrMemoryClosed
	}
	return m.block.File(), nil
}

// Close takes the memory out of this process.
func (m *Memory) Close() error {
	if !m.open.CompareAndSwap(true, false) {
		return nil
	}
	m.block.CloseFile()
	return m.block.Unmap()
}

// Drop is called when the handle of the program is garbage.
func (m *Memory) Drop() {
	if !m.open.CompareAndSwap(true, false) {
		return
	}
	m.block.CloseFile()
	if !m.handed.Load() {
		m.block.Unmap()
	}
}
