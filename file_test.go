//go:build linux

package mp_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
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
	testkit.DescriptorsSettle(t, before)
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
	testkit.DescriptorsSettle(t, before)
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

// Whoever sends nonsense gets an error or another file, and no descriptor stays.
func TestFileHostile(t *testing.T) {
	f := fileOf(t, "text")
	sent, err := testkit.Send(t, fileBox{List: []map[string]*os.File{{"k": f}}})
	if err != nil {
		t.Fatal(err)
	}
	defer sent.Files[0].Close()
	before := testkit.Descriptors("")
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
	testkit.DescriptorsSettle(t, before)
}
