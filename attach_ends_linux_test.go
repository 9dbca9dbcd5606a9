package mp_test

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var attachUse = mp.Register("attach/use", func(ctx context.Context, h *mp.FileHandle) (int, error) {
	defer h.File.Close()
	text, err := attachText(h.File)
	switch {
	case err != nil:
		return 0, err
	case text == "sleep":
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
		}
	case text == "die":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return testkit.Descriptors(""), nil
})

func TestAttachWorkerKilled(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	good, die := &mp.FileHandle{File: attachFile(t, "x")}, &mp.FileHandle{File: attachFile(t, "die")}
	if _, err := mp.Apply(ctx, pool, attachUse, good); err != nil {
		t.Fatal(err)
	}
	before := attachBefore(t)
	for range 3 {
		in := slices.Repeat([]*mp.FileHandle{good}, 200)
		in[50], in[150] = die, die
		out, err := mp.Map(ctx, pool, attachUse, in, mp.Chunk(20))
		var failed *mp.MapError
		if !errors.As(err, &failed) || len(failed.Errs) != 2 || out[10] == 0 || out[199] == 0 {
			t.Error(err)
		}
	}
	testkit.Until(t, "there are as many workers again", func() bool {
		idle := 0
		for _, w := range pool.Stats().Workers {
			if w.State == mp.WorkerIdle {
				idle++
			}
		}
		return idle == 2
	})
	testkit.DescriptorsSettle(t, before+2)
	pool.Shutdown(ctx)
}

type attachMix struct {
	Moved *mp.MovedFile
	Bad   any
}

var attachMixed = mp.Register("attach/mixed", func(_ context.Context, m attachMix) (string, error) {
	f, err := m.Moved.File()
	if err != nil {
		return "", err
	}
	defer f.Close()
	return attachText(f)
})

// What cannot be sent after something has moved: it is back.
func TestAttachRolledBack(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	m := mp.MoveFile(attachFile(t, "moved"))
	bad := attachMix{m, func() {}}
	_, err1 := mp.Call(ctx, attachMixed, bad)
	_, err2 := mp.Apply(ctx, pool, attachMixed, bad)
	_, err3 := mp.Map(ctx, pool, attachMixed, []attachMix{bad, bad})
	_, err4 := mp.NewPool(mp.PoolConfig{Init: mp.Bind(attachMixed, attachMix{Moved: m})})
	closed, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	closed.Shutdown(ctx)
	_, err5 := mp.Apply(ctx, closed, attachMixed, attachMix{Moved: m})
	_, err6 := mp.ApplyAsync(ctx, closed, attachMixed, attachMix{Moved: m}).Get(ctx)
	for i, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err == nil {
			t.Error(i)
		}
	}
	if !strings.Contains(err4.Error(), "every worker") {
		t.Error(err4)
	}
	if _, err := m.File(); err != nil {
		t.Error("it is gone, and nobody has it")
	}
	if text, err := mp.Apply(ctx, pool, attachMixed, attachMix{Moved: m}); text != "moved" || err != nil {
		t.Error(text, err)
	}
	if _, err := mp.Apply(ctx, pool, attachMixed, attachMix{Moved: m}); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	sent, givenUp := m.Counts()
	if sent != 1 || givenUp == 0 {
		t.Error(sent, givenUp)
	}
}

