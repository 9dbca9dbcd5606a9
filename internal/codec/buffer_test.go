package codec_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/gomultiprocessing/mp/internal/codec"
)

func TestPrimitivesArrive(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	var b codec.Buffer
	b.Byte(7)
	for _, v := range []uint64{0, 127, 128, math.MaxUint64} {
		b.Uvarint(v)
		b.Uint64(v)
	}
	b.String(large)
	b.String("")
	b.Raw([]byte(large))
	b.Raw(nil)
	r := codec.NewReader(b.Bytes())
	if got := r.Byte(); got != 7 {
		t.Errorf("Byte is %d", got)
	}
	for _, v := range []uint64{0, 127, 128, math.MaxUint64} {
		if a, b := r.Uvarint(), r.Uint64(); a != v || b != v {
			t.Errorf("%d arrived as %d and %d", v, a, b)
		}
	}
	if r.String() != large || r.String() != "" || string(r.Raw()) != large || r.Raw() != nil || r.Len() != 0 || r.Done() != nil {
		t.Errorf("the strings did not arrive: %v", r.Done())
	}
}

func TestReaderErrorsStick(t *testing.T) {
	t.Parallel()
	r := codec.NewReader([]byte{1, 2})
	if r.Uint64() != 0 || !errors.Is(r.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("got %v", r.Err())
	}
	if r.Byte() != 0 || r.Uvarint() != 0 || r.String() != "" || r.Raw() != nil {
		t.Error("a reader goes on after an error")
	}
	r.Reset([]byte{5})
	if r.Byte() != 5 || r.Done() != nil {
		t.Error("Reset does not forget the error")
	}
	r.Reset([]byte{1, 2})
	if e, ok := errors.AsType[*codec.DecodeError](r.Done()); !ok || errors.Is(e, io.ErrUnexpectedEOF) {
		t.Errorf("bytes that are left give %v", r.Err())
	}
	r.Reset(bytes.Repeat([]byte{0xff}, 11))
	if r.Uvarint() != 0 || r.Err() == nil || errors.Is(r.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("a number of 77 bits gives %v", r.Err())
	}
}

