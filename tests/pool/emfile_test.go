//go:build linux

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"golang.org/x/sys/unix"
)

// crammed closes the files that came, and returns their number and its pid.
type crammed struct{ Files, PID int }

var cramIn = mp.Register("emfile/in", func(_ context.Context, files []*os.File) (crammed, error) {
	for _, f := range files {
		if err := f.Close(); err != nil {
			return crammed{}, err
		}
	}
	return crammed{len(files), os.Getpid()}, nil
})

// cramOut returns n files.
var cramOut = mp.Register("emfile/out", func(_ context.Context, n int) ([]*os.File, error) { return cramFiles(n) })

func cramFiles(n int) ([]*os.File, error) {
	f, err := os.Open(os.DevNull)
	files := make([]*os.File, n)
	for i := range files {
		files[i] = f
	}
	return files, err
}

// cramError says what is wrong with the error of a value for which there are not enough descriptors.
func cramError(err error, limit int) error {
	if errors.Is(err, syscall.EMFILE) && strings.Contains(err.Error(), fmt.Sprintf("ulimit -n, which is %d", limit)) && strings.Count(err.Error(), "mp: ") == 1 {
		return nil
	}
	return fmt.Errorf("the error is %w", err)
}

// A worker without descriptors for an input fails that task and goes on, as often as it happens.
func TestInputWithoutDescriptors(t *testing.T) {
	t.Parallel()
	const limit = 40
	ctx := poolCtx(t)
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Limits: mp.Limits{OpenFiles: limit}})
	first, err := mp.Apply(ctx, p, cramIn, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for n := range limit + 5 {
		files, err := cramFiles(n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mp.Apply(ctx, p, cramIn, files)
		if err != nil {
			refused++
			if err := cramError(err, limit); err != nil {
				t.Errorf("%d files: %v", n, err)
			}
		} else if got.Files != n || got.PID != first.PID {
			t.Errorf("%d files: %+v", n, got)
		}
		if got, err := mp.Apply(ctx, p, cramIn, files[:min(n, 3)]); got.PID != first.PID || err != nil {
			t.Fatalf("after %d files: %+v, %v", n, got, err)
		}
	}
	if refused == 0 || refused > limit {
		t.Errorf("%d refused", refused)
	}
}

// What a process is given at its start is refused as clearly: the input of Call, of Init and of Exit.
func TestStartWithoutDescriptors(t *testing.T) {
	t.Parallel()
	const limit = 40
	ctx, few := poolCtx(t), mp.Limits{OpenFiles: limit}
	files, err := cramFiles(limit)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mp.Call(ctx, cramIn, files, mp.ProcessConfig{Limits: few})
	if err := cramError(err, limit); err != nil {
		t.Errorf("Call: %v", err)
	}
	_, err = mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(cramIn, files), Limits: few})
	if e := cramError(err, limit); e != nil || !strings.Contains(err.Error(), "Init") {
		t.Errorf("Init: %v", err)
	}
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1, Exit: mp.Bind(cramIn, files), Limits: few})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	if got, err := mp.Apply(ctx, p, cramIn, files[:2]); got.Files != 2 || err != nil {
		t.Error(got, err)
	}
	err = p.Shutdown(ctx)
	if e := cramError(err, limit); e != nil || !strings.Contains(err.Error(), "Exit") {
		t.Errorf("Exit: %v", err)
	}
}

// cramOutputs runs in a process of its own, whose limit it lowers.
var cramOutputs = mp.Register("emfile/outputs", func(ctx context.Context, _ mp.None) (mp.None, error) {
	debug.SetGCPercent(-1) // which would close what is left
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		return mp.None{}, err
	}
	defer p.Terminate()
	if _, err := mp.Call(ctx, cramOut, 3); err != nil { // which opens what this process needs once
		return mp.None{}, err
	}
	before := 0
	for _, n := range initOpen() {
		before += n
	}
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return mp.None{}, err
	}
	low := was
	low.Cur = uint64(before + 30) // Call needs some to start a process
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		return mp.None{}, err
	}
	var all []error
	refused := 0
	for n := range 40 {
		files, err := mp.Apply(ctx, p, cramOut, n)
		if err != nil {
			refused++
			if err := cramError(err, int(low.Cur)); err != nil {
				all = append(all, fmt.Errorf("%d files: %w", n, err))
			}
		} else if len(files) != n {
			all = append(all, fmt.Errorf("%d files: %d came", n, len(files)))
		}
		for _, f := range files {
			f.Close()
		}
		files, err = mp.Apply(ctx, p, cramOut, 2)
		if err != nil {
			return mp.None{}, errors.Join(append(all, fmt.Errorf("after %d: %w", n, err))...)
		}
		for _, f := range files {
			f.Close()
		}
	}
	if refused == 0 {
		all = append(all, errors.New("none was refused"))
	}
	for range 5 {
		_, err := mp.Call(ctx, cramOut, 40)
		all = append(all, cramError(err, int(low.Cur)))
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		now := 0
		for _, n := range initOpen() {
			now += n
		}
		if now <= before {
			break
		}
		if time.Now().After(end) {
			all = append(all, fmt.Errorf("%d descriptors, there were %d: %v", now, before, initOpen()))
			break
		}
	}
	return mp.None{}, errors.Join(append(all, unix.Setrlimit(unix.RLIMIT_NOFILE, &was))...)
})

func TestOutputWithoutDescriptors(t *testing.T) {
	t.Parallel()
	if _, err := mp.Call(poolCtx(t), cramOutputs, mp.None{}); err != nil {
		t.Error(err)
	}
}
