package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
)

var frameSizes = []int{0, 1, 7, 8, 9, 100, 4096, 32 << 10, 64<<10 - 17, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20, 1<<20 + 1, 20 << 20}

// frameOf returns a message of size bytes, from 32 KiB on with a large block.
func frameOf(size int) *codec.Buffer {
	b := new(codec.Buffer)
	for range min(size, 8) {
		b.Byte(byte(size))
	}
	if size > 8 {
		_ = codec.EncodeSlice(b, "in", bytes.Repeat([]byte("0123456789"), size/10+1)[:size-8])
	}
	return b
}

func TestFramesOfAllSizesArrive(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	for i, size := range frameSizes {
		b := frameOf(size)
		if b.Len() != int64(size) {
			t.Fatalf("the frame has %d bytes instead of %d", b.Len(), size)
		}
		if err := frame.Write(&stream, byte(i), b); err != nil {
			t.Fatal(err)
		}
	}
	for name, reader := range map[string]io.Reader{
		"plain": bytes.NewReader(stream.Bytes()), "half": iotest.HalfReader(bytes.NewReader(stream.Bytes())),
		"data with error": iotest.DataErrReader(bytes.NewReader(stream.Bytes())),
	} {
		f := frame.NewReader(reader)
		for i, size := range frameSizes {
			kind, payload, err := f.Next(1 << 30)
			if err != nil || kind != byte(i) || len(payload) != size || cap(payload) != size {
				t.Fatalf("%s: frame %d: kind %d, %d bytes (capacity %d), %v", name, i, kind, len(payload), cap(payload), err)
			}
			if !bytes.Equal(payload, frameOf(size).Bytes()) {
				t.Fatalf("%s: frame %d has other contents", name, i)
			}
			if size > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(payload)))%8 != 0 {
				t.Fatalf("%s: frame %d is not aligned", name, i)
			}
		}
		if _, _, err := f.Next(1 << 30); err != io.EOF || f.Buffered() != 0 {
			t.Fatalf("%s: at the end: %v, %d bytes left", name, err, f.Buffered())
		}
	}
}

func TestManySmallFramesArrive(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	var b codec.Buffer
	for i := range 20_000 {
		b.Reset()
		for range i % 40 {
			b.Byte(byte(i))
		}
		if err := frame.Write(&stream, byte(i), &b); err != nil {
			t.Fatal(err)
		}
	}
	f := frame.NewReader(&stream)
	for i := range 20_000 {
		kind, payload, err := f.Next(100)
		if err != nil || kind != byte(i) || !bytes.Equal(payload, bytes.Repeat([]byte{byte(i)}, i%40)) {
			t.Fatalf("frame %d: kind %d, %v, %v", i, kind, payload, err)
		}
	}
}

func TestOneByteAtATime(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	for _, size := range []int{3, 70_000, 0} {
		if err := frame.Write(&stream, 1, frameOf(size)); err != nil {
			t.Fatal(err)
		}
	}
	f := frame.NewReader(iotest.OneByteReader(&stream))
	for _, size := range []int{3, 70_000, 0} {
		if _, payload, err := f.Next(1 << 20); err != nil || len(payload) != size {
			t.Fatalf("%d bytes of %d, %v", len(payload), size, err)
		}
	}
}

type countingWriter struct{ writes int }

func (w *countingWriter) Write(p []byte) (int, error) { w.writes++; return len(p), nil }

func TestSmallFramesGoOutInOneWrite(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 1000, 32 << 10, 60_000, 64 << 10} {
		var w countingWriter
		if err := frame.Write(&w, 1, frameOf(size)); err != nil || w.writes != 1 {
			t.Errorf("%d bytes took %d writes, %v", size, w.writes, err)
		}
	}
	if err := frame.Write(failingWriter{}, 1, frameOf(5)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestTruncatedFrames(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10, 70_000} {
		var stream bytes.Buffer
		if err := frame.Write(&stream, 1, frameOf(size)); err != nil {
			t.Fatal(err)
		}
		for _, cut := range []int{0, 1, 15, 16, 17, stream.Len() - 1} {
			if cut >= stream.Len() {
				continue
			}
			want := io.ErrUnexpectedEOF
			if cut == 0 {
				want = io.EOF
			}
			f := frame.NewReader(bytes.NewReader(stream.Bytes()[:cut]))
			for range 2 {
				if _, _, err := f.Next(1 << 20); err != want {
					t.Errorf("%d of %d bytes: %v", cut, stream.Len(), err)
				}
			}
		}
	}
}

