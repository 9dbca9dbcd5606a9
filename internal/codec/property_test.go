package codec_test

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var zoneNames = []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"}

func genZone() *rapid.Generator[*time.Location] {
	return rapid.Custom(func(t *rapid.T) *time.Location {
		switch rapid.IntRange(0, 3).Draw(t, "zone") {
		case 0:
			return time.UTC
		case 1:
			return time.Local
		case 2:
			loc, err := time.LoadLocation(rapid.SampledFrom(zoneNames).Draw(t, "name"))
			if err != nil {
				t.Fatal(err)
			}
			return loc
		}
		return time.FixedZone(rapid.StringN(0, 8, 20).Draw(t, "fixed"), rapid.IntRange(-86400, 86400).Draw(t, "offset"))
	})
}

func genTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64().Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"))
		return at.In(genZone().Draw(t, "zone"))
	})
}

func genAddr() *rapid.Generator[netip.Addr] {
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		switch rapid.IntRange(0, 2).Draw(t, "addr") {
		case 0:
			return netip.Addr{}
		case 1:
			return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4")))
		}
		a := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v6")))
		return a.WithZone(rapid.SampledFrom([]string{"", "eth0", "x"}).Draw(t, "zone"))
	})
}

func genBig() *rapid.Generator[*big.Int] {
	return rapid.Custom(func(t *rapid.T) *big.Int {
		v := new(big.Int).SetBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "big"))
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		return v
	})
}

func genURL() *rapid.Generator[*url.URL] {
	text := rapid.StringN(0, 6, 20)
	return rapid.Custom(func(t *rapid.T) *url.URL {
		u := &url.URL{
			Scheme: text.Draw(t, "scheme"), Host: text.Draw(t, "host"), Path: text.Draw(t, "path"), RawPath: text.Draw(t, "raw path"),
			ForceQuery: rapid.Bool().Draw(t, "force"), RawQuery: text.Draw(t, "query"), Fragment: text.Draw(t, "fragment"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "user") {
		case 1:
			u.User = url.User(text.Draw(t, "name"))
		case 2:
			u.User = url.UserPassword(text.Draw(t, "name"), text.Draw(t, "password"))
		}
		return u
	})
}

func genAny(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Int().AsAny(), rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Int8().AsAny(), rapid.Uint16().AsAny(),
		rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.SliceOf(rapid.Byte()).AsAny(), genTime().AsAny(), genPoint().AsAny(),
		rapid.Just[any](celsius(math.Copysign(0, -1))), rapid.Just[any](&named{"n", 1}), rapid.MapOf(genPoint(), rapid.String()).AsAny(),
	}
	if depth > 0 {
		inner := genAny(depth - 1)
		leaves = append(leaves, rapid.SliceOfN(inner, 0, 4).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 4).AsAny())
	}
	return rapid.OneOf(leaves...)
}

func genPoint() *rapid.Generator[point] {
	return rapid.Custom(func(t *rapid.T) point {
		return point{rapid.Int32().Draw(t, "x"), rapid.Int32().Draw(t, "y")}
	})
}

func genTree(depth int) *rapid.Generator[tree] {
	return rapid.Custom(func(t *rapid.T) tree {
		v := tree{Name: rapid.String().Draw(t, "name")}
		if depth > 0 && rapid.Bool().Draw(t, "more") {
			v.Children = rapid.SliceOfN(genTree(depth-1), 0, 3).Draw(t, "children")
			v.ByName = rapid.MapOfN(rapid.String(), rapid.Ptr(genTree(depth-1), true), 0, 3).Draw(t, "by name")
		}
		return v
	})
}

func genInts() *rapid.Generator[ints] {
	return rapid.Custom(func(t *rapid.T) ints {
		return ints{
			A: rapid.Int().Draw(t, "a"), B: rapid.Int8().Draw(t, "b"), C: rapid.Int16().Draw(t, "c"), D: rapid.Int32().Draw(t, "d"),
			E: rapid.Int64().Draw(t, "e"), F: rapid.Uint().Draw(t, "f"), G: rapid.Uint8().Draw(t, "g"), H: rapid.Uint16().Draw(t, "h"),
			I: rapid.Uint32().Draw(t, "i"), J: rapid.Uint64().Draw(t, "j"), K: rapid.Uintptr().Draw(t, "k"), L: rapid.Float32().Draw(t, "l"),
			M: rapid.Float64().Draw(t, "m"), N: complex(rapid.Float32().Draw(t, "n"), 1), O: complex(rapid.Float64().Draw(t, "o"), -1),
			P: rapid.Bool().Draw(t, "p"), Q: [3]bool{rapid.Bool().Draw(t, "q"), true, false},
		}
	})
}

