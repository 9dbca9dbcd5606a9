package shared

import (
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Memory is a handle of memory that the program itself reads and writes. Memory that was handed
// out stays mapped until Close, or until the process ends.
type Memory struct {
	block     *shm.Block
	size      int         // in bytes
	open      atomic.Bool // until Close or Drop
	handedOut atomic.Bool // the program has seen the memory, and may have it still
}

// NewMemory makes a handle of a block, which it takes over.
func NewMemory(b *shm.Block) *Memory {
	m := &Memory{block: b, size: len(b.Bytes())}
	m.open.Store(true)
	return m
}

// handOut reports whether the memory may be handed out, which keeps it mapped until Close.
func (m *Memory) handOut() bool {
	if !m.open.Load() {
		return false
	}
	if !m.handedOut.Load() {
		m.handedOut.Store(true)
	}
	return true
}

// Bytes is the memory itself; nil after Close. The caller keeps the handle alive meanwhile.
func (m *Memory) Bytes() []byte {
	if !m.handOut() {
		return nil
	}
	return m.block.Bytes()
}

// Size is the size in bytes. It never changes.
func (m *Memory) Size() int { return m.size }

// Name is the name of the memory without a slash, or "".
func (m *Memory) Name() string { return m.block.Name() }

// Unlink removes the name.
func (m *Memory) Unlink() error { return m.block.Unlink() }

// Close unmaps the memory from this process.
func (m *Memory) Close() error {
	if !m.open.CompareAndSwap(true, false) {
		return nil
	}
	m.block.CloseFile()
	return m.block.Unmap()
}

// Drop is called when the program's handle is garbage.
func (m *Memory) Drop() {
	if !m.open.CompareAndSwap(true, false) {
		return
	}
	m.block.CloseFile()
	if !m.handedOut.Load() {
		m.block.Unmap()
	}
}
