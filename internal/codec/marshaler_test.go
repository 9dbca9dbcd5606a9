package codec_test

import (
	"bytes"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

func TestBigNumbersArrive(t *testing.T) {
	t.Parallel()
	huge := new(big.Int).Exp(big.NewInt(-7), big.NewInt(12345), nil)
	roundTrip(t, huge)
	roundTrip(t, *huge)
	roundTrip(t, new(big.Int))
	roundTrip(t, big.NewRat(-22, 7))
	roundTrip(t, new(big.Rat))
	precise := new(big.Float).SetPrec(300).SetMode(big.ToZero)
	precise.Quo(big.NewFloat(1), big.NewFloat(3))
	roundTrip(t, precise)
	roundTrip(t, new(big.Float).SetInf(true))
}

func TestURLsArriveExactly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "https://user:pa%20ss@example.org:8080/a%2Fb/c?q=1#f%20g", "//host?", "mailto:a@b", "/path?#", "http://user@h", "http://user:@h"} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, u)
	}
	// String and Parse would lose these.
	roundTrip(t, url.URL{Scheme: "HTTP", Host: "h", ForceQuery: true, RawQuery: "", OmitHost: true})
	roundTrip(t, url.URL{Path: "/a b", RawPath: "/not/the/same", User: url.UserPassword("", "")})
}

func TestNetworkAddressesArrive(t *testing.T) {
	t.Parallel()
	for _, a := range []netip.Addr{{}, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:1.2.3.4"), netip.MustParseAddr("fe80::1%eth0")} {
		if got := roundTrip(t, a); got != a {
			t.Errorf("%v arrived as %v", a, got)
		}
		roundTrip(t, netip.AddrPortFrom(a, 443))
		roundTrip(t, netip.PrefixFrom(a, 8))
	}
	roundTrip(t, netip.Prefix{})
	roundTrip(t, netip.AddrPort{})
}

func TestTypesThatEncodeThemselves(t *testing.T) {
	t.Parallel()
	roundTrip(t, selfMade{"text"})
	roundTrip(t, &selfMade{"text"})
	roundTrip(t, (*selfMade)(nil))
	roundTrip(t, []selfMade{{"a"}, {""}})
	roundTrip(t, map[selfMade]*selfMade{{"k"}: {"v"}})
	if message := encoded(t, selfMade{"x"}); !bytes.Contains(message, []byte("<x>")) {
		t.Errorf("MarshalBinary was not used: %q", message)
	}
}

func TestPromotedMethodsLoseNothing(t *testing.T) {
	t.Parallel()
	roundTrip(t, stamped{Note: "note"})
	roundTrip(t, pointed{&selfMade{"text"}, "note"})
	roundTrip(t, pointed{nil, "note"})
}

// marker has methods, but no pointers: it travels as memory, if MarshalBinary does not refuse.
type marker struct{ n int }

func (m marker) MarshalBinary() ([]byte, error) {
	if m.n < 0 {
		return nil, errMood
	}
	return nil, nil
}
func (*marker) UnmarshalBinary([]byte) error { panic("not called") }

// onlyMarshals has no UnmarshalBinary, and size zero.
type onlyMarshals struct{}

func (*onlyMarshals) MarshalBinary() ([]byte, error) { return nil, errMood }

func TestPointerFreeTypesMayRefuse(t *testing.T) {
	t.Parallel()
	type within struct {
		A int8
		M [2]marker
		B bool
	}
	roundTrip(t, []marker{{1}, {2}})
	roundTrip(t, marker{3})
	roundTrip(t, map[int8]within{1: {1, [2]marker{{1}, {2}}, true}})
	roundTrip(t, []onlyMarshals(nil))
	if _, ok := codec.MemorySize[marker](); ok {
		t.Error("nobody would ask a marker that travels as memory")
	}
	for _, test := range []struct {
		path string
		v    any
	}{
		{"in", &marker{-1}}, {"in[1]", &[]marker{{1}, {-1}}}, {"in.M[1]", &within{M: [2]marker{{1}, {-1}}}}, {"in", &onlyMarshals{}},
		{"in[2].M[0]", pointerTo(map[int]*within{2: {M: [2]marker{{-1}, {}}}})}, {"in[the key {-1}]", &map[marker]int{{-1}: 1}},
	} {
		var b codec.Buffer
		err := codec.EncodeValue(&b, "in", reflect.ValueOf(test.v).Elem())
		if e, ok := errors.AsType[*codec.Error](err); !ok || e.Path != test.path || !errors.Is(err, errMood) {
			t.Errorf("%v: %v", test.path, err)
		}
	}
}

func TestPointerFreeTypesTravelAsMemory(t *testing.T) {
	t.Parallel()
	if size, ok := codec.MemorySize[[3]point](); size != 24 || !ok {
		t.Errorf("MemorySize is %d, %v", size, ok)
	}
	if size, ok := codec.MemorySize[struct {
		_ [0]func()
		n int16
	}](); size != 2 && size != 8 || !ok {
		t.Errorf("MemorySize is %d, %v", size, ok)
	}
	for _, ok := range []bool{second(codec.MemorySize[string]()), second(codec.MemorySize[[]int]()), second(codec.MemorySize[*int]()), second(codec.MemorySize[struct{ A any }]())} {
		if ok {
			t.Error("a type with pointers has a MemorySize")
		}
	}
}

func second[A, B any](_ A, b B) B { return b }
