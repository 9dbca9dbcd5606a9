package mp

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// Memory is a block of bytes that processes share: what one of them writes, the
// others read, and nothing is copied. It is Python's
// multiprocessing.shared_memory.SharedMemory. One made by NewMemory has no name and
// lives as long as some process has it; one made by CreateMemory is found by its name,
// by any program of the same user, until Unlink.
//
// It is shareable: a *Memory inside the input or output of a Func, or inside an item of
// a queue or pipe, is a handle of the same memory in the other process. Passing it
// takes some microseconds whatever its size; one that was closed is refused with
// ErrClosed. Any number of goroutines may use a handle.
//
// Nothing orders what is read and written there: guard it by a Lock, or access it
// with sync/atomic. The race detector does not watch shared memory.
//
// A handle that becomes garbage lets go of its descriptor. What Bytes has handed out
// stays mapped until Close, or until the process ends: the memory is never taken
// away behind your back, so a program that makes many of them closes each.
type Memory struct {
	_ [0]sync.Mutex // a Memory must not be copied
	m carrier.Memory
}

// NewMemory makes memory of size bytes, all zero, that has no name: other processes
// get it by being given the handle. It takes a descriptor, and pages of the machine's
// memory when they are first written to; some 10 microseconds. It does not wait.
//
// The error is ErrNoMain before Main; fs.ErrInvalid when size is not positive (as
// Python's ValueError); the system's when there are no descriptors or the size is
// absurd; errors.ErrUnsupported elsewhere than on Linux.
func NewMemory(size int) (*Memory, error) {
	if err := mayShare(size); err != nil {
		return nil, err
	}
	b, err := shm.NewBlock("mp-memory", size)
	if err != nil {
		return nil, err
	}
	return listed(new(Memory).init(shared.NewMemory(b))), nil
}

// CreateMemory makes memory of size bytes, all zero, that any program of this user can
// open by its name: with OpenMemory, or in Python with SharedMemory(name). It stays until Unlink, whatever
// process dies, and so can outlive the program.
//
// All of it is reserved at once, which takes about a millisecond for each 10 MB. If /dev/shm has not enough
// room, that is an error here (syscall.ENOSPC) and not a crash later. The name appears when the memory is
// ready. A call that fails or is killed leaves nothing behind.
//
// The name is that of a file in /dev/shm: up to 255 bytes without a zero byte or a slash, except for one
// leading slash, which is ignored; "." and ".." are not names. Only this user may open it (mode 0600). An empty
// name picks an unused one, which Name returns, as Python's SharedMemory(create=True).
//
// The error is ErrNoMain before Main; fs.ErrExist when the name is taken;
// fs.ErrInvalid when the name or the size cannot be; the system's;
// errors.ErrUnsupported elsewhere than on Linux.
func CreateMemory(name string, size int) (*Memory, error) {
	if err := mayShare(size); err != nil {
		return nil, err
	}
	create := shm.CreateBlock
	if name == "" {
		create = createUnnamed
	}
	b, err := create(name, size)
	if err != nil {
		return nil, err
	}
	return listed(new(Memory).init(shared.NewMemory(b))), nil
}

// createUnnamed makes a block under a name of 64 random bits.
func createUnnamed(_ string, size int) (*shm.Block, error) {
	for {
		b, err := shm.CreateBlock(fmt.Sprintf("mp-%016x", rand.Uint64()), size)
		if !errors.Is(err, fs.ErrExist) {
			return b, err
		}
	}
}

