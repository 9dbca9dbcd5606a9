package thread_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// parcel is a value with memory behind it.
type parcel struct {
	Name  string
	Ints  []int
	Map   map[string]*int
	Inner *parcel
	Any   any
}

func TestEncodeCopies(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2, Encode: true})
	seven := 7
	var got []*parcel // what the tasks were given
	var mu sync.Mutex
	change := thread.Func(func(_ context.Context, in *parcel) (*parcel, error) {
		in.Ints[0]++
		*in.Map["a"]++
		in.Inner.Name += "!"
		mu.Lock()
		defer mu.Unlock()
		got = append(got, in)
		return in, nil
	})
	in := &parcel{Name: "n", Ints: []int{1, 2}, Map: map[string]*int{"a": &seven}, Inner: &parcel{Name: "i"}}
	check := func(how string, out *parcel, err error) {
		t.Helper()
		if err != nil || out.Ints[0] != 2 || *out.Map["a"] != 8 || out.Inner.Name != "i!" || out.Name != "n" {
			t.Errorf("%s: %+v, %v", how, out, err)
			return
		}
		if in.Ints[0] != 1 || seven != 7 || in.Inner.Name != "i" {
			t.Errorf("%s: the input was changed: %+v", how, in)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, other := range append(got, in) {
			if other == out || &other.Ints[0] == &out.Ints[0] || other.Inner == out.Inner {
				t.Errorf("%s: the output shares memory", how)
			}
		}
	}
	out, err := mp.Apply(t.Context(), p, change, in)
	check("Apply", out, err)
	out, err = mp.ApplyAsync(t.Context(), p, change, in).Get(t.Context())
	check("ApplyAsync", out, err)
	all, err := mp.Map(t.Context(), p, change, []*parcel{in, in, in}, mp.Chunk(3))
	for _, out := range all {
		check("Map", out, err)
	}
	for out, err := range mp.Imap(t.Context(), p, change, slices.Values([]*parcel{in, in})) {
		check("Imap", out, err)
	}
	b := []byte("abc")
	same := thread.Func(func(_ context.Context, b []byte) ([]byte, error) { b[0]++; return b, nil })
	if out, err := mp.Apply(t.Context(), p, same, b); err != nil || string(out) != "bbc" || string(b) != "abc" {
		t.Errorf("%q, %q, %v", out, b, err)
	}
}

var (
	encodeAny   = mp.Register("encode/any", func(_ context.Context, in parcel) (int, error) { return len(in.Name), nil })
	encodeChan  = mp.Register("encode/chan", func(_ context.Context, in map[string]chan int) (int, error) { return len(in), nil })
	encodeOut   = mp.Register("encode/out", func(_ context.Context, n int) (any, error) { return []any{1, func() {}}, nil })
	encodeLarge = mp.Register("encode/large", func(_ context.Context, n int) ([]byte, error) { return bytes.Repeat([]byte("x"), n), nil })
	encodeQueue = mp.Register("encode/queue", func(_ context.Context, q *mp.Queue[int]) (int, error) { return 1, nil })
	encodeLock  = mp.Register("encode/lock", func(_ context.Context, l []*mp.Lock) (int, error) { return 1, nil })
	encodeTwice = mp.Register("encode/twice", func(ctx context.Context, q *mp.Queue[int]) (int, error) {
		v, err := q.Get(ctx)
		if err != nil {
			return 0, err
		}
		return v, q.Put(ctx, 2*v)
	})
	encodePipe = mp.Register("encode/pipe", func(ctx context.Context, c *mp.Conn[string]) (string, error) {
		defer c.Close()
		if err := c.Send(ctx, "hello"); err != nil {
			return "", err
		}
		return c.Recv(ctx)
	})
)

// What could not travel to a process is the error that a pool of processes gives.
func TestEncodeRefusesWhatCannotTravel(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there are no processes, or they share nothing")
	}
	here := newPool(t, mp.PoolConfig{Workers: 1, Encode: true, MaxResult: 1000})
	there, err := mp.NewPool(mp.PoolConfig{Workers: 1, MaxResult: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Terminate()
	q, err := thread.NewQueue[int](1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := thread.NewLock()
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(p *mp.Pool) error{
		"a func in an interface": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeAny, parcel{Inner: &parcel{Any: func() {}}})
			return err
		},
		"a type that is not registered": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeAny, parcel{Any: struct{ X int }{1}})
			return err
		},
		"a list of which one cannot": func(p *mp.Pool) error {
			_, err := mp.Map(t.Context(), p, encodeAny, []parcel{{}, {Any: make(chan int)}, {}})
			return err
		},
		"a channel": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeChan, map[string]chan int{"a": nil})
			return err
		},
		"channels": func(p *mp.Pool) error {
			_, err := mp.Map(t.Context(), p, encodeChan, []map[string]chan int{{"a": nil}, nil})
			return err
		},
		"an output": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeOut, 1)
			return err
		},
		"an output that is too large": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeLarge, 2000)
			return err
		},
		"a queue of goroutines": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeQueue, q)
			return err
		},
		"a lock of goroutines": func(p *mp.Pool) error {
			_, err := mp.Apply(t.Context(), p, encodeLock, []*mp.Lock{nil, l})
			return err
		},
	} {
		a, b := call(here), call(there)
		if a == nil || b == nil {
			t.Errorf("%s: goroutines: %v; processes: %v", name, a, b)
			continue
		}
		if sayAlike(a) != sayAlike(b) {
			t.Errorf("%s:\ngoroutines: %v\nprocesses:  %v", name, a, b)
		}
		var task, theirs *mp.TaskError
		if errors.As(a, &task) != errors.As(b, &theirs) {
			t.Errorf("%s: %T and %T", name, a, b)
		}
	}
	if v, err := mp.Apply(t.Context(), here, encodeLarge, 900); len(v) != 900 || err != nil {
		t.Error(len(v), err)
	}
	plain := newPool(t, mp.PoolConfig{Workers: 1, MaxResult: 10})
	if v, err := mp.Apply(t.Context(), plain, encodeLarge, 2000); len(v) != 2000 || err != nil {
		t.Error("without Encode nothing bounds a result:", len(v), err)
	}
	if v, err := mp.Apply(t.Context(), plain, encodeQueue, q); v != 1 || err != nil {
		t.Error("without Encode everything can be given:", v, err)
	}
}

