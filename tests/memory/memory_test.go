//go:build linux

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var memoryNames atomic.Int64

// memoryName is a name that nobody has. What has it is gone after the test.
func memoryName(t testing.TB) string {
	name := fmt.Sprintf("mp-root-test-%d-%d", os.Getpid(), memoryNames.Add(1))
	t.Cleanup(func() { os.Remove("/dev/shm/" + name) })
	return name
}

// closing ends a handle with its test.
func closing(t testing.TB, m *mp.Memory, err error) *mp.Memory {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func newMemory(t testing.TB, size int) *mp.Memory {
	t.Helper()
	m, err := mp.NewMemory(size)
	return closing(t, m, err)
}

func createMemory(t testing.TB, name string, size int) *mp.Memory {
	t.Helper()
	m, err := mp.CreateMemory(name, size)
	return closing(t, m, err)
}

func openMemory(t testing.TB, name string) *mp.Memory {
	t.Helper()
	m, err := mp.OpenMemory(name)
	return closing(t, m, err)
}

func TestMemory(t *testing.T) {
	t.Parallel()
	m := newMemory(t, 5000)
	b := m.Bytes()
	if len(b) != 5000 || cap(b) != 5000 || m.Size() != 5000 || m.Name() != "" {
		t.Fatalf("%d bytes, cap %d, Size %d, name %q", len(b), cap(b), m.Size(), m.Name())
	}
	if strings.Trim(string(b), "\x00") != "" {
		t.Error("the memory is not zero")
	}
	b[4999] = 7
	if again := m.Bytes(); &again[0] != &b[0] || again[4999] != 7 {
		t.Error("Bytes is other memory each time")
	}
	if err := m.Unlink(); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Unlink without a name: %v", err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if m.Bytes() != nil || m.Size() != 5000 {
		t.Errorf("closed: %d bytes, Size %d", len(m.Bytes()), m.Size())
	}
}

func TestMemoryWithName(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	if _, err := mp.OpenMemory(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened before it is there: %v", err)
	}
	a := createMemory(t, "/"+name, 5000)
	if a.Name() != name || a.Size() != 5000 {
		t.Errorf("%q, %d bytes", a.Name(), a.Size())
	}
	if _, err := mp.CreateMemory(name, 1); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	b, c := openMemory(t, name), openMemory(t, "/"+name)
	a.Bytes()[4999] = 1
	b.Bytes()[4998] = 2
	if got := c.Bytes()[4998:]; got[0] != 2 || got[1] != 1 {
		t.Errorf("%v", got)
	}
	a.Close()
	if d := openMemory(t, name); d.Bytes()[4999] != 1 {
		t.Error("the memory ended with who made it")
	}
	if err := a.Unlink(); err != nil || a.Name() != name {
		t.Errorf("Unlink after Close: %v, name %q", err, a.Name())
	}
	if err := a.Unlink(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the second Unlink: %v", err)
	}
	if err := b.Unlink(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Unlink by another: %v", err)
	}
	if _, err := mp.OpenMemory(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened after Unlink: %v", err)
	}
	if b.Bytes()[4999] != 1 {
		t.Error("the memory ended with its name")
	}
	d := createMemory(t, name, 1) // anew
	if err := b.Unlink(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the name is another's now: %v", err)
	}
	if err := d.Unlink(); err != nil {
		t.Error(err)
	}
}

func TestMemoryThatCannotBe(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	for _, size := range []int{0, -1, math.MinInt} {
		if _, err := mp.NewMemory(size); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("NewMemory(%d): %v", size, err)
		}
		if _, err := mp.CreateMemory(name, size); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("CreateMemory(%d): %v", size, err)
		}
	}
	for _, size := range []int{math.MaxInt - math.MaxInt%4096, math.MaxInt} {
		if _, err := mp.NewMemory(size); err == nil || !strings.HasPrefix(err.Error(), "mp: ") {
			t.Errorf("NewMemory(%d): %v", size, err)
		}
		if _, err := mp.CreateMemory(name, size); !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "mp: ") {
			t.Errorf("CreateMemory(%d): %v", size, err)
		}
	}
	for _, name := range []string{"/", ".", "..", "a/b", "a\x00b", strings.Repeat("n", 256)} { // "" is for CreateMemory to choose
		if _, err := mp.CreateMemory(name, 1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("CreateMemory(%q): %v", name, err)
		}
		if _, err := mp.OpenMemory(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("OpenMemory(%q): %v", name, err)
		}
	}
	if _, err := os.Lstat("/dev/shm/" + name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}