// Each thing that moves is sent once, however many there are and whoever is busy.
func TestAttachMovedOnce(t *testing.T) {
	ctx := testkit.Ctx(t)
	before := attachBefore(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var in []attachMix
	for range 200 {
		in = append(in, attachMix{Moved: mp.MoveFile(attachFile(t, "m"))})
	}
	out, err := mp.Map(ctx, pool, attachMixed, in, mp.Chunk(50))
	if err != nil || len(out) != 200 {
		t.Fatal(err)
	}
	for i := range in {
		testkit.Until(t, "the sender has gone on", func() bool { // the outcome may be here before
			sent, _ := in[i].Moved.Counts()
			return sent > 0
		})
		if sent, givenUp := in[i].Moved.Counts(); sent != 1 || givenUp != 0 || out[i] != "m" {
			t.Fatal(i, sent, givenUp, out[i])
		}
	}
	pool.Shutdown(ctx)
	testkit.DescriptorsSettle(t, before)
}

// Queued, running and never begun: whatever is cancelled lets go.
func TestAttachCancelled(t *testing.T) {
	before := attachBefore(t)
	for _, end := range []string{"cancel", "terminate"} {
		pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		sleep := &mp.FileHandle{File: attachFile(t, "sleep")}
		ctx, cancel := context.WithCancel(testkit.Ctx(t))
		r := mp.MapAsync(ctx, pool, attachUse, slices.Repeat([]*mp.FileHandle{sleep}, 50), mp.Chunk(10))
		var moved []*mp.MovedFile
		var rs []*mp.Result[string]
		for range 10 {
			m := mp.MoveFile(attachFile(t, "m"))
			moved = append(moved, m)
			rs = append(rs, mp.ApplyAsync(ctx, pool, attachMixed, attachMix{Moved: m}, mp.Priority(-1)))
		}
		testkit.Until(t, "tasks run", func() bool { return pool.Stats().Running > 0 })
		if end == "cancel" {
			cancel()
		} else {
			pool.Terminate()
		}
		if _, err := r.Get(testkit.Ctx(t)); err == nil {
			t.Error("it went well")
		}
		for i, m := range moved {
			_, err := rs[i].Get(testkit.Ctx(t))
			if sent, givenUp := m.Counts(); err == nil || sent != 0 || givenUp != 1 {
				t.Error(end, i, sent, givenUp, err)
			}
			if f, err := m.File(); err == nil {
				f.Close()
			}
		}
		cancel()
		pool.Terminate()
		sleep.File.Close()
	}
	testkit.DescriptorsSettle(t, before)
}

var attachMany = mp.Register("attach/many", func(ctx context.Context, n int) ([]*mp.FileHandle, error) {
	var hs []*mp.FileHandle
	for range n {
		fd, err := unix.MemfdCreate("many", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, err
		}
		hs = append(hs, &mp.FileHandle{File: os.NewFile(uintptr(fd), "many")})
	}
	return hs, nil
})

// Outputs of calls that were given up on the way.
func TestAttachOutputsNobodyTakes(t *testing.T) {
	before := attachBefore(t)
	all := testkit.Ctx(t)
	for round := range 4 {
		pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(all, time.Duration(10+round)*time.Millisecond)
		_, err = mp.Map(ctx, pool, attachMany, slices.Repeat([]int{20}, 300))
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		for range mp.ImapUnordered(all, pool, attachMany, slices.Values(slices.Repeat([]int{253}, 50))) {
			break
		}
		short, cancel := context.WithTimeout(all, time.Duration(2*round)*time.Millisecond)
		mp.Call(short, attachMany, 253)
		cancel()
		pool.Terminate()
	}
	mp.JoinAll(all)
	testkit.DescriptorsSettle(t, before)
}

// What a process shares is not carried by an error.
func TestAttachInAnError(t *testing.T) {
	ctx := testkit.Ctx(t)
	_, err := mp.Call(ctx, attachFails, "x", mp.ProcessConfig{Stderr: io.Discard})
	var remote *mp.RemoteError
	if !errors.As(err, &remote) || remote.Message != "with a file" {
		t.Error(err)
	}
}

type attachError struct{ H *mp.FileHandle }

func (attachError) Error() string { return "with a file" }

var attachFails = mp.Register("attach/fails", func(context.Context, string) (int, error) {
	return 0, attachError{&mp.FileHandle{File: os.Stdout}}
})

var attachFull = mp.Register("attach/full", func(_ context.Context, n int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	limit.Cur = uint64(testkit.Descriptors("") + n)
	return os.Getpid(), unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
})

// A worker without room for them fails that task, and lives.
func TestAttachWorkerIsFull(t *testing.T) {
	ctx := testkit.Ctx(t)
	hs := attachHandles(t, 100)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	pid, err := mp.Apply(ctx, pool, attachFull, 20)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mp.Apply(ctx, pool, attachCheck, hs)
	if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "too many open files") {
		t.Error(err)
	}
	if n, err := mp.Apply(ctx, pool, attachCheck, hs[:5]); n != 5 || err != nil {
		t.Error(n, err)
	}
	if now, err := mp.Apply(ctx, pool, attachFull, 20); now != pid || err != nil {
		t.Error("another worker", err)
	}
}

// What was closed by its owner before it could be sent is that task's error.
func TestAttachClosedBeforeItIsSent(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Grace: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	good, bad := &mp.FileHandle{File: attachFile(t, "x")}, &mp.FileHandle{File: attachFile(t, "x")}
	sleep := mp.ApplyAsync(ctx, pool, attachUse, &mp.FileHandle{File: attachFile(t, "sleep")})
	r1, r2 := mp.ApplyAsync(ctx, pool, attachUse, bad), mp.ApplyAsync(ctx, pool, attachUse, good)
	bad.File.Close()
	sleep.Cancel()
	if _, err := r1.Get(ctx); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := r2.Get(ctx); err != nil {
		t.Error(err)
	}
}
