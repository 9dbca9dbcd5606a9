package shared

import (
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Memory is a handle of memory that the program itself reads and writes. What it has handed out
// stays mapped until Close, or until the process ends.
type Memory struct {
	block     *shm.Block
	size      int         // in bytes
	open      atomic.Bool // until Close or Drop
	handedOut atomic.Bool // the program has seen the memory, and may have it still
}

// NewMemory makes a handle of a block, which is the handle's from now on.
func NewMemory(b *shm.Block) *Memory {
	m := &Memory{block: b, size: len(b.Bytes())}
	m.open.Store(true)
	return m
}

// hand says whether the memory may be handed out, which keeps it mapped until Close.
func (m *Memory) handOut() bool {
	if !m.open.Load() {
		return false
	}
	if !m.handedOut.Load() {
		m.handedOut.Store(true)
	}
	return true
}

// Bytes is the memory itself; nil after Close. Who calls it keeps the handle from being garbage
// meanwhile.
func (m *Memory) Bytes() []byte {
	if !m.handOut() {
		return nil
	}
	return m.block.Bytes()
}

// Size is the size in bytes. It never changes.
func (m *Memory) Size() int { return m.size }

// Name is the name of memory that has one, without a slash in front.
func (m *Memory) Name() string { return m.block.Name() }

// Unlink removes the name.
func (m *Memory) Unlink() error { return m.block.Unlink() }

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
	if !m.handedOut.Load() {
		m.block.Unmap()
	}
}
