//go:build linux

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

const optionsMost = time.Duration(math.MaxInt64)

var optionsSquare = mp.Register("options/square", func(_ context.Context, n int) (int, error) { return n * n, nil })

// TestPoolOptionsThatCannotWork: an error of NewPool at once, which names the field and the value.
func TestPoolOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	both := map[string]mp.PoolConfig{
		"Workers is negative: -1": {Workers: -1}, "Workers is 10001, more than 10000": {Workers: 10_001}, "TasksPerWorker is negative: -1": {TasksPerWorker: -1},
		"MaxQueued is negative: -1": {MaxQueued: -1}, "MaxResult is negative: -2": {MaxResult: -2}, "MaxResult is negative: -9223372036854775808": {MaxResult: math.MinInt64},
		"IdleTimeout is negative: -1": {IdleTimeout: -1}, "StartTimeout is negative: -1": {StartTimeout: -1},
	}
	processes := map[string]mp.PoolConfig{
		"MaxMemory is negative: -1": {MaxMemory: -1}, "MaxMemory is 1:": {MaxMemory: 1}, "Procs is negative: -1": {Procs: -1}, "Procs is 1000000, more than ": {Procs: 1_000_000},
		"Encode is for goroutines": {Encode: true}, "Limits.Memory is negative: -1": {Limits: mp.Limits{Memory: -1}}, "Limits.Memory is 4096:": {Limits: mp.Limits{Memory: 4096}},
		"Limits.CPU is negative: -1": {Limits: mp.Limits{CPU: -1}}, "Limits.OpenFiles is negative: -1": {Limits: mp.Limits{OpenFiles: -1}},
		"Limits.OpenFiles is 3:": {Limits: mp.Limits{OpenFiles: 3}}, "Limits.Nice is 20:": {Limits: mp.Limits{Nice: 20}}, "Limits.Nice is -21:": {Limits: mp.Limits{Nice: -21}},
	}
	try := func(carrier, want string, p *mp.Pool, err error) {
		if err == nil {
			p.Terminate()
			t.Errorf("%s: no error of %s", carrier, want)
			return
		}
		testkit.Says(t, err, "mp: NewPool: PoolConfig."+want)
	}
	for want, cfg := range both {
		p, err := mp.NewPool(cfg)
		try("processes", want, p, err)
		p, err = thread.NewPool(cfg)
		try("goroutines", want, p, err)
	}
	for want, cfg := range processes {
		p, err := mp.NewPool(cfg)
		try("processes", want, p, err)
	}
}

// TestProcessOptionsThatCannotWork: of Start and Call.
func TestProcessOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]mp.ProcessConfig{
		"Procs is negative: -1": {Procs: -1}, "Procs is 1000000, more than ": {Procs: 1_000_000}, "Limits.Memory is 1:": {Limits: mp.Limits{Memory: 1}},
		"Limits.Memory is negative: -5": {Limits: mp.Limits{Memory: -5}}, "Limits.OpenFiles is 15:": {Limits: mp.Limits{OpenFiles: 15}}, "Limits.Nice is 40:": {Limits: mp.Limits{Nice: 40}},
	} {
		_, err := mp.Call(testkit.Ctx(t), optionsSquare, 1, cfg)
		testkit.Says(t, err, "mp: ProcessConfig."+want)
		_, err = mp.Start(testkit.Ctx(t), optionsSquare, 1, cfg)
		testkit.Says(t, err, "mp: ProcessConfig."+want)
	}
}

// TestTaskOptionsThatCannotWork: an error of the call.
func TestTaskOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for carrier, p := range errstackPools(t, mp.PoolConfig{Workers: 1}) {
		for want, option := range map[string]mp.TaskOption{
			"Timeout(-1ns) is negative": mp.Timeout(-1), "Retries(-1) is negative": mp.Retries(-1, mp.Backoff{}), "Chunk(0)": mp.Chunk(0), "Window(0)": mp.Window(0),
			"Capture(-1) is negative": mp.Capture(-1), "Capture(67108865): at most": mp.Capture(64<<20 + 1),
			"Backoff{Min: -1ns": mp.Retries(1, mp.Backoff{Min: -1}), "Max: -1ns}": mp.Retries(1, mp.Backoff{Max: -1}), "Min is more than Max": mp.Retries(1, mp.Backoff{Min: 2, Max: 1}),
			"Factor is 0.5": mp.Retries(1, mp.Backoff{Factor: 0.5}), "Factor is NaN": mp.Retries(1, mp.Backoff{Factor: math.NaN()}), "Factor is +Inf": mp.Retries(1, mp.Backoff{Factor: math.Inf(1)}),
			"Factor is -1": mp.Retries(1, mp.Backoff{Factor: -1}), "Jitter is 1.5": mp.Retries(1, mp.Backoff{Jitter: 1.5}), "Jitter is NaN": mp.Retries(1, mp.Backoff{Jitter: math.NaN()}),
		} {
			if _, err := mp.Map(testkit.Ctx(t), p, optionsSquare, []int{1, 2}, option); err == nil {
				t.Errorf("%s: no error of %s", carrier, want)
			} else {
				testkit.Says(t, err, want)
			}
		}
	}
}

