package codec_test

import (
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// The types below have every shape that programs send.

type point struct{ X, Y int32 }

type ints struct {
	A int
	B int8
	C int16
	D int32
	E int64
	F uint
	G uint8
	H uint16
	I uint32
	J uint64
	K uintptr
	L float32
	M float64
	N complex64
	O complex128
	P bool
	Q [3]bool
	_ int16
}

type list struct {
	Next  *list
	Value int
}

type tree struct {
	Name     string
	Children []tree
	ByName   map[string]*tree
}

// stamped embeds a time, whose MarshalBinary is promoted.
type stamped struct {
	time.Time
	Note string
}

// pointed embeds a pointer with such methods.
type pointed struct {
	*selfMade
	Note string
}

type hidden struct {
	name   string
	number *int
	items  []any
	_      string
}

// selfMade encodes itself: by design, only the upper case text survives.
type selfMade struct{ text string }

func (s selfMade) MarshalBinary() ([]byte, error) { return []byte("<" + s.text + ">"), nil }
func (s *selfMade) UnmarshalBinary(p []byte) error {
	if len(p) < 2 {
		return fmt.Errorf("selfMade: %d bytes", len(p))
	}
	s.text = string(p[1 : len(p)-1])
	return nil
}

type named struct {
	Text string
	N    int
}

func (n named) String() string { return n.Text }

type (
	celsius float64
	tags    []string
	lookup  map[point]string
)

type everything struct {
	Ints      ints
	Text      string
	Bytes     []byte
	Floats    []float64
	Texts     []string
	Points    map[point]string
	Nested    map[string]map[int][]string
	Any       any
	Anys      []any
	Object    map[string]any
	Stringer  fmt.Stringer
	Time      time.Time
	Stamped   stamped
	Pointed   pointed
	Duration  time.Duration
	Addr      netip.Addr
	AddrPort  netip.AddrPort
	Prefix    netip.Prefix
	Int       *big.Int
	Rat       big.Rat
	Float     *big.Float
	URL       *url.URL
	Where     *time.Location
	Pointer   *int
	Deep      ***string
	Arrays    [2][2]string
	List      *list
	Tree      tree
	Hidden    hidden
	Empty     struct{}
	Nothing   []struct{}
	Self      selfMade
	SelfP     *selfMade
	Celsius   celsius
	Tags      tags
	Lookup    lookup
	AnyKeys   map[any]int
	Anonymous struct {
		A string
		b []int
	}
	_ [0]func()
}

func init() {
	codec.RegisterType("named", reflect.TypeFor[named]())
	codec.RegisterType("point", reflect.TypeFor[point]())
	codec.RegisterType("celsius", reflect.TypeFor[celsius]())
	codec.RegisterType("hidden", reflect.TypeFor[hidden]())
	codec.RegisterType("selfMade", reflect.TypeFor[selfMade]())
	codec.RegisterType("list", reflect.TypeFor[list]())
	codec.RegisterType("ring", reflect.TypeFor[ring]())
	codec.RegisterType("anonymous", reflect.TypeFor[struct{ A, B int }]())
}

// failer is what *testing.T, *testing.B and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// encoded returns the message of v.
func encoded[T any](tb failer, v T) []byte {
	tb.Helper()
	var b codec.Buffer
	if err := codec.Encode(&b, "in", &v); err != nil {
		tb.Fatalf("Encode(%T): %v", v, err)
	}
	if int64(len(b.Bytes())) != b.Len() {
		tb.Fatalf("Len is %d, Bytes has %d", b.Len(), len(b.Bytes()))
	}
	return b.Bytes()
}

// decoded returns the value of a message, which must have no bytes left.
func decoded[T any](tb failer, message []byte, alias bool) T {
	tb.Helper()
	r := codec.NewReader(message)
	r.Alias = alias
	var v T
	if err := codec.Decode(r, &v); err != nil {
		tb.Fatalf("Decode(%T): %v", v, err)
	}
	if err := r.Done(); err != nil {
		tb.Fatalf("Done(%T): %v", v, err)
	}
	return v
}

// roundTrip sends v and fails unless what arrives is deeply equal.
func roundTrip[T any](tb failer, v T) T {
	tb.Helper()
	message := encoded(tb, v)
	for _, alias := range []bool{false, true} {
		if got := decoded[T](tb, message, alias); !reflect.DeepEqual(v, got) {
			tb.Fatalf("alias %v:\nsent    %#v\narrived %#v", alias, v, got)
		}
	}
	return decoded[T](tb, message, false)
}

func pointerTo[T any](v T) *T { return &v }

// listOf returns a list of n nodes.
func listOf(n int) *list {
	var head *list
	for i := range n {
		head = &list{Next: head, Value: i}
	}
	return head
}
