//go:build unix

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

type (
	// codecSecret would be refused for its channel, and has other methods that must not be used.
	codecSecret struct {
		n    int
		wake chan int
	}
	// codecNumber would travel as memory.
	codecNumber int64
	// codecProto looks like a generated message of protobuf.
	codecProto struct{ state, n int }
	// codecPlainProto has no codec.
	codecPlainProto struct{ n int }
	// codecShape is an interface with a codec.
	codecShape  interface{ Area() int }
	codecSquare struct{ side int }
	codecAll    struct {
		S       codecSecret
		P       *codecSecret
		N       []codecNumber
		M       map[codecNumber]*codecProto
		Any     any
		Nil     *codecProto
		Shape   codecShape
		private [2]codecSecret
	}
	codecHolds struct {
		Note string
		Msg  *codecPlainProto
	}
)

func (codecSecret) MarshalBinary() ([]byte, error) { return nil, errors.New("the codec comes first") }
func (*codecSecret) UnmarshalBinary([]byte) error  { return errors.New("the codec comes first") }
func (*codecProto) ProtoMessage()                  {}
func (*codecPlainProto) ProtoMessage()             {}
func (s codecSquare) Area() int                    { return s.side * s.side }

var errCodec = errors.New("codec: not this one")

// The Funcs are made before the codecs, as package variables are.
var (
	codecEcho   = testkit.Echo[codecAll]("codec")
	codecProtos = mp.Register("codec/proto", func(_ context.Context, m *codecPlainProto) (int, error) { return m.n, nil })
	codecOut    = mp.Register("codec/out", func(_ context.Context, n int) (*codecPlainProto, error) { return &codecPlainProto{n}, nil })
	codecHeld   = mp.Register("codec/held", func(_ context.Context, m codecHolds) (string, error) { return m.Note, nil })
	codecDouble = mp.Register("codec/double", func(_ context.Context, n codecNumber) (codecNumber, error) { return 2 * n, nil })
	codecPut    = mp.Register("codec/put", func(ctx context.Context, q *mp.Queue[*codecProto]) (mp.None, error) {
		return mp.None{}, errors.Join(q.Put(ctx, &codecProto{state: 1, n: 2}), q.Put(ctx, nil))
	})
)

func init() {
	mp.RegisterCodec("codec/secret", func(s codecSecret) ([]byte, error) { return strconv.AppendInt(nil, int64(s.n), 10), nil },
		func(b []byte) (s codecSecret, err error) { s.n, err = strconv.Atoi(string(b)); return s, err })
	mp.RegisterCodec("codec/number", func(n codecNumber) ([]byte, error) {
		switch n {
		case -1:
			return nil, errCodec
		case -2:
			panic("encode")
		case -3:
			runtime.Goexit()
		}
		return fmt.Append(nil, int64(n)), nil
	}, func(b []byte) (codecNumber, error) {
		switch n, err := strconv.ParseInt(string(b), 10, 64); n {
		case 1001, 2002:
			return 0, errCodec
		case 1003:
			panic("decode")
		default:
			return codecNumber(n), err
		}
	})
	mp.RegisterCodec("codec/proto", func(m *codecProto) ([]byte, error) { return []byte{byte(m.n)}, nil },
		func(b []byte) (*codecProto, error) { return &codecProto{n: int(b[0])}, nil })
	mp.RegisterCodec("codec/shape", func(s codecShape) ([]byte, error) {
		if s == nil {
			return nil, nil
		}
		return []byte{byte(s.(codecSquare).side)}, nil
	}, func(b []byte) (codecShape, error) {
		if len(b) == 0 {
			return nil, nil
		}
		return codecSquare{int(b[0])}, nil
	})
}

