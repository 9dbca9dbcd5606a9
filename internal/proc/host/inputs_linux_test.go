package host

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// bundle is a job's inputs, each with so many descriptors; those below 0 move, and 1000
// cannot be encoded.
type bundle struct {
	pool.Tasks // nil: for the methods that are not called

	file     *os.File
	counts   []int
	sent     *int
	givenUps *int
}

func (bundle) Deliver(*pool.Outcome) {}
func (bundle) Finished(error)        {}
func (bundle) OutputSize() int       { return 0 }

func (c bundle) Encode(b *codec.Buffer, first, n int) (*codec.Buffer, error) {
	before := b.Mark()
	for _, k := range c.counts[first : first+n] {
		if k == 1000 {
			b.Rewind(before)
			return b, errors.New("bad")
		}
		b.Uvarint(uint64(max(k, -k)))
		for range max(k, -k) {
			a := codec.Attachment{File: c.file}
			if k < 0 {
				a.Settled = func(sent bool) {
					if sent {
						*c.sent++
					} else {
						*c.givenUps++
					}
				}
			}
			b.Attach(a)
		}
	}
	return b, nil
}

func TestBatchWithFiles(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, c := range map[string]struct {
		counts   []int
		alone    bool
		rest     unsent
		attached int
		voids    int
	}{
		"some":              {[]int{1, 0, 2, 0}, false, unsent{}, 3, 0},
		"none":              {[]int{0, 0}, false, unsent{}, 0, 0},
		"one bad":           {[]int{1, 1000, 2}, false, unsent{}, 3, 1},
		"many in the first": {[]int{253, 0, 1}, false, unsent{cut: true, from: 2}, 253, 0},
		"too many":          {[]int{20, 12, 1, 1}, false, unsent{cut: true, from: 2}, 32, 0},
		"one that moves":    {[]int{1, 2, -1, 1}, false, unsent{cut: true, from: 2, alone: true}, 3, 0},
		"the first moves":   {[]int{-1}, false, unsent{cut: true, from: 0, alone: true}, 0, 0},
		"one alone":         {[]int{-3}, true, unsent{}, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sent, givenUps := 0, 0
			j := &pool.Job{Func: "f", Items: len(c.counts), Client: bundle{file: file, counts: c.counts, sent: &sent, givenUps: &givenUps}, Options: pool.NoOptions()}
			batch := pool.NewBatch(pool.Span{Job: j, N: len(c.counts), Attempt: 1})
			batch.Moves = c.alone
			var b, scratch codec.Buffer
			voids, rest := encodeBatch(&b, &scratch, &sentBatch{}, batch)
			if rest != c.rest || len(voids) != c.voids || len(b.Attachments()) != c.attached {
				t.Errorf("%+v, %d descriptors, %v", rest, len(b.Attachments()), voids)
			}
			var files []*os.File
			for range b.Attachments() {
				f, err := os.Open(os.DevNull)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
			}
			a, err := proto.ReadBatch(append([]byte(nil), b.Bytes()...), files, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, in := range a.Spans[0].Inputs {
				n := 0
				if i < len(a.Spans[0].Files) {
					n = len(a.Spans[0].Files[i])
				}
				if in != nil && codec.NewReader(in).Uvarint() != uint64(n) {
					t.Errorf("item %d has %d descriptors", i, n)
				}
			}
			a.Drop()
			for _, f := range files {
				if f.Close() == nil {
					t.Error("a descriptor is left open")
				}
			}
			b.Settle(true)
			scratch.Settle(false)
			moving := 0
			for _, k := range c.counts {
				moving += max(0, -k)
			}
			if c.alone && sent != moving || !c.alone && (sent > 0 || givenUps < moving) {
				t.Errorf("%d sent, %d given up", sent, givenUps)
			}
		})
	}
}

// A worker that sends descriptors where none belong: all are closed.
func TestHostileOutcomes(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	count := func() int { all, _ := os.ReadDir("/proc/self/fd"); return len(all) }
	for _, size := range []int{-1, 0, 9, 100} {
		for _, kind := range []byte{proto.FrameBell, proto.FrameStack, proto.FrameOutcome, proto.FrameOutput, 200} {
			var b codec.Buffer
			for i := range max(size, 0) {
				b.Byte(byte(i % 3))
			}
			r := fuzzReader(t, 0x0101, 0, nil, nil)
			near, far := testSockets(t)
			socket := fdpass.NewSocket(near)
			r.w.frames = frame.NewReader(socket)
			proto.PutWord(r.page.Ring, proto.Record{Kind: proto.RecordBig}.Pack())
			r.page.Tail.Store(proto.HeaderSize)
			before := count()
			for range 3 {
				b.Attach(codec.Attachment{File: file})
			}
			for range 5 {
				frame.Write(far, kind, &b)
			}
			far.Close()
			if err := r.loop(); err == nil {
				t.Error("it makes sense")
			}
			r.report()
			r.w.frames.CloseFiles()
			for _, s := range r.stash {
				fdpass.CloseAll(s.files)
			}
			if n := count(); n > before { // far is closed
				t.Errorf("kind %d: %d descriptors, there were %d", kind, n, before)
			}
		}
	}
}

func testSockets(t *testing.T) (near, far *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	near, far = os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}