func genHidden() *rapid.Generator[hidden] {
	return rapid.Custom(func(t *rapid.T) hidden {
		return hidden{name: rapid.String().Draw(t, "name"), number: rapid.Ptr(rapid.Int(), true).Draw(t, "number"), items: rapid.SliceOfN(genAny(1), 0, 3).Draw(t, "items")}
	})
}

func genEverything() *rapid.Generator[everything] {
	return rapid.Custom(func(t *rapid.T) everything {
		text, anything := rapid.String(), genAny(2)
		v := everything{Ints: genInts().Draw(t, "ints"), Text: text.Draw(t, "text"), Hidden: genHidden().Draw(t, "hidden"), Tree: genTree(3).Draw(t, "tree")}
		v.Bytes = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		v.Floats = rapid.SliceOf(rapid.Float64()).Draw(t, "floats")
		v.Texts = rapid.SliceOf(text).Draw(t, "texts")
		v.Points = rapid.MapOf(genPoint(), text).Draw(t, "points")
		v.Nested = rapid.MapOfN(text, rapid.MapOfN(rapid.Int(), rapid.SliceOfN(text, 0, 3), 0, 3), 0, 3).Draw(t, "nested")
		v.Any, v.Anys = anything.Draw(t, "any"), rapid.SliceOfN(anything, 0, 3).Draw(t, "anys")
		v.Object = rapid.MapOfN(text, anything, 0, 3).Draw(t, "object")
		v.Stringer = rapid.SampledFrom([]fmt.Stringer{nil, named{"n", 1}, &named{"p", 2}, time.Minute}).Draw(t, "stringer")
		v.Time, v.Stamped = genTime().Draw(t, "time"), stamped{genTime().Draw(t, "stamp"), text.Draw(t, "note")}
		v.Pointed = pointed{rapid.Ptr(rapid.Map(text, func(s string) selfMade { return selfMade{s} }), true).Draw(t, "self"), text.Draw(t, "note")}
		v.Addr, v.AddrPort = genAddr().Draw(t, "addr"), netip.AddrPortFrom(genAddr().Draw(t, "addr"), rapid.Uint16().Draw(t, "port"))
		v.Prefix = netip.PrefixFrom(genAddr().Draw(t, "addr").WithZone(""), rapid.IntRange(-1, 130).Draw(t, "bits"))
		v.Int, v.URL, v.Where = genBig().Draw(t, "int"), genURL().Draw(t, "url"), genZone().Draw(t, "where")
		v.Rat.SetFrac(genBig().Draw(t, "numerator"), big.NewInt(rapid.Int64Range(1, 1<<60).Draw(t, "denominator")))
		v.Float = new(big.Float).SetPrec(rapid.UintRange(1, 200).Draw(t, "precision")).SetInt(genBig().Draw(t, "float"))
		v.Pointer = rapid.Ptr(rapid.Int(), true).Draw(t, "pointer")
		v.Deep = rapid.Ptr(rapid.Ptr(rapid.Ptr(text, true), true), true).Draw(t, "deep")
		v.Arrays[1][0], v.List = text.Draw(t, "array"), listOf(rapid.IntRange(0, 20).Draw(t, "list"))
		v.Nothing = make([]struct{}, rapid.IntRange(0, 9).Draw(t, "nothing"))
		v.AnyKeys = map[any]int{genPoint().Draw(t, "key"): 1, text.Draw(t, "key"): 2, rapid.Int().Draw(t, "key"): 3}
		v.Anonymous.A, v.Anonymous.b = text.Draw(t, "anonymous"), rapid.SliceOf(rapid.Int()).Draw(t, "b")
		return v
	})
}

// Every value arrives deeply equal to the one that was sent.
func TestEverythingArrives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		roundTrip(rt, genEverything().Draw(rt, "everything"))
	})
}