// OpenMemory opens memory by the name that CreateMemory, or a program in another
// language, has given it. Its size is that of the file at this moment. It does not
// wait, and costs what NewMemory costs.
//
// Any program of this user can shrink memory that has a name. A process that then touches the missing part
// is ended by SIGBUS (Go: "unexpected fault address"), so open only memory of programs that you trust not to. Where
// you can, pass a Memory of NewMemory instead, whose size is sealed.
//
// When a Python program ends, CPython removes the names of all memory that it has attached to (gh-82300).
// OpenMemory and Unlink then return fs.ErrNotExist, while processes that have the memory keep it. Tell Python
// to leave it alone, from 3.13 on by
//
//	m = SharedMemory(name, track=False)
//
// and before by
//
//	m = SharedMemory(name)
//	resource_tracker.unregister(m._name, "shared_memory")
//
// with resource_tracker from package multiprocessing.
//
// The error is ErrNoMain before Main; fs.ErrNotExist when there is no such name;
// fs.ErrInvalid when there can be none, or it is no file; the system's;
// errors.ErrUnsupported elsewhere than on Linux. A file of no bytes is an error too:
// Python's have none for a moment.
func OpenMemory(name string) (*Memory, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	b, err := shm.OpenBlock(name)
	if err != nil {
		return nil, err
	}
	return listed(new(Memory).init(shared.NewMemory(b))), nil
}

// mayShare says why no memory of this size can be made.
func mayShare(size int) error {
	if err := mayStart(); err != nil {
		return err
	}
	if size <= 0 {
		return fmt.Errorf("mp: %w: %d bytes of shared memory", fs.ErrInvalid, size)
	}
	return nil
}

// init makes m a handle of the memory.
func (m *Memory) init(c carrier.Memory) *Memory {
	m.m = c
	runtime.AddCleanup(m, carrier.Memory.Drop, c)
	return m
}

// Bytes is the shared memory itself, the same each time: Size bytes, aligned to a page.
// It is nil after Close. It does not wait, and costs some nanoseconds.
//
// After Close nothing of the slice, nor of slices of it, may be touched: the program
// crashes as with any memory that is gone (SIGSEGV), or hits what has taken the place.
// Copy what is to outlive Close.
func (m *Memory) Bytes() []byte {
	if m == nil || m.m == nil {
		return nil
	}
	b := m.m.Bytes()
	runtime.KeepAlive(m) // until it is handed out
	return b
}

// Size is the size in bytes, also after Close. It never changes.
func (m *Memory) Size() int {
	if m == nil || m.m == nil {
		return 0
	}
	return m.m.Size()
}

// Name is the name of memory that has one, without a slash in front, also after Close;
// otherwise "". It travels with the handle.
func (m *Memory) Name() string {
	if m == nil || m.m == nil {
		return ""
	}
	return m.m.Name()
}

// Close takes the memory out of this process: see Bytes. Others keep theirs, and a name
// stays until Unlink. It does not wait. Closing again does nothing, and the error is
// always nil. A handle that was passed on may be closed as soon as its call has an
// outcome, or its Put or Send has returned.
func (m *Memory) Close() error {
	if m == nil || m.m == nil {
		return nil
	}
	return m.m.Close()
}

// Err is nil, or ErrClosed after Close. It does not wait.
func (m *Memory) Err() error {
	if m == nil || m.m == nil {
		return notMade("Memory")
	}
	return m.m.Err()
}

// Unlink removes the name, also after Close. Processes that have the memory keep it, and it is freed when the
// last of them closes it; the name can be used again. Unlink does not wait.
//
// The error is fs.ErrNotExist when the name is gone, or now belongs to other memory, which stays;
// fs.ErrInvalid for memory that never had a name; or the system's.
func (m *Memory) Unlink() error {
	if m.Name() == "" {
		return fmt.Errorf("mp: Unlink: %w: the memory has no name", fs.ErrInvalid)
	}
	return m.m.Unlink()
}

func (m *Memory) share(b *codec.Buffer) error {
	if m.m == nil {
		return carrier.ErrMemoryClosed
	}
	return m.m.Share(b)
}

func (m *Memory) adopt(k carrier.Kind, r *codec.Reader) error {
	c, err := carrier.Open[carrier.Memory](k, r)
	if err != nil {
		return err
	}
	m.init(c)
	return nil
}

func (m *Memory) list() { list(m) }