// sayAlike is an error's text without what differs between runs.
func sayAlike(err error) string {
	s := err.Error()
	if i := strings.Index(s, "of 20"); i >= 0 { // bytes with or without what is around them
		s = s[:i]
	}
	return s
}

// What processes can share works through Encode as it would there.
func TestEncodeOfWhatIsShared(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("processes share nothing")
	}
	p := newPool(t, mp.PoolConfig{Workers: 2, Encode: true})
	q, err := mp.NewQueue[int](4)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.Put(t.Context(), 21); err != nil {
		t.Fatal(err)
	}
	if v, err := mp.Apply(t.Context(), p, encodeTwice, q); v != 21 || err != nil {
		t.Fatal(v, err)
	}
	if v, err := q.Get(t.Context()); v != 42 || err != nil {
		t.Error(v, err)
	}
	mine, theirs, err := mp.NewPipe[string]()
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	r := mp.ApplyAsync(t.Context(), p, encodePipe, theirs)
	if s, err := mine.Recv(t.Context()); s != "hello" || err != nil {
		t.Error(s, err)
	}
	if err := mine.Send(t.Context(), "you"); err != nil {
		t.Error(err)
	}
	if s, err := r.Get(t.Context()); s != "you" || err != nil {
		t.Error(s, err)
	}
	if err := theirs.Send(t.Context(), "mine?"); err == nil {
		t.Error("an end that has left can still be used")
	}
	// An input that cannot be encoded leaves what is in it where it is.
	_, other, err := mp.NewPipe[string]()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	both := thread.Func(func(context.Context, []any) (int, error) { return 0, nil })
	if _, err := mp.Apply(t.Context(), p, both, []any{other, func() {}}); err == nil {
		t.Error("a func has travelled")
	}
}

// encodeBad is a value whose methods misbehave.
type encodeBad struct{ How string }

func (b encodeBad) MarshalBinary() ([]byte, error) {
	switch b.How {
	case "panic in Marshal":
		panic("in Marshal")
	case "Goexit in Marshal":
		runtime.Goexit()
	case "error in Marshal":
		return nil, errWork
	}
	return []byte(b.How), nil
}

func (b *encodeBad) UnmarshalBinary(data []byte) error {
	switch b.How = string(data); b.How {
	case "panic in Unmarshal":
		panic("in Unmarshal")
	case "Goexit in Unmarshal":
		runtime.Goexit()
	case "error in Unmarshal":
		return errWork
	}
	return nil
}

func TestEncodeOfWhatMisbehaves(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2, Encode: true})
	in := thread.Func(func(_ context.Context, b encodeBad) (string, error) { return b.How, nil })
	out := thread.Func(func(_ context.Context, how string) (encodeBad, error) { return encodeBad{how}, nil })
	for _, how := range []string{"panic in Marshal", "Goexit in Marshal", "error in Marshal", "panic in Unmarshal", "Goexit in Unmarshal", "error in Unmarshal"} {
		_, err := mp.Apply(t.Context(), p, in, encodeBad{how})
		var task *mp.TaskError
		if !errors.As(err, &task) {
			t.Errorf("input, %s: %v", how, err)
		}
		if _, err := mp.Apply(t.Context(), p, out, how); !errors.As(err, &task) {
			t.Errorf("output, %s: %v", how, err)
		}
		all, err := mp.Map(t.Context(), p, in, []encodeBad{{"a"}, {how}, {"b"}}, mp.Chunk(3))
		var failed *mp.MapError
		if !errors.As(err, &failed) || len(failed.Errs) != 1 || failed.Errs[0].Index != 1 || all[0] != "a" || all[2] != "b" {
			t.Errorf("inputs, %s: %v, %v", how, all, err)
		}
	}
	if s, err := mp.Apply(t.Context(), p, in, encodeBad{"good"}); s != "good" || err != nil {
		t.Error(s, err)
	}
}