// TestOptionsAtTheirEnds: the largest values that can work do.
func TestOptionsAtTheirEnds(t *testing.T) {
	t.Parallel()
	pools := map[string]mp.PoolConfig{
		"TasksPerWorker": {TasksPerWorker: math.MaxInt}, "MaxMemory": {MaxMemory: math.MaxInt64}, "MaxQueued": {MaxQueued: math.MaxInt}, "MaxResult": {MaxResult: math.MaxInt64},
		"no MaxResult": {MaxResult: -1}, "IdleTimeout": {IdleTimeout: optionsMost}, "StartTimeout": {StartTimeout: optionsMost}, "Grace": {Grace: optionsMost}, "Procs": {Procs: 4096},
		"CPU": {Limits: mp.Limits{CPU: optionsMost}}, "OpenFiles": {Limits: mp.Limits{OpenFiles: 16}}, "Nice": {Limits: mp.Limits{Nice: 19}}, "Memory": {Limits: mp.Limits{Memory: math.MaxInt64}},
	}
	for name, cfg := range pools {
		cfg.Workers = 1
		p, err := mp.NewPool(cfg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n, err := mp.Apply(testkit.Ctx(t), p, optionsSquare, 7); n != 49 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		p.Terminate()
	}
	for carrier, p := range errstackPools(t, mp.PoolConfig{Workers: 1}) {
		for name, o := range map[string]mp.TaskOption{
			"Timeout": mp.Timeout(optionsMost), "Retries": mp.Retries(math.MaxInt, mp.Backoff{Min: optionsMost, Max: optionsMost, Factor: 1e18, Jitter: 1}),
			"no jitter": mp.Retries(1, mp.Backoff{Jitter: math.Inf(-1)}), "Chunk": mp.Chunk(math.MaxInt), "Window": mp.Window(math.MaxInt),
			"Priority": mp.Priority(math.MaxInt), "low": mp.Priority(math.MinInt),
		} {
			if out, err := mp.Map(testkit.Ctx(t), p, optionsSquare, []int{1, 2, 3}, o); !slices.Equal(out, []int{1, 4, 9}) || err != nil {
				t.Errorf("%s, %s: %v, %v", carrier, name, out, err)
			}
			for n, err := range mp.Imap(testkit.Ctx(t), p, optionsSquare, slices.Values([]int{3}), o) {
				if n != 9 || err != nil {
					t.Errorf("%s, %s: %v, %v", carrier, name, n, err)
				}
			}
		}
	}
}

// TestSeveralProcessConfigs: each adds to those before it.
func TestSeveralProcessConfigs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := mp.Start(testkit.Ctx(t), optionsWhere, filepath.Join(dir, "out"), mp.ProcessConfig{Name: "first", Dir: dir, Daemon: true, Limits: mp.Limits{OpenFiles: 64, Nice: 3}}, nil,
		mp.ProcessConfig{Name: "second", Env: append(os.Environ(), "OPTIONS=yes"), Limits: mp.Limits{OpenFiles: 50}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "out"))
	if want := fmt.Sprintf("%s yes 50", dir); string(b) != want || err != nil || p.Name() != "second" {
		t.Errorf("%q, want %q; %s", b, want, p.Name())
	}
}

var optionsWhere = mp.Register("options/where", func(_ context.Context, file string) (mp.None, error) {
	dir, _ := os.Getwd()
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return mp.None{}, os.WriteFile(file, fmt.Appendf(nil, "%s %s %d", dir, os.Getenv("OPTIONS"), limit.Cur), 0o600)
})

// TestUnwatchedLimits: where there is no /proc a limit on memory is an error, and one that was set before
// is kept. It runs in a process of its own, which goes into an empty folder.
func TestUnwatchedLimits(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("chroot is root's")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestUnwatchedLimitsInside$", "-test.v")
	cmd.Env = append(os.Environ(), "MP_TEST_CHROOT="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestUnwatchedLimitsInside") {
		t.Errorf("%v: %s", err, out)
	}
}

var optionsHog = mp.Register("options/hog", func(ctx context.Context, n int) (int, error) {
	b := make([]byte, n)
	for i := range b {
		b[i] = 1
	}
	<-ctx.Done()
	return len(b), nil
})

func TestUnwatchedLimitsInside(t *testing.T) {
	dir := os.Getenv("MP_TEST_CHROOT")
	if dir == "" {
		t.Skip("run by TestUnwatchedLimits")
	}
	before, err := mp.NewPool(mp.PoolConfig{Workers: 1, MaxMemory: 100 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer before.Terminate()
	if err := syscall.Chroot(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := mp.Apply(testkit.Ctx(t), before, optionsHog, 300<<20); !errors.Is(err, mp.ErrMemory) {
		t.Errorf("a limit that was set is not kept: %v", err)
	}
	_, err = mp.NewPool(mp.PoolConfig{Workers: 1, MaxMemory: 100 << 20})
	testkit.Says(t, err, "PoolConfig.MaxMemory is 104857600", "cannot be watched", "/proc")
	_, err = mp.NewPool(mp.PoolConfig{Workers: 1, Limits: mp.Limits{Memory: 100 << 20}})
	testkit.Says(t, err, "PoolConfig.Limits.Memory is 104857600", "cannot be watched", "/proc")
	_, err = mp.Call(testkit.Ctx(t), optionsSquare, 1, mp.ProcessConfig{Limits: mp.Limits{Memory: 100 << 20}})
	testkit.Says(t, err, "ProcessConfig.Limits.Memory is 104857600", "cannot be watched", "/proc")
}