// Colons and newlines are allowed (CPython's TestSharedMemoryNames).
func TestMemoryNames(t *testing.T) {
	t.Parallel()
	base := memoryName(t)
	for _, name := range []string{base + ":a:b", base + "\na", base + " ü", "." + base} {
		m := createMemory(t, name, 1)
		if o := openMemory(t, name); o.Name() != name {
			t.Errorf("the name is %q, want %q", o.Name(), name)
		}
		if err := m.Unlink(); err != nil {
			t.Error(err)
		}
	}
}

func TestMemoryDropped(t *testing.T) {
	name := memoryName(t)
	createMemory(t, name, 1)
	for what, get := range map[string]func() (*mp.Memory, error){
		"mp-memory": func() (*mp.Memory, error) { return mp.NewMemory(1) },
		name:        func() (*mp.Memory, error) { return mp.OpenMemory(name) },
	} {
		descriptors, mappings := testkit.Held(t, what)
		for range testkit.Times(1000, 100_000) {
			if _, err := get(); err != nil {
				t.Fatal(err)
			}
		}
		testkit.ComesTo(t, what, descriptors, mappings)
		for range testkit.Times(1000, 100_000) {
			m, err := get()
			if err != nil {
				t.Fatal(err)
			}
			m.Bytes()[0] = 1
			m.Close()
		}
		testkit.ComesTo(t, what, descriptors, mappings)
	}
}

func TestMemoryClosedByMany(t *testing.T) {
	t.Parallel()
	for range testkit.Times(100, 10_000) {
		m := createMemory(t, memoryName(t), 1)
		var unlinked atomic.Int64
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				m.Bytes()
				if err := m.Close(); err != nil {
					t.Error(err)
				}
				if err := m.Unlink(); err == nil {
					unlinked.Add(1)
				} else if !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := unlinked.Load(); n != 1 {
			t.Errorf("%d have removed the name", n)
		}
	}
}

// A program that never comes to Main is told so.
func TestMemoryWithoutMain(t *testing.T) {
	t.Parallel()
	for what, err := range memoryBeforeMain {
		if !errors.Is(err, mp.ErrNoMain) {
			t.Errorf("%s before Main: %v", what, err)
		}
	}
}

// memoryBeforeMain is what init got, which runs before TestMain.
var memoryBeforeMain = func() map[string]error {
	_, memory := mp.NewMemory(-1)
	_, create := mp.CreateMemory("", -1)
	_, open := mp.OpenMemory("")
	_, array := mp.NewArray[string](-1)
	return map[string]error{"NewMemory": memory, "CreateMemory": create, "OpenMemory": open, "NewArray": array}
}()

// What has a name survives whoever made it, also if that is killed.
func TestMemorySurvivesItsMaker(t *testing.T) {
	t.Parallel()
	name := memoryName(t)
	ctx := testkit.Ctx(t)
	p, err := mp.Start(ctx, memoryMake, name)
	if err != nil {
		t.Fatal(err)
	}
	var exit *mp.ExitError
	if err := p.Join(ctx); !errors.As(err, &exit) || exit.Signal != syscall.SIGKILL {
		t.Fatalf("it ended by %v", err)
	}
	m := openMemory(t, name)
	if got := string(m.Bytes()[:5]); got != "alive" {
		t.Errorf("it has %q", got)
	}
	if err := m.Unlink(); err != nil {
		t.Error(err)
	}
}

// memoryMake makes memory with a name, and is killed.
var memoryMake = mp.Register("memory/make", func(_ context.Context, name string) (mp.None, error) {
	m, err := mp.CreateMemory(name, 5)
	if err != nil {
		return mp.None{}, err
	}
	copy(m.Bytes(), "alive")
	return mp.None{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})
