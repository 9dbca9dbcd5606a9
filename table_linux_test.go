package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
)

// tableSpoil does to every memory among its descriptors what a hostile process could do, and
// says what it has written to. The lock that it is given, if any, is there.
var tableSpoil = mp.Register("table spoil", func(_ context.Context, _ *mp.Lock) ([]string, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	var spoiled []string
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		name, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if !strings.HasPrefix(name, "/memfd:") {
			continue
		}
		wrote := tableSpoilMemory(fd)
		if again, err := unix.Open("/proc/self/fd/"+e.Name(), unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
			wrote = tableSpoilMemory(again) || wrote // and keeps its locks
		}
		if wrote {
			spoiled = append(spoiled, strings.TrimSuffix(strings.TrimPrefix(name, "/memfd:"), " (deleted)"))
		}
	}
	return slices.Compact(spoiled), nil // what was opened again is behind what it is
})

// tableSpoilMemory writes into a file in all ways, and locks every byte that it can.
func tableSpoilMemory(fd int) (wrote bool) {
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil || s.Size > 1<<30 {
		return false
	}
	junk := make([]byte, min(s.Size, 1<<20))
	for i := range junk {
		junk[i] = byte(2 + i%251)
	}
	if mem, err := unix.Mmap(fd, 0, len(junk), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		copy(mem, junk)
		wrote = true
	}
	if mem, err := unix.Mmap(fd, 0, len(junk), unix.PROT_READ, unix.MAP_SHARED); err == nil &&
		unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE) == nil {
		copy(mem, junk)
		wrote = true
	}
	n, _ := unix.Pwrite(fd, junk, 0)
	wrote = wrote || n > 0
	wrote = unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, s.Size) == nil || wrote
	wrote = unix.Ftruncate(fd, 0) == nil || unix.Ftruncate(fd, 2*s.Size) == nil || wrote
	for at := range int64(4096) {
		lock := unix.Flock_t{Type: unix.F_WRLCK, Start: at, Len: 1}
		unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock)
	}
	return wrote
}

// tablePair is a lock, and an event that is set once the lock is held.
type tablePair struct {
	Lock *mp.Lock
	Held *mp.Event
}

var tableHold = mp.Register("table hold", func(ctx context.Context, in tablePair) (mp.None, error) {
	if _, err := in.Lock.Acquire(ctx); err != nil {
		return mp.None{}, err
	}
	in.Held.Set()
	<-ctx.Done()
	return mp.None{}, ctx.Err()
})

var tableLocked = mp.Register("table locked", func(_ context.Context, l *mp.Lock) (bool, error) { return l.Locked(), nil })

// tableAbandoned acquires the lock, and says whether it was abandoned.
var tableAbandoned = mp.Register("table abandoned", func(ctx context.Context, l *mp.Lock) (bool, error) {
	h, err := l.Acquire(ctx)
	if err != nil {
		return false, err
	}
	return h.Abandoned(), h.Release()
})