func codecBoth(t *testing.T) []*mp.Pool {
	t.Helper()
	goroutines, err := thread.NewPool(mp.PoolConfig{Workers: 1, Encode: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(goroutines.Terminate)
	return []*mp.Pool{testkit.NewPool(t, mp.PoolConfig{Workers: 1}), goroutines}
}

// TestCodecAtAnyDepth: it wins over memory, over MarshalBinary and over refusals.
func TestCodecAtAnyDepth(t *testing.T) {
	t.Parallel()
	in := codecAll{
		S: codecSecret{1, make(chan int)}, P: &codecSecret{n: 2}, N: []codecNumber{3, 4}, M: map[codecNumber]*codecProto{5: {state: 9, n: 6}, 6: nil},
		Any: []any{codecSecret{n: 7}, &codecProto{n: 8}, codecNumber(9), &codecSecret{n: 10}}, Shape: codecSquare{11}, private: [2]codecSecret{{n: 12}, {n: 13}},
	}
	for _, p := range codecBoth(t) {
		got, err := mp.Apply(testkit.Ctx(t), p, codecEcho, in)
		if err != nil {
			t.Fatal(err)
		}
		held := got.Any.([]any)
		if got.S != (codecSecret{n: 1}) || *got.P != *in.P || got.N[0] != 3 || got.N[1] != 4 || *got.M[5] != (codecProto{n: 6}) || got.M[6] != nil ||
			held[0] != (codecSecret{n: 7}) || *held[1].(*codecProto) != (codecProto{n: 8}) || held[2] != codecNumber(9) || *held[3].(*codecSecret) != (codecSecret{n: 10}) ||
			got.Nil != nil || got.Shape != (codecSquare{11}) || got.private != in.private {
			t.Errorf("%+v", got)
		}
	}
}

// TestCodecOfItems: of Map, which would send numbers as memory, and of a queue.
func TestCodecOfItems(t *testing.T) {
	t.Parallel()
	for _, p := range codecBoth(t) {
		got, err := mp.Map(testkit.Ctx(t), p, codecDouble, []codecNumber{1, 2, 1001, 4, 1003})
		var failed *mp.MapError
		if !errors.As(err, &failed) || len(failed.Errs) != 2 || failed.Errs[0].Index != 2 || failed.Errs[1].Index != 4 || got[0] != 2 || got[1] != 4 || got[3] != 8 {
			t.Errorf("%v, %v", got, err)
		}
		testkit.Says(t, err, `the codec "codec/number" of mp_test.codecNumber: codec: not this one`, "panic: decode")
		for n, want := range map[codecNumber]string{-1: "codec: not this one", -2: "panic: encode"} {
			_, err := mp.Apply(testkit.Ctx(t), p, codecDouble, n)
			testkit.Says(t, err, "in: ", `the codec "codec/number" of mp_test.codecNumber failed: `, want)
			if n == -1 && !errors.Is(err, errCodec) && p.Stats().Done == 0 {
				t.Errorf("%v has lost its cause", err)
			}
		}
	}
	q, err := mp.NewQueue[*codecProto](0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := testkit.QuietCall(t, codecPut, q); err != nil {
		t.Fatal(err)
	}
	if m, err := q.Get(testkit.Ctx(t)); err != nil || *m != (codecProto{n: 2}) {
		t.Error(m, err)
	}
	if m, err := q.Get(testkit.Ctx(t)); err != nil || m != nil {
		t.Error(m, err)
	}
}

// TestCodecThatEndsItsGoroutine: the caller's goroutine ends, and the pool goes on.
func TestCodecThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	for _, p := range codecBoth(t) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			mp.Apply(testkit.Ctx(t), p, codecDouble, -3)
		}()
		<-done
		if n, err := mp.Apply(testkit.Ctx(t), p, codecDouble, 5); n != 10 || err != nil {
			t.Error(n, err)
		}
	}
}

// TestProtobufWithoutCodec: it is refused always, fresh or used, as input, output and part, and the
// error says what to do. Nil arrives.
func TestProtobufWithoutCodec(t *testing.T) {
	t.Parallel()
	for _, p := range codecBoth(t) {
		_, err := mp.Apply(testkit.Ctx(t), p, codecProtos, &codecPlainProto{})
		testkit.Says(t, err, "codec/proto", "a *mp_test.codecPlainProto is a protobuf message", `mp.RegisterCodec[*mp_test.codecPlainProto]`, "proto.Marshal")
		_, err = mp.Apply(testkit.Ctx(t), p, codecOut, 1)
		testkit.Says(t, err, "codec/out", "out: a *mp_test.codecPlainProto is a protobuf message")
		_, err = mp.Apply(testkit.Ctx(t), p, codecHeld, codecHolds{"x", &codecPlainProto{}})
		testkit.Says(t, err, "in.Msg: a *mp_test.codecPlainProto is a protobuf message")
		if note, err := mp.Apply(testkit.Ctx(t), p, codecHeld, codecHolds{Note: "x"}); note != "x" || err != nil {
			t.Error(note, err)
		}
	}
	_, err := mp.Call(testkit.Ctx(t), codecProtos, &codecPlainProto{}, mp.ProcessConfig{Stderr: io.Discard})
	testkit.Says(t, err, "RegisterCodec")
	q, err := mp.NewQueue[any](0)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Says(t, q.TryPut(&codecPlainProto{}), "item: ", "RegisterCodec")
	testkit.Says(t, q.TryPut([]codecPlainProto{{}}), "RegisterCodec")
}

// TestCodecInSharedMemory: nobody would call it there.
func TestCodecInSharedMemory(t *testing.T) {
	t.Parallel()
	_, err := mp.NewValue(struct{ N codecNumber }{})
	testkit.Says(t, err, "N is a mp_test.codecNumber", `travels by the codec "codec/number"`)
	_, err = mp.NewArray[codecNumber](3)
	testkit.Says(t, err, `travels by the codec "codec/number"`)
	_, err = thread.NewArray[codecNumber](3)
	testkit.Says(t, err, `travels by the codec "codec/number"`)
}
