package proctable

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// newTestTable makes a process table of which this process is the main process.
func newTestTable(t *testing.T) (*registrar, *os.File) {
	t.Helper()
	f, region, err := shm.NewSingleWriter("mp-processes", tableSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() }) // the memory stays mapped: deaths may be written there until the end
	return &registrar{table: newTable(region, true)}, f
}

// readTestTable maps a table as a child does.
func readTestTable(t *testing.T, f *os.File) *Table {
	t.Helper()
	region, err := shm.OpenReadOnly(f, tableSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { region.Unmap() })
	return newTable(region, false)
}

// A process that has the descriptor cannot write the table, by any system call or through any
// other descriptor of the same memory; the main process still can.
func TestTableIsSealed(t *testing.T) {
	t.Parallel()
	r, f := newTestTable(t)
	again, err := os.OpenFile(fmt.Sprint("/proc/self/fd/", f.Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for name, fd := range map[string]int{"inherited": int(f.Fd()), "opened again": int(again.Fd())} {
		if _, err := unix.Mmap(fd, 0, tableSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != syscall.EPERM {
			t.Errorf("%s: mapped for writing: %v", name, err)
		}
		mem, err := unix.Mmap(fd, 0, tableSize, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE); err != syscall.EACCES {
			t.Errorf("%s: made writable: %v", name, err)
		}
		unix.Munmap(mem)
		if _, err := unix.Pwrite(fd, []byte{1}, stateIn); err != syscall.EPERM {
			t.Errorf("%s: written: %v", name, err)
		}
		for mode, what := range map[uint32]string{
			unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE: "punched",
			unix.FALLOC_FL_ZERO_RANGE:                            "zeroed",
		} {
			if err := unix.Fallocate(fd, mode, 0, 4096); err == nil {
				t.Errorf("%s: %s", name, what)
			}
		}
		for _, size := range []int64{0, 2 * tableSize} {
			if err := unix.Ftruncate(fd, size); err != syscall.EPERM {
				t.Errorf("%s: truncated to %d: %v", name, size, err)
			}
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err == nil {
			t.Errorf("%s: sealed further", name)
		}
	}
	id, err := r.admit(1, 2, "one")
	if other := readTestTable(t, f); err != nil || !other.Alive(id) {
		t.Error("what the main process writes is not seen:", err)
	}
}

// IDs are unique, slots are reused, and the next process in a slot can be told from the last.
func TestSlotsAreReused(t *testing.T) {
	t.Parallel()
	r, f := newTestTable(t)
	other := readTestTable(t, f)
	seen := make(map[ID]bool)
	for i := range 100 {
		id, err := r.admit(1000+i, uint64(i+1), "x")
		if err != nil || seen[id] || id.Slot() != 0 || !other.Alive(id) {
			t.Fatal(id, err, seen[id])
		}
		seen[id] = true
		if found, ok := other.find(uint64(i + 1)); !ok || found != id {
			t.Fatal("not found by its key:", found, ok)
		}
		r.markDead(id)
		r.markDead(id) // twice is once
		if _, ok := other.find(uint64(i + 1)); ok || other.Alive(id) {
			t.Fatal("alive after its death")
		}
	}
	if n := other.deaths.Load(); n != 100 {
		t.Errorf("%d deaths were recorded", n)
	}
	if other.Used() != 1 {
		t.Errorf("%d slots are used", other.Used())
	}
}

// When all slots are taken, a request fails with an error that says what to do. When one is free
// again, the next request gets it.
func TestTableIsFull(t *testing.T) {
	t.Parallel()
	r, f := newTestTable(t)
	var last ID
	for i := range Slots {
		id, err := r.admit(i+1, uint64(i+1), "x")
		if err != nil {
			t.Fatal(i, err)
		}
		last = id
	}
	other := readTestTable(t, f)
	begin := time.Now()
	ask := func(q Request) { r.admit(Slots+1, q.Key, q.Name) }
	_, err := other.awaitSlot(1<<40, "late", ask)
	if !errors.Is(err, errTableFull) || !strings.Contains(err.Error(), "let some of them end") || time.Since(begin) > answerTimeout/2 {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	r.markDead(last)
	if id, err := other.awaitSlot(1<<40, "late", ask); err != nil || id.Slot() != last.Slot() || id == last {
		t.Error(id, err)
	}
}

// A slot that has no IDs left is not used again.
func TestExhaustedSlot(t *testing.T) {
	t.Parallel()
	r, _ := newTestTable(t)
	r.table.state(0).Store(uint64((generations-1)*Slots)<<8 | stateDead)
	if id, err := r.admit(1, 1, "x"); err != nil || id.Slot() != 1 {
		t.Error(id, err)
	}
}

// When the main process does not answer, a request fails after a while.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	_, f := newTestTable(t)
	begin := time.Now()
	if _, err := readTestTable(t, f).awaitSlot(1, "x", func(Request) {}); !errors.Is(err, errNoAnswer) || time.Since(begin) < answerTimeout {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// sleeps starts a process that runs until the test ends.
func sleeps(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func pidfdOf(t *testing.T, pid int) *os.File {
	t.Helper()
	f, err := openPIDFD(pid)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A request that was passed on is granted only once, and only for a living process that descends
// from the child that passed it on. When that process dies, its slot is freed without a report.
func TestDescendants(t *testing.T) {
	t.Parallel()
	r, _ := newTestTable(t)
	child := sleeps(t)
	r.admitDescendant(os.Getpid(), Request{Key: 7, PIDFD: pidfdOf(t, child.Process.Pid)})
	id, ok := r.table.find(7)
	if !ok {
		t.Fatal("a child's child did not get a slot")
	}
	for name, q := range map[string]struct {
		ancestor, pid int
	}{
		"twice":                  {os.Getpid(), child.Process.Pid},
		"the ancestor of it all": {child.Process.Pid, os.Getpid()},
		"no child of that one":   {child.Process.Pid, sleeps(t).Process.Pid},
		"itself":                 {os.Getpid(), os.Getpid()},
		"init":                   {os.Getpid(), 1},
	} {
		r.admitDescendant(q.ancestor, Request{Key: 8, PIDFD: pidfdOf(t, q.pid)})
		if _, ok := r.table.find(8); ok {
			t.Error(name, "got a slot")
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	r.admitDescendant(os.Getpid(), Request{Key: 8, PIDFD: null})
	if _, ok := r.table.find(8); ok {
		t.Error("a file got a slot")
	}
	child.Process.Kill()
	for end := time.Now().Add(20 * time.Second); r.table.Alive(id); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is dead and still has its slot")
		}
	}
}

// A child that was marked dead before its request arrives gets no slot.
func TestRequestOfTheDead(t *testing.T) {
	t.Parallel()
	r, _ := newTestTable(t)
	c := &Child{key: 3, registrar: r}
	c.MarkDead()
	c.Request(1, Request{})
	if _, ok := r.table.find(3); ok {
		t.Error("it got a slot and can never be marked dead")
	}
}

// A process is dead once it has exited, reaped or not, but not when it is stopped.
func TestProcessDead(t *testing.T) {
	t.Parallel()
	cmd := sleeps(t)
	pid := cmd.Process.Pid
	cmd.Process.Signal(syscall.SIGSTOP)
	if processDead(pid) || processDead(0) || processDead(os.Getpid()) {
		t.Error("a living process is dead")
	}
	cmd.Process.Kill()
	for end := time.Now().Add(20 * time.Second); !processDead(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a zombie is alive")
		}
	}
	cmd.Wait()
	if !processDead(pid) {
		t.Error("it was reaped and is alive")
	}
}