func tableMust[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// tableHolder starts a process that holds the lock.
func tableHolder(t *testing.T, l *mp.Lock) *mp.Process {
	t.Helper()
	held := tableMust[*mp.Event](t)(mp.NewEvent())
	p := tableMust[*mp.Process](t)(mp.Start(t.Context(), tableHold, tablePair{l, held}, mp.ProcessConfig{Name: "holder"}))
	t.Cleanup(func() { p.Kill() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := held.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

// tableWorks is the test of a lock that some process has, and that then dies.
func tableWorks(t *testing.T, l *mp.Lock) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	h := tableMust[mp.Hold](t)(l.Acquire(ctx))
	if locked := tableMust[bool](t)(mp.Call(ctx, tableLocked, l)); !locked {
		t.Error("a lock that is held is not locked, as another process sees it")
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	p := tableHolder(t, l)
	if pid, held := l.Owner(); !held || pid != p.PID() {
		t.Errorf("the owner is %d, %v, not %d", pid, held, p.PID())
	}
	abandoned := make(chan error, 1)
	go func() { // waits meanwhile
		yes, err := mp.Call(ctx, tableAbandoned, l)
		if err == nil && !yes {
			err = errors.New("a dead process's lock was not abandoned")
		}
		abandoned <- err
	}()
	syscall.Kill(p.PID(), syscall.SIGKILL)
	p.Join(ctx)
	if err := <-abandoned; err != nil {
		t.Error(err)
	}
}

// A process that was given nothing shared cannot disturb those that share, whatever it does with
// the descriptors that it has.
func TestHostileProcessWithNothingShared(t *testing.T) {
	t.Parallel()
	l := tableMust[*mp.Lock](t)(mp.NewLock())
	h := tableMust[mp.Hold](t)(l.Acquire(t.Context()))
	spoiled := tableMust[[]string](t)(mp.Call(t.Context(), tableSpoil, nil))
	if len(spoiled) > 0 {
		t.Error("it has written to", spoiled)
	}
	if locked := tableMust[bool](t)(mp.Call(t.Context(), tableLocked, l)); !locked {
		t.Error("a lock that is held is not locked, as another process sees it")
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	tableWorks(t, l)
}

// The same is true for a worker of a pool, which has one memory of its own, while it lives on.
func TestHostileWorkerWithNothingShared(t *testing.T) {
	t.Parallel()
	l := tableMust[*mp.Lock](t)(mp.NewLock())
	p := tableHolder(t, l)
	pool := tableMust[*mp.Pool](t)(mp.NewPool(mp.PoolConfig{Workers: 1}))
	defer pool.Terminate()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	mp.Apply(ctx, pool, tableSpoil, nil) // it may have killed itself, or its outcome
	if pid, held := l.Owner(); !held || pid != p.PID() {
		t.Errorf("the owner is %d, %v, not %d", pid, held, p.PID())
	}
	p.Kill()
	p.Join(ctx)
	tableWorks(t, l)
}

// One that was given an object can spoil that, and nothing else: not its neighbours, nor who
// may join.
func TestHostileProcessWithOneObject(t *testing.T) {
	t.Parallel()
	given, l := tableMust[*mp.Lock](t)(mp.NewLock()), tableMust[*mp.Lock](t)(mp.NewLock())
	h := tableMust[mp.Hold](t)(l.Acquire(t.Context()))
	spoiled := tableMust[[]string](t)(mp.Call(t.Context(), tableSpoil, given))
	if len(spoiled) != 1 || spoiled[0] != "mp-lock" {
		t.Errorf("it has written to %q, not to the lock alone", spoiled)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	given.Acquire(ctx) // comes back, whatever it says
	cancel()
	if locked := tableMust[bool](t)(mp.Call(t.Context(), tableLocked, l)); !locked {
		t.Error("a lock that is held is not locked, as another process sees it")
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	tableWorks(t, l)
	runtime.KeepAlive(given)
}

var tableForker = mp.Register("table forker", func(ctx context.Context, in tablePair) (mp.None, error) {
	if _, err := in.Lock.Acquire(ctx); err != nil {
		return mp.None{}, err
	}
	runtime.LockOSThread()
	second := unix.Timespec{Sec: 30}
	pid, _, _ := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if pid == 0 { // as the helper of a C library does: it leaves the group, and executes nothing
		syscall.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&second)), 0, 0)
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	fmt.Println(pid)
	in.Held.Set()
	<-ctx.Done()
	return mp.None{}, ctx.Err()
})

// The lock of a dead process is passed on although a helper that it has forked lives on and has
// copies of all its descriptors.
func TestForkedHelperKeepsNoLock(t *testing.T) {
	t.Parallel()
	l, held := tableMust[*mp.Lock](t)(mp.NewLock()), tableMust[*mp.Event](t)(mp.NewEvent())
	var out strings.Builder
	p := tableMust[*mp.Process](t)(mp.Start(t.Context(), tableForker, tablePair{l, held}, mp.ProcessConfig{Stdout: &out}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := held.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	p.Join(ctx)
	helper, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil || syscall.Kill(helper, 0) != nil {
		t.Error("the helper is gone:", err)
	}
	h, ok := l.TryAcquire() // at once: it was reaped
	if !ok || !h.Abandoned() {
		t.Errorf("acquired %v, abandoned %v", ok, h.Abandoned())
	}
	syscall.Kill(helper, syscall.SIGKILL)
}

// tableLine starts a line of processes, each the child of the one before; the last one holds
// the lock.
type tableLine struct {
	Depth int
	Pair  tablePair
	PIDs  *mp.Array[int64]
}

var tableChain *mp.Func[tableLine, mp.None]

func init() {
	tableChain = mp.Register("table chain", func(ctx context.Context, in tableLine) (mp.None, error) {
		in.PIDs.Slice()[in.Depth] = int64(os.Getpid())
		if in.Depth == 0 {
			return tableHold.Do(ctx, in.Pair)
		}
		in.Depth--
		p, err := mp.Start(ctx, tableChain, in, mp.ProcessConfig{Name: fmt.Sprint("depth ", in.Depth)})
		if err == nil {
			err = p.Join(ctx)
		}
		<-ctx.Done()
		return mp.None{}, err
	})
}

// A process that is far from the main one shares as any other, and so does its death.
func TestSharingDownALine(t *testing.T) {
	t.Parallel()
	l, held := tableMust[*mp.Lock](t)(mp.NewLock()), tableMust[*mp.Event](t)(mp.NewEvent())
	pids := tableMust[*mp.Array[int64]](t)(mp.NewArray[int64](4))
	p := tableMust[*mp.Process](t)(mp.Start(t.Context(), tableChain, tableLine{3, tablePair{l, held}, pids}))
	defer p.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := held.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	last := int(pids.Slice()[0])
	if pid, held := l.Owner(); !held || pid != last {
		t.Errorf("the owner is %d, %v, not %d", pid, held, last)
	}
	short, end := context.WithTimeout(ctx, 50*time.Millisecond)
	if _, err := l.Acquire(short); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("depth 0 (pid %d)", last)) {
		t.Errorf("the error does not name the owner: %v", err)
	}
	end()
	cousin := make(chan error, 1)
	go func() {
		yes, err := mp.Call(ctx, tableAbandoned, l)
		if err == nil && !yes {
			err = errors.New("not abandoned")
		}
		cousin <- err
	}()
	syscall.Kill(last, syscall.SIGKILL)
	if err := <-cousin; err != nil {
		t.Error(err)
	}
}
