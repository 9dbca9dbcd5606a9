//go:build linux

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"golang.org/x/sys/unix"
)

func init() { mp.RegisterType[*os.File]("file") }

type fileBox struct {
	List []map[string]*os.File
	Any  any
	Nil  *os.File
}

var fileBack = mp.Register("file/back", func(_ context.Context, in fileBox) (fileBox, error) {
	if in.Nil != nil {
		return in, errors.New("nil is something")
	}
	return in, nil
})

// fileRead reads a file from where it stands, and closes it.
var fileRead = mp.Register("file/read", func(_ context.Context, f *os.File) (string, error) {
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
})

func fileOf(t testing.TB, text string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "a file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return f
}

func filePool(t testing.TB, cfg mp.PoolConfig) *mp.Pool {
	t.Helper()
	pool, err := mp.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Terminate)
	return pool
}

func TestFileThereAndBack(t *testing.T) {
	ctx := testkit.Ctx(t)
	before := attachBefore(t)
	f := fileOf(t, "text")
	pool := filePool(t, mp.PoolConfig{Workers: 1})
	in := fileBox{List: []map[string]*os.File{nil, {"x": f}}, Any: f}
	for _, call := range []func() (fileBox, error){
		func() (fileBox, error) { return mp.Call(ctx, fileBack, in) },
		func() (fileBox, error) { return mp.Apply(ctx, pool, fileBack, in) },
	} {
		out, err := call()
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []*os.File{out.List[1]["x"], out.Any.(*os.File)} {
			if text, err := attachText(got); text != "text" || err != nil {
				t.Errorf("%q %v", text, err)
			}
			if got == f || got.Name() != f.Name() {
				t.Errorf("it is %q", got.Name())
			}
			if flags, err := unix.FcntlInt(got.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Error("it would be inherited", err)
			}
			got.Close()
		}
	}
	if _, err := f.WriteString("!"); err != nil {
		t.Error("the sender's file:", err)
	}
	pool.Shutdown(ctx)
	f.Close()
	attachSettles(t, before)
}

// The offset is the open file's, so both have it.
func TestFileIsTheSameOpenFile(t *testing.T) {
	ctx := testkit.Ctx(t)
	f := fileOf(t, "0123456789")
	f.Seek(6, io.SeekStart)
	if text, err := mp.Call(ctx, fileRead, f); text != "6789" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	if at, err := f.Seek(0, io.SeekCurrent); at != 10 || err != nil {
		t.Error(at, err)
	}
}

func TestFileThroughQueueAndPipe(t *testing.T) {
	ctx := testkit.Ctx(t)
	q, err := mp.NewQueue[map[string]*os.File](0)
	if err != nil {
		t.Fatal(err)
	}
	a, b, err := mp.NewPipe[*os.File]()
	if err != nil {
		t.Fatal(err)
	}
	f := fileOf(t, "text")
	before := attachBefore(t)
	if err := q.Put(ctx, map[string]*os.File{"f": f, "nil": nil}); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(ctx, f); err != nil {
		t.Fatal(err)
	}
	f.Close() // it is under way
	m, err := q.Get(ctx)
	if err != nil || m["nil"] != nil {
		t.Fatal(m, err)
	}
	g, err := b.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{m["f"], g} {
		if text, err := attachText(f); text != "text" || err != nil {
			t.Errorf("%q %v", text, err)
		}
		f.Close()
	}
	if err := q.Put(ctx, map[string]*os.File{"f": f}); !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), `item["f"]`) {
		t.Error(err)
	}
	if err := a.Send(ctx, f); !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "message") {
		t.Error(err)
	}
	attachSettles(t, before)
	for _, err := range []error{a.Close(), b.Close(), q.Close()} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestFileRefused(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := filePool(t, mp.PoolConfig{Workers: 1})
	closed := fileOf(t, "")
	closed.Close()
	for want, f := range map[string]*os.File{"was closed": closed, "not opened": new(os.File)} {
		in := fileBox{List: []map[string]*os.File{{"k": f}}}
		_, err1 := mp.Start(ctx, fileBack, in)
		_, err2 := mp.Call(ctx, fileBack, in)
		_, err3 := mp.Apply(ctx, pool, fileBack, in)
		_, err4 := mp.Map(ctx, pool, fileBack, []fileBox{{}, in})
		_, err5 := mp.NewPool(mp.PoolConfig{Init: mp.Bind(fileBack, in)})
		for i, err := range []error{err1, err2, err3, err4, err5} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `.List[0]["k"]`) {
				t.Error(i, err)
			}
			if f == closed && !errors.Is(err, os.ErrClosed) {
				t.Error(i, err)
			}
		}
	}
	if _, err := mp.Call(ctx, fileByValue, os.File{}); err == nil || !strings.Contains(err.Error(), "use an *os.File") {
		t.Error(err)
	}
}

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
	attachSettles(t, before)
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
			attachSettles(t, before)
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
	attachSettles(t, before)
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
	attachSettles(t, before)
}

// Whoever sends nonsense gets an error or another file, and no descriptor stays.
func TestFileHostile(t *testing.T) {
	f := fileOf(t, "text")
	sent, err := testkit.Send(t, fileBox{List: []map[string]*os.File{{"k": f}}})
	if err != nil {
		t.Fatal(err)
	}
	defer sent.Files[0].Close()
	before := attachCount()
	if _, err := testkit.Receive[fileBox](testkit.Sent{Body: sent.Body}); err == nil || !strings.Contains(err.Error(), "a descriptor is missing") {
		t.Error(err)
	}
	for i := range sent.Body {
		for flip := range 255 {
			body := slices.Clone(sent.Body)
			body[i] ^= byte(flip + 1)
			got, err := testkit.Receive[fileBox](testkit.Sent{Body: body, Files: []*os.File{testkit.Dup(t, f)}})
			if err != nil {
				continue
			}
			for _, m := range got.List {
				for _, f := range m {
					f.Close()
				}
			}
		}
	}
	attachSettles(t, before)
}
