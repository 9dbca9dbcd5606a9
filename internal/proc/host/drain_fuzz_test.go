//go:build unix

package host

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// fuzzProgram knows nothing: errors are text.
type fuzzProgram struct{}

func (fuzzProgram) DecodeError(r *codec.Reader) error  { return errors.New(r.String()) }
func (fuzzProgram) TimedOut(time.Duration) error       { return os.ErrDeadlineExceeded }
func (fuzzProgram) Died(int, spawn.Exit) error         { return io.ErrClosedPipe }
func (fuzzProgram) OutputLost(int, int64, error) error { return io.EOF }
func (fuzzProgram) OutputLate(time.Duration) error     { return io.EOF }
func (fuzzProgram) Share() (Sharer, error)             { return fuzzSharer{}, nil }

// fuzzSharer shares nothing.
type fuzzSharer struct{}

func (fuzzSharer) Table() *os.File                { return nil }
func (fuzzSharer) Key() uint64                    { return 0 }
func (fuzzSharer) Request(int, proctable.Request) {}
func (fuzzSharer) MarkDead(int)                   {}

// fuzzCall has outputs of so many bytes.
type fuzzCall struct {
	pool.Tasks // nil: for the methods that are not called
	size       int
}

func (fuzzCall) Deliver(*pool.Outcome) {}
func (fuzzCall) Finished(error)        {}
func (c fuzzCall) OutputSize() int     { return c.size }
func (fuzzCall) Encode(b *codec.Buffer, _, _ int) (*codec.Buffer, error) {
	return b, nil
}

// noOutput is a worker's that prints nothing.
type noOutput struct{}

func (noOutput) FlushOutput(time.Duration) bool { return false }

// fuzzSink checks that nothing is reported that was not asked for.
type fuzzSink struct {
	t     testing.TB
	done  map[*pool.Batch]int
	ended map[*pool.Batch]bool
}

func (*fuzzSink) Output(pool.EventKind, error)  {}
func (s *fuzzSink) Dead()                       {}
func (*fuzzSink) Unsent(*pool.Batch, int, bool) {}
func (s *fuzzSink) Started(*pool.Batch, int)    {}
func (s *fuzzSink) Results(rs []pool.Result) {
	for _, r := range rs {
		if s.done[r.Batch] += r.Count; r.Count < 1 || s.done[r.Batch] > r.Batch.Items() || s.ended[r.Batch] {
			s.t.Errorf("%d results of a batch of %d", s.done[r.Batch], r.Batch.Items())
		}
		for _, b := range r.Payload {
			_ = b
		}
	}
}
func (s *fuzzSink) Ended(b *pool.Batch, _, _ time.Duration) {
	if s.done[b] != b.Items() {
		s.t.Errorf("a batch of %d ended with %d", b.Items(), s.done[b])
	}
	s.ended[b] = true
}
func (s *fuzzSink) Died(pool.Death) {}

// fuzzReader is a reader of a worker that writes anything: ring into the shared
// memory, frames to the socket, and then ends.
func fuzzReader(t testing.TB, claims, tail uint64, ring, frames []byte) *reader {
	region, err := shm.New("fuzz", proto.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { region.Close() })
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		unix.SetNonblock(fd, true)
	}
	near, far := os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	t.Cleanup(func() { near.Close(); far.Close() })
	sink := &fuzzSink{t: t, done: make(map[*pool.Batch]int), ended: make(map[*pool.Batch]bool)}
	w := &Worker{program: fuzzProgram{}, output: noOutput{}, max: 1 << 20, frames: frame.NewReader(near), sink: sink, page: proto.NewPage(region),
		sharing: &sharing{sharer: fuzzSharer{}, proc: new(spawn.Process)}}
	for slot, size := range []int{8, 1, 0, 24} {
		j := &pool.Job{Options: new(pool.Options), Client: fuzzCall{size: size}}
		b := pool.NewBatch(pool.Span{Job: j, N: 5, Attempt: 1}, pool.Span{Job: j, First: 9, N: 1, Attempt: 1})
		w.Open(b)
		(*atomic.Uint64)(w.page.Claims[slot]).Add(claims >> (8 * slot) & 0xff % 8)
	}
	copy(w.page.Ring, ring)
	w.page.Tail.Store(tail)
	go func() {
		far.Write(frames)
		far.Close()
	}()
	return &reader{w: w, page: w.page}
}

// fuzzRecords makes records that are almost right.
func fuzzRecords(rng *rand.Rand) (ring []byte) {
	for range rng.IntN(30) {
		h := proto.Record{Kind: 1 + rng.IntN(9), Slot: rng.IntN(5), Flags: rng.IntN(16), Size: rng.IntN(100)}
		if rng.IntN(3) == 0 {
			h.Kind, h.Size, h.Flags = proto.RecordResult, 8, 0
		}
		b := make([]byte, h.Length())
		proto.PutWord(b, h.Pack())
		for i := proto.HeaderSize; i < len(b); i++ {
			b[i] = byte(rng.IntN(256))
		}
		if len(b) >= 16 && rng.IntN(2) == 0 {
			proto.PutWord(b[8:], uint64(rng.IntN(7))|uint64(rng.IntN(2))<<63)
		}
		ring = append(ring, b...)
	}
	return ring
}

// The worker may write whatever it likes: the reader says that it is nonsense, and
// neither panics, hangs nor takes memory for what is not there.
func FuzzDrain(f *testing.F) {
	f.Add(uint64(0x01020304), uint64(16), []byte{1, 0, 0, 0, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{})
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		ring := fuzzRecords(rng)
		var frames []byte
		for range rng.IntN(4) {
			n := rng.IntN(40)
			frames = binary.LittleEndian.AppendUint64(frames, uint64(n))
			frames = append(frames, byte(proto.FrameStack+rng.IntN(8)), 0, 0, 0, 0, 0, 0, 0)
			frames = append(frames, make([]byte, n)...)
		}
		f.Add(rng.Uint64(), uint64(len(ring)), ring, frames)
	}
	f.Fuzz(func(t *testing.T, claims, tail uint64, ring, frames []byte) {
		r := fuzzReader(t, claims, tail, ring, frames)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ended := make(chan error, 1)
		go func() {
			err := r.loop()
			if err == errEnd {
				err = r.drain()
			}
			ended <- err
		}()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("the reader hangs")
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%d bytes for nothing", used)
		}
	})
}

// Random pages, thousands of them, in every test run.
func TestDrainRandom(t *testing.T) {
	n := 300
	if os.Getenv("MP_LONG") != "" {
		n = 20000
	}
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(seed, 2))
		ring := fuzzRecords(rng)
		r := fuzzReader(t, rng.Uint64(), uint64(len(ring)), ring, nil)
		if err := r.loop(); err == nil {
			t.Fatal("a loop without end")
		}
	}
}

// What is too large for the ring came as a frame of its own: a worker that puts it into
// the ring could go on writing to it when it was taken for an outcome.
func TestDrainOversizedRecord(t *testing.T) {
	for _, kind := range []int{proto.RecordResult, proto.RecordFailure, proto.RecordRun} {
		h := proto.Record{Kind: kind, Slot: 2, Size: 64 << 10}
		ring := make([]byte, h.Length())
		proto.PutWord(ring, h.Pack())
		r := fuzzReader(t, 1<<16, uint64(len(ring)), ring, nil)
		if err := r.drain(); err == nil {
			t.Errorf("kind %d: believed", kind)
		}
	}
}
