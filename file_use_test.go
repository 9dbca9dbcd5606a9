//go:build linux

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// Whichever task gets a file it is its own, and it is there again when its worker died.
func TestFileOfATaskThatIsBegunAgain(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := filePool(t, mp.PoolConfig{Workers: 2})
	if _, err := mp.Map(ctx, pool, fileDies, []fileTry{}); err != nil {
		t.Fatal(err)
	}
	before := attachBefore(t)
	in := make([]fileTry, 100)
	for i := range in {
		in[i] = fileTry{Die: i%10 == 3, File: fileOf(t, fmt.Sprint(i))}
	}
	out, err := mp.Map(ctx, pool, fileDies, in, mp.Chunk(20), mp.Retries(5, mp.Backoff{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range out {
		if text != fmt.Sprint(i) {
			t.Errorf("task %d had file %q", i, text)
		}
		in[i].File.Close()
	}
	pool.Shutdown(ctx)
	testkit.DescriptorsSettle(t, before)
}

type fileTry struct {
	Die  bool
	File *os.File
}

var fileDies = mp.Register("file/dies", func(ctx context.Context, in fileTry) (string, error) {
	defer in.File.Close()
	if info, _ := mp.CurrentTask(ctx); in.Die && info.Attempt < 2 {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return attachText(in.File)
})

// A receiver that dies, and a message that nobody gets, leave nothing open.
func TestFileDropped(t *testing.T) {
	ctx := testkit.Ctx(t)
	before := attachBefore(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	func() {
		q, err := mp.NewQueue[*os.File](0)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := q.Put(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		q.CloseNow()
	}()
	p, err := mp.Start(ctx, fileHold, w)
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	p.Join(ctx)
	w.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(r)
		ended <- err
	}()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case err := <-ended: // nobody has the other end any more
			if err != nil {
				t.Error(err)
			}
			tick.Stop()
			r.Close()
			testkit.DescriptorsSettle(t, before)
			return
		case <-tick.C:
			runtime.GC() // the queue
		case <-ctx.Done():
			t.Fatal("somebody has the other end of the pipe")
		}
	}
}

var fileHold = mp.Register("file/hold", func(ctx context.Context, f *os.File) (mp.None, error) {
	<-ctx.Done()
	return mp.None{}, f.Close()
})

// fileServe answers each connection with its pid until its worker is killed or ctx ends.
var fileServe = mp.Register("file/serve", func(ctx context.Context, f *os.File) (int, error) {
	l, err := net.FileListener(f)
	f.Close()
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for served := 0; ; served++ {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return served, nil
		}
		if err != nil {
			return served, err
		}
		fmt.Fprint(c, os.Getpid())
		c.Close()
	}
})

// Workers serve the connections of a listener of their parent's, which can go on using it:
// handing it over leaves it in non-blocking mode.
func TestFileOfAListener(t *testing.T) {
	ctx, cancel := context.WithCancel(testkit.Ctx(t))
	defer cancel()
	before := attachBefore(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	pool := filePool(t, mp.PoolConfig{Workers: 2})
	served := mp.MapAsync(ctx, pool, fileServe, []*os.File{f, f}, mp.Chunk(1), mp.Retries(5, mp.Backoff{}))
	pids := map[string]int{}
	for range 200 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		pid, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		pids[string(pid)]++
	}
	if _, here := pids[fmt.Sprint(os.Getpid())]; here || len(pids) == 0 || len(pids) > 2 {
		t.Error(pids)
	}
	mode := nonblocking(t, f)
	cancel()
	if _, err := served.Get(testkit.Ctx(t)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	pool.Shutdown(testkit.Ctx(t))
	if !mode || !nonblocking(t, f) {
		t.Error("the listener is in blocking mode")
	}
	l.(*net.TCPListener).SetDeadline(time.Unix(1, 0))
	if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	f.Close()
	l.Close()
	testkit.DescriptorsSettle(t, before)
}

func nonblocking(t testing.TB, f *os.File) (is bool) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		flags, _ := unix.FcntlInt(fd, unix.F_GETFL, 0)
		is = flags&unix.O_NONBLOCK != 0
	})
	return is
}

func TestFileManyInChunks(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := filePool(t, mp.PoolConfig{Workers: 2})
	before := attachBefore(t)
	f := fileOf(t, "x")
	in := slices.Repeat([]fileTry{{File: f}}, 2000)
	out, err := mp.Map(ctx, pool, fileDies, in, mp.Chunk(100))
	if err != nil || slices.Contains(out, "") {
		t.Error(err)
	}
	f.Close()
	pool.Shutdown(ctx)
	testkit.DescriptorsSettle(t, before)
}