func header(length uint64, kind byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, length), kind, 0, 0, 0, 0, 0, 0, 0)
}

func TestFramesThatAreTooLongAreRefused(t *testing.T) {
	t.Parallel()
	for _, length := range []uint64{101, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		_, _, err := frame.NewReader(bytes.NewReader(header(length, 1))).Next(100)
		if e, ok := errors.AsType[*frame.Error](err); !ok || e.Length != length || e.Max != 100 {
			t.Errorf("%d bytes: %v", length, err)
		} else if text := e.Error(); !strings.Contains(text, strconv.FormatUint(length, 10)) || !strings.Contains(text, "100") {
			t.Errorf("the text is %q", text)
		}
	}
	bad := header(0, 1)
	bad[15] = 1
	if _, _, err := frame.NewReader(bytes.NewReader(bad)).Next(100); err == nil {
		t.Error("reserved bytes are not looked at")
	}
}

// A header alone costs little memory, whatever length it claims. This test must not run beside
// others, because it measures allocations.
func TestALyingHeaderTakesLittleMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := frame.NewReader(bytes.NewReader(header(1<<40, 1))).Next(1 << 50)
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20+200_000 {
		t.Errorf("took %d bytes", took)
	}
}

func TestALargeFrameIsReadIntoSpareMemory(t *testing.T) {
	t.Parallel()
	const n = 3 << 20
	want := bytes.Repeat([]byte("abc"), n/3)
	for _, size := range []int{0, n - 1, n, n + 5} {
		b := &codec.Buffer{Copy: true}
		b.Append(frameOf(0))
		b.Raw(want)
		var stream bytes.Buffer
		if err := frame.Write(&stream, 1, b); err != nil {
			t.Fatal(err)
		}
		length := int(b.Len())
		spare := bytes.Repeat([]byte{9}, size+length-n)
		f := frame.NewReader(&stream)
		f.Spare = func() []byte { return spare }
		_, payload, err := f.Next(n * 2)
		if err != nil || len(payload) != length || !bytes.HasSuffix(payload, want) {
			t.Errorf("%d bytes are spare: %d bytes of %d, %v", len(spare), len(payload), length, err)
		}
		if used := len(spare) > 0 && &payload[0] == &spare[0]; used != (len(spare) >= length) {
			t.Errorf("%d bytes are spare for %d: used is %v", len(spare), length, used)
		}
	}
}

// pausing fails once in the middle of a small frame, as a deadline does.
type pausing struct {
	parts [][]byte
}

var errPause = errors.New("pause")

func (p *pausing) Read(to []byte) (int, error) {
	if len(p.parts) == 0 {
		return 0, io.EOF
	}
	part := p.parts[0]
	p.parts = p.parts[1:]
	if part == nil {
		return 0, errPause
	}
	return copy(to, part), nil
}

func TestASmallFrameSurvivesAPause(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	if err := frame.Write(&stream, 1, frameOf(50)); err != nil {
		t.Fatal(err)
	}
	s := stream.Bytes()
	f := frame.NewReader(&pausing{[][]byte{s[:5], nil, s[5:30], nil, s[30:]}})
	for range 2 {
		if _, _, err := f.Next(100); err != errPause {
			t.Fatal(err)
		}
	}
	if f.Buffered() != 30 {
		t.Errorf("%d bytes are buffered", f.Buffered())
	}
	if _, payload, err := f.Next(100); err != nil || !bytes.Equal(payload, s[16:]) {
		t.Errorf("%v, %v", payload, err)
	}
}

func TestAReaderThatMakesNoProgress(t *testing.T) {
	t.Parallel()
	if _, _, err := frame.NewReader(idle{}).Next(100); err != io.ErrNoProgress {
		t.Error(err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
