package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func init() {
	mp.RegisterType[*mp.FileHandle]("attach/handle")
	mp.RegisterType[*mp.MovedFile]("attach/moved")
}

// attachFile is a file without a name that holds a text.
func attachFile(t testing.TB, text string) *os.File {
	fd, err := unix.MemfdCreate("attach", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "attach")
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func attachHandles(t testing.TB, n int) (hs []*mp.FileHandle) {
	for i := range n {
		hs = append(hs, &mp.FileHandle{File: attachFile(t, fmt.Sprint(i))})
	}
	return hs
}

func attachText(f *os.File) (string, error) {
	var b [64]byte
	n, err := f.ReadAt(b[:], 0)
	if err == io.EOF {
		err = nil
	}
	return string(b[:n]), err
}

// attachBefore counts the descriptors when there is all that this process needs to start others.
func attachBefore(t testing.TB) int {
	t.Helper()
	if _, err := mp.Call(testkit.Ctx(t), attachCheck, nil); err != nil {
		t.Fatal(err)
	}
	return testkit.Descriptors("")
}

var attachCheck = mp.Register("attach/check", func(_ context.Context, hs []*mp.FileHandle) (int, error) {
	for i, h := range hs {
		if text, err := attachText(h.File); err != nil || text != fmt.Sprint(i) {
			return 0, fmt.Errorf("file %d holds %q: %w", i, text, err)
		}
		h.File.Close()
	}
	return len(hs), nil
})

func TestAttachManyInOneInput(t *testing.T) {
	hs := attachHandles(t, 253)
	before := attachBefore(t)
	ctx := testkit.Ctx(t)
	p, err := mp.Start(ctx, attachCheck, hs)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(ctx); err != nil {
		t.Error(err)
	}
	if n, err := mp.Call(ctx, attachCheck, hs); n != 253 || err != nil {
		t.Error(n, err)
	}
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := mp.Apply(ctx, pool, attachCheck, hs); n != 253 || err != nil {
		t.Error(n, err)
	}
	in := [][]*mp.FileHandle{hs, hs[:1], nil, hs, hs[:100], hs[:252], hs}
	out, err := mp.Map(ctx, pool, attachCheck, in)
	if err != nil || !slices.Equal(out, []int{253, 1, 0, 253, 100, 252, 253}) {
		t.Error(out, err)
	}
	pool.Shutdown(ctx)
	testkit.DescriptorsSettle(t, before)
}

type attachNest struct {
	List []map[string]*mp.FileHandle
	Any  any
	Same *mp.FileHandle
	Nil  *mp.FileHandle
}

var attachNested = mp.Register("attach/nested", func(_ context.Context, n attachNest) (attachNest, error) {
	if n.Nil != nil {
		return n, errors.New("nil is something")
	}
	return n, nil
})

func TestAttachNested(t *testing.T) {
	before := attachBefore(t)
	ctx := testkit.Ctx(t)
	hs := attachHandles(t, 3)
	in := attachNest{
		List: []map[string]*mp.FileHandle{nil, {"a": hs[0]}}, Same: hs[2],
		Any: map[string]any{"x": []any{1, hs[1], mp.MoveFile(attachFile(t, "moved"))}},
	}
	check := func(out attachNest, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		x := out.Any.(map[string]any)["x"].([]any)
		moved, _ := x[2].(*mp.MovedFile).File()
		for want, f := range map[string]*os.File{"0": out.List[1]["a"].File, "1": x[1].(*mp.FileHandle).File, "2": out.Same.File, "moved": moved} {
			if text, err := attachText(f); text != want || err != nil {
				t.Error(text, want, err)
			}
			f.Close()
		}
	}
	check(mp.Call(ctx, attachNested, in))
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var many []attachNest
	for range 50 {
		one := in
		one.Any = map[string]any{"x": []any{1, hs[1], mp.MoveFile(attachFile(t, "moved"))}}
		many = append(many, one)
	}
	check(mp.Apply(ctx, pool, attachNested, many[0]))
	out, err := mp.Map(ctx, pool, attachNested, many[1:], mp.Chunk(7))
	for _, o := range out {
		check(o, err)
	}
	for o, err := range mp.Imap(ctx, pool, attachNested, slices.Values([]attachNest{{Same: hs[0]}, {Same: hs[1]}})) {
		if err != nil {
			t.Fatal(err)
		}
		o.Same.File.Close()
	}
	pool.Shutdown(ctx)
	for _, h := range hs {
		h.File.Close()
	}
	testkit.DescriptorsSettle(t, before)
}

// A child makes a pipe, hands up its end and writes to the other until it dies.
var attachPipe = mp.Register("attach/pipe", func(_ context.Context, text string) (*mp.FileHandle, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if _, err := w.WriteString(text); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(w, nil)
	attachKept = append(attachKept, w)
	return &mp.FileHandle{File: r}, nil
})

var attachKept []*os.File

func TestAttachOutputOutlivesItsMaker(t *testing.T) {
	before := attachBefore(t)
	ctx := testkit.Ctx(t)
	h, err := mp.Call(ctx, attachPipe, "from a call")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(h.File); string(text) != "from a call" || err != nil {
		t.Error(string(text), err)
	}
	h.File.Close()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var hs []*mp.FileHandle
	for o := range mp.Outcomes(ctx, pool, attachPipe, slices.Values([]string{"a", "b", "c"})) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		hs = append(hs, o.Out)
	}
	out, err := mp.Map(ctx, pool, attachPipe, []string{"d", "e", strings.Repeat("f", 10)})
	if err != nil {
		t.Fatal(err)
	}
	hs = append(hs, out...)
	pool.Terminate()
	for _, h := range hs {
		if text, err := io.ReadAll(h.File); len(text) == 0 || err != nil {
			t.Error(string(text), err)
		}
		h.File.Close()
	}
	testkit.DescriptorsSettle(t, before)
}

func TestAttachTenThousand(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := &mp.FileHandle{File: attachFile(t, "x")}
	first, err := mp.Apply(ctx, pool, attachUse, h)
	if err != nil {
		t.Fatal(err)
	}
	before := attachBefore(t)
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	for range n / 2 {
		if there, err := mp.Apply(ctx, pool, attachUse, h); err != nil || there > first+5 {
			t.Fatal(there, first, err)
		}
	}
	out, err := mp.Map(ctx, pool, attachUse, slices.Repeat([]*mp.FileHandle{h}, n/2))
	if err != nil || slices.Max(out) > first+600 || out[len(out)-1] > first+600 {
		t.Error(slices.Max(out), first, err)
	}
	if there, err := mp.Apply(ctx, pool, attachUse, h); err != nil || there > first+5 {
		t.Error(there, first, err)
	}
	testkit.DescriptorsSettle(t, before)
	pool.Shutdown(ctx)
}

func init() { mp.RegisterErrorType[attachError]("attach/error") }
