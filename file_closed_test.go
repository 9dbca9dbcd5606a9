//go:build linux

package mp_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var fileByValue = mp.Register("file/value", func(context.Context, os.File) (int, error) { return 0, nil })

// Start returns before the input is sent: what its caller closes then is sent all the same.
func TestFileClosedAfterStart(t *testing.T) {
	ctx := testkit.Ctx(t)
	before := attachBefore(t)
	for range 20 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p, err := mp.Start(ctx, fileWrite, w)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		if text, err := io.ReadAll(r); string(text) != "written" || err != nil {
			t.Errorf("%q %v", text, err)
		}
		r.Close()
		if err := p.Join(ctx); err != nil {
			t.Error(err)
		}
	}
	testkit.DescriptorsSettle(t, before)
}

var fileWrite = mp.Register("file/write", func(_ context.Context, f *os.File) (mp.None, error) {
	defer f.Close()
	_, err := f.WriteString("written")
	return mp.None{}, err
})

// A file closed too early is an error of its task, and no empty file.
func TestFileClosedWhileQueued(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := filePool(t, mp.PoolConfig{Workers: 1})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	busy := mp.ApplyAsync(ctx, pool, fileRead, r) // until w is closed
	f := fileOf(t, "text")
	results := []*mp.Result[string]{}
	for range 100 { // more than are sent ahead
		results = append(results, mp.ApplyAsync(ctx, pool, fileRead, f))
	}
	f.Close()
	w.Close()
	if _, err := busy.Get(ctx); err != nil {
		t.Error(err)
	}
	if _, err := results[99].Get(ctx); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// fileCloses closes a file when the rest of the message was encoded, as another goroutine may.
type fileCloses struct {
	File  *os.File
	After fileClosing
}

type fileClosing struct{ f *os.File }

func (c fileClosing) MarshalBinary() ([]byte, error) { return nil, c.f.Close() }
func (c *fileClosing) UnmarshalBinary([]byte) error  { return nil }

var fileGets = mp.Register("file/gets", func(_ context.Context, in fileCloses) (int, error) { return 0, in.File.Close() })

// A file closed between the making of a message and its sending is an error, whichever way the
// message goes.
func TestFileClosedAsItIsSent(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool := filePool(t, mp.PoolConfig{Workers: 1})
	q, err := mp.NewQueue[fileCloses](0)
	if err != nil {
		t.Fatal(err)
	}
	a, b, err := mp.NewPipe[fileCloses]()
	if err != nil {
		t.Fatal(err)
	}
	before := attachBefore(t)
	for way, send := range map[string]func(in fileCloses) error{
		"Put":    func(in fileCloses) error { return q.Put(ctx, in) },
		"TryPut": q.TryPut,
		"Send":   func(in fileCloses) error { return a.Send(ctx, in) },
		"Apply":  func(in fileCloses) error { _, err := mp.Apply(ctx, pool, fileGets, in); return err },
		"Call":   func(in fileCloses) error { _, err := mp.Call(ctx, fileGets, in); return err },
		"Start":  func(in fileCloses) error { _, err := mp.Start(ctx, fileGets, in); return err },
	} {
		f := fileOf(t, "text")
		if err := send(fileCloses{f, fileClosing{f}}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", way, err)
		}
	}
	if n := q.Len(); n != 0 {
		t.Errorf("%d items are in the queue", n)
	}
	for _, err := range []error{a.Close(), b.Close(), q.Close(), pool.Shutdown(ctx)} {
		if err != nil {
			t.Error(err)
		}
	}
	testkit.DescriptorsSettle(t, before)
}