func TestWriteToEqualsBytes(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	for _, size := range []int{10, 40_000, 0, 70_000, 3, 32 << 10} {
		b.Raw(bytes.Repeat([]byte{byte(size)}, size))
	}
	var out bytes.Buffer
	n, err := b.WriteTo(&out)
	if err != nil || n != b.Len() || !bytes.Equal(out.Bytes(), b.Bytes()) {
		t.Errorf("wrote %d of %d bytes, %v", n, b.Len(), err)
	}
	if _, err := b.WriteTo(failingWriter{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestLargeBlocksAreReferredToUnlessCopied(t *testing.T) {
	t.Parallel()
	for _, copied := range []bool{false, true} {
		b := codec.Buffer{Copy: copied}
		v := bytes.Repeat([]byte{1}, 32<<10)
		if err := codec.Encode(&b, "in", &v); err != nil {
			t.Fatal(err)
		}
		v[0] = 9
		if seen := bytes.IndexByte(b.Bytes(), 9) >= 0; seen == copied {
			t.Errorf("with Copy %v a later write is seen: %v", copied, seen)
		}
	}
}

func TestRewindTakesReferencesBack(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	large := make([]byte, 50_000)
	b.Raw(large)
	mark, want := b.Mark(), bytes.Clone(b.Bytes())
	b.Raw(large)
	b.String("more")
	b.Rewind(mark)
	if !bytes.Equal(b.Bytes(), want) || b.Len() != int64(len(want)) {
		t.Errorf("Rewind left %d bytes", b.Len())
	}
	b.Reset()
	if b.Len() != 0 || len(b.Bytes()) != 0 {
		t.Errorf("Reset left %d bytes", b.Len())
	}
}

func TestAliasingNeedsSizeAlignmentAndLeave(t *testing.T) {
	t.Parallel()
	sent := make([]uint64, 10_000)
	message := bytes.Clone(encoded(t, sent))
	shifted := append(make([]byte, 1, len(message)+1), message...)[1:]
	small := bytes.Clone(encoded(t, sent[:5000]))
	for _, test := range []struct {
		name    string
		message []byte
		alias   bool
		want    bool
	}{
		{"no leave", message, false, false}, {"large", message, true, true}, {"not aligned", shifted, true, false}, {"small", small, true, false},
	} {
		got := decoded[[]uint64](t, test.message, test.alias)
		got[0] = math.MaxUint64
		if shares := bytes.Contains(test.message, bytes.Repeat([]byte{0xff}, 8)); shares != test.want {
			t.Errorf("%s: shared %v", test.name, shares)
		}
		if cap(got) != len(got) && test.want {
			t.Errorf("%s: capacity %d", test.name, cap(got))
		}
		if address := uintptr(unsafe.Pointer(unsafe.SliceData(got))); address%8 != 0 {
			t.Errorf("%s: at %x", test.name, address)
		}
	}
}

func TestHostileBoolsAreNormalised(t *testing.T) {
	t.Parallel()
	type bools struct {
		N    int32
		A    bool
		Sub  [3]struct{ X, Y bool }
		Text string
		B    bool
	}
	hostile := func(message []byte) []byte { return bytes.ReplaceAll(bytes.Clone(message), []byte{1}, []byte{0xfe}) }
	flags := decoded[[]bool](t, append([]byte{4}, 0xfe, 0, 0xff), false)
	if *(*[3]byte)(unsafe.Pointer(unsafe.SliceData(flags))) != [3]byte{1, 0, 1} {
		t.Error("a bool in a slice is neither 0 nor 1")
	}
	v := bools{A: true, B: true}
	v.Sub[1].Y, v.Sub[2].X = true, true
	if got := decoded[bools](t, hostile(encoded(t, v)), false); got != v {
		t.Errorf("arrived %v", got)
	}
	if got := decoded[map[bool]bool](t, []byte{2, 0xfe, 0xfe}, false); !got[true] {
		t.Errorf("arrived %v", got)
	}
	held := bytes.Clone(encoded[any](t, []bool{true}))
	held[len(held)-1] = 0xfe
	if got := decoded[any](t, held, false); !reflect.DeepEqual(got, []bool{true}) {
		t.Errorf("arrived %v", got)
	}
}

func TestNestedMessagesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, copied := range []bool{false, true} {
		for _, size := range []int{0, 10, 5_000, 10_000} {
			var inner codec.Buffer
			inner.Byte(1)
			words := make([]uint64, size)
			if err := codec.Encode(&inner, "in", &words); err != nil {
				t.Fatal(err)
			}
			inner.String("end")
			outer := codec.Buffer{Copy: copied}
			outer.String("odd")
			outer.Nested(&inner)
			outer.Byte(9)
			inner.Reset()
			message := outer.Bytes()
			if int64(len(message)) != outer.Len() {
				t.Fatalf("Len is %d, Bytes has %d", outer.Len(), len(message))
			}
			r := codec.NewReader(message)
			if got := r.String(); got != "odd" {
				t.Fatalf("arrived %q", got)
			}
			part := codec.NewReader(r.Raw())
			part.Alias = true
			part.Byte()
			var got []uint64
			if err := codec.Decode(part, &got); err != nil || len(got) != size || part.String() != "end" || part.Done() != nil || r.Byte() != 9 || r.Done() != nil {
				t.Fatalf("%d words: %d arrived, %v, %v, %v", size, len(got), err, part.Err(), r.Err())
			}
			if size == 10_000 {
				got[0] = math.MaxUint64
				if !bytes.Contains(message, bytes.Repeat([]byte{0xff}, 8)) {
					t.Error("a large block of a nested message is not used in place")
				}
			}
		}
	}
}
