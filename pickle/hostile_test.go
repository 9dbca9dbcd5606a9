package pickle_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/pickle"
)

// bounded reads data into *v and fails the test if that allocates out of proportion.
func bounded(t *testing.T, data []byte, v any) error {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := pickle.Unmarshal(data, v)
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+600*len(data)); got > most {
		t.Errorf("%d bytes allocated for a pickle of %d", got, len(data))
	}
	return err
}

func u32(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
func u64(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }

// Not parallel: the memory of the whole process is measured.
func TestWhatIsRefused(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"", "at byte 0: no STOP"}, {"]", "at byte 1: no STOP"}, {".", "at byte 0: the stack is empty"},
		{"\x8b" + u32(1<<31-1) + "x.", "at byte 0: 2147483647 bytes announced, 2 are left"},
		{"\x8b" + u32(1<<31) + ".", "at byte 0: an int of a negative number of bytes"},
		{"B" + u32(1<<32-1) + ".", "4294967295 bytes announced, 1 are left"}, {"\x8e" + u64(1<<63) + ".", "9223372036854775808 bytes announced, 1 are left"},
		{"\x8d" + u64(1<<64-1) + ".", "18446744073709551615 bytes announced, 1 are left"}, {"\x96" + u64(1<<40) + ".", "1099511627776 bytes announced, 1 are left"},
		{"\x80\x04\x95" + u64(1<<50) + "N.", "a frame of 1125899906842624 bytes announced, 2 are left"}, {"\x80\x06N.", "protocol 6 is unknown; 0 to 5 are known"},
		{"Pabc\n.", "a persistent id: it names something outside the pickle, and nothing here resolves it"}, {"NQ.", "a persistent id: it names something outside the pickle, and nothing here resolves it"},
		{"\x97.", "an out-of-band buffer of protocol 5: pickle without buffer_callback"}, {"\x82\x01.", "an extension code of copyreg: it means something in one Python program only"},
		{"h\x05.", "the memo has no entry 5"}, {"N.N", "1 bytes follow the end"}, {"N(a.", "the stack is empty"}, {"e.", "no MARK"},
		{"}(Nu.", "a dict with a key without a value"}, {"NNa.", "an element appended to a None"}, {"N)R.", "a None is called"}, {"cos\nsystem\nNR.", "arguments that are a None"},
		{"\x8c\x02\xff\xfe.", "a str that is not UTF-8"}, {"\xff", "unknown opcode 0xff"}, {"I12x\n.", "an int that is none"}, {"Fx\n.", "a float that is none"},
	} {
		var v any
		err := bounded(t, []byte(c.data), &v)
		var syntax *pickle.SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q: %v, want %s", c.data, err, c.want)
		}
		if strings.Contains(c.want, "announced") && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%.30q: no ErrUnexpectedEOF", c.data)
		}
	}
}

func TestMemoBombs(t *testing.T) {
	var v any
	for _, data := range []string{
		"Nr" + u32(1<<32-1) + "0j" + u32(1<<32-1) + ".", "Np4294967295\n.", "N" + strings.Repeat("\x94", 1<<20) + ".",
		"]" + strings.Repeat("2", 1<<20) + strings.Repeat("0", 1<<20) + ".", strings.Repeat("(", 1<<20) + strings.Repeat("1", 1<<20) + "N.",
	} {
		if err := bounded(t, []byte(data), &v); err != nil {
			t.Errorf("%.10q: %v", data, err)
		}
	}
}

func TestDeepNesting(t *testing.T) {
	type tree []tree
	const n = 1 << 18
	for _, data := range []string{
		strings.Repeat("]", n) + strings.Repeat("a", n-1) + ".", "N" + strings.Repeat("\x85", n) + ".",
		"N" + strings.Repeat("cm\nC\n", 0) + strings.Repeat("\x85", n) + ".", strings.Repeat("cm\nC\n", n/8) + ")" + strings.Repeat("R\x85", n/8) + ".",
		strings.Repeat("}N", n) + "N" + strings.Repeat("s", n) + ".",
	} {
		var v any
		if err := bounded(t, []byte(data), &v); err == nil || !strings.HasSuffix(err.Error(), "nested deeper than 5000") || len(err.Error()) > 2000 {
			t.Errorf("%.10q: %.100v", data, err)
		}
		var typed tree
		if err := bounded(t, []byte(data), &typed); err == nil {
			t.Errorf("%.10q: no error", data)
		}
	}
}

// laughs is [x, x] nested 40 deep: 2^40 leaves in a tree, and some hundred bytes.
func laughs() []byte {
	data := "]\x94"
	for i := range 40 {
		data += fmt.Sprintf("0](h%ch%ce\x94", i, i)
	}
	return []byte(data + ".")
}

func TestBillionLaughs(t *testing.T) {
	type tree []tree
	type pair struct{ A, B *pair }
	var v any
	if err := bounded(t, laughs(), &v); err != nil {
		t.Fatal(err)
	}
	if b := marshal(t, v); len(b) > 2*len(laughs()) {
		t.Errorf("%d bytes", len(b))
	}
	var typed tree
	if err := bounded(t, laughs(), &typed); err != nil || len(typed) != 2 {
		t.Error(err)
	}
	pairs := ")\x94"
	for i := range 40 {
		pairs += fmt.Sprintf("0h%ch%c\x86\x94", i, i)
	}
	var p pair
	if err := bounded(t, []byte(strings.Replace(pairs, ")", "N", 1)+"."), &p); err != nil || p.A != p.B {
		t.Error(err)
	}
}

// Each repeats something large with few bytes.
func TestRepeatedParts(t *testing.T) {
	const n = 2000
	list := "](" + strings.Repeat("K\x01", n) + "e\x94"
	dict := "}("
	for i := range n {
		dict += "M" + string([]byte{byte(i), byte(i >> 8)}) + "N"
	}
	dict += "u\x94"
	text := "X" + u32(40000) + strings.Repeat("1", 40000) + "\x94"
	raw := "B" + u32(40000) + strings.Repeat("1", 40000) + "\x94"
	repeat := func(first, again string) []byte {
		return []byte(first + "0](" + strings.Repeat(again, n) + "e.")
	}
	for name, data := range map[string][]byte{
		"list":      repeat(list, "cbuiltins\nlist\nh\x00\x85R"),
		"deque":     repeat(list, "ccollections\ndeque\nh\x00\x85R"),
		"counter":   repeat(dict, "ccollections\nCounter\nh\x00\x85R"),
		"newobj":    repeat("("+list+"t\x94", "ccopyreg\n__newobj__\nh\x01R"),
		"object":    repeat(dict, "cm\nC\n)\x81h\x00b"),
		"base":      repeat(list, "ccopyreg\n_reconstructor\ncm\nC\ncbuiltins\nlist\nh\x00\x87R"),
		"kwargs":    repeat(dict, "cm\nC\n)h\x00\x92"),
		"exception": repeat(dict, "cbuiltins\nKeyError\n)Rh\x00b"),
		"bytes":     repeat(text, "c_codecs\nencode\nh\x00\x8c\x06latin1\x86R"),
		"array":     repeat(raw, "carray\n_array_reconstructor\n(carray\narray\n\x8c\x01BK\x00h\x00tR"),
		"fraction":  repeat(text, "cfractions\nFraction\nh\x00\x85R"),
		"path":      repeat(text, "cpathlib\nPath\nh\x00h\x00\x86R"),
		"zone":      repeat("N\x94", "czoneinfo\nZoneInfo\n\x8c\x0dEurope/Berlin\x85R"),
		"name":      repeat("cm\nC\n\x94", strings.Repeat("cbuiltins\ngetattr\nh\x00\x8c\x08abcdefgh\x86R\x94", 1)),
	} {
		for _, v := range []any{new(any), new([][]int), new([]map[string]any), new([]node), new([]error), new([]struct{ A []int }), new([]*pickle.Exception)} {
			start := time.Now()
			err := bounded(t, data, v)
			if d := time.Since(start); d > time.Minute {
				t.Errorf("%s into %T took %v: %v", name, v, d, err)
			}
		}
	}
}

func TestIntsOfAMillionDigits(t *testing.T) {
	x := new(big.Int).Lsh(big.NewInt(1), 3321928)
	x.Sub(x, big.NewInt(1)).Neg(x)
	var v any
	if err := bounded(t, marshal(t, x), &v); err != nil || x.Cmp(v.(*big.Int)) != 0 {
		t.Error(err)
	}
	digits := strings.Repeat("9", 1_000_000)
	start := time.Now()
	err := bounded(t, []byte("L-"+digits+"L\n."), &v)
	if err != nil || v.(*big.Int).BitLen() != 3321929 || time.Since(start) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if err := bounded(t, []byte("L9"+digits+"L\n."), &v); err == nil {
		t.Error("a number of 1000001 digits was read from text")
	}
	short := "-" + strings.Repeat("1234567890", 250) + "7"
	if err := bounded(t, []byte("I"+short+"\n."), &v); err != nil || v.(*big.Int).String() != short {
		t.Errorf("%v, %v", v, err)
	}
}

func TestArraysThatLie(t *testing.T) {
	for _, c := range []struct {
		shape, dtype, data string
	}{
		{"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", "f8", "x"}, {"K\x02\x85", "f8", "12345678"}, {"K\x01\x85", "S0", ""},
		{"J\xff\xff\xff\xff\x85", "f8", ""}, {"K\x01\x85", "f3", "123"}, {"K\x01\x85", "U999999999", ""}, {"K\x01\x85", "", ""},
	} {
		data := "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR(K\x01" + c.shape +
			"cnumpy\ndtype\n\x8c" + string(rune(len(c.dtype))) + c.dtype + "\x85R\x89C" + string(rune(len(c.data))) + c.data + "tb."
		var v any
		err := bounded(t, []byte(data), &v)
		if _, inert := v.(*pickle.Object); err == nil && !inert {
			t.Errorf("%v: %#v", c, v)
		}
	}
}

func TestLegacyText(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]any{
		"S'a\\'\\n\\x41\\101\\\\'\np0\n.": "a'\nAA\\", "S\"a\\q\"\n.": "a\\q", "U\x02\xff\x00.": []byte{0xff, 0}, "T" + u32(1) + "x.": "x",
		"V\\u20ac\\U0001f600\xe9\\d800\n.": "\u20ac\U0001f600\u00e9\\d800", "V\\ud800\n.": "\xed\xa0\x80", "I01\n.": true, "I00\n.": false, "I-5\n.": int64(-5),
		"F1.5\n.": 1.5, "L5L\n.": int64(5), "(lp0\nI1\na.": []any{int64(1)}, "(dp0\nS'a'\nI1\ns.": map[any]any{"a": int64(1)}, "(I1\nI2\ntp1\n0g1\n.": pickle.Tuple{int64(1), int64(2)},
		"(S'x'\nicm\nC\n.": nil, "(S'x'\nim\nC\n.": &pickle.Object{Module: "m", Name: "C", Args: pickle.Tuple{"x"}},
		"(cm\nC\nK\x01o.": &pickle.Object{Module: "m", Name: "C", Args: pickle.Tuple{int64(1)}}, "c__builtin__\nxrange\n(I0\nI9\nI3\ntR.": pickle.Range{0, 9, 3},
		"cexceptions\nKeyError\n(S'k'\ntR.": &pickle.Exception{Class: "KeyError", Args: pickle.Tuple{"k"}}, "cdatetime\ndate\nU\x04\x07\xe8\x02\x1d\x85R.": pickle.Date{2024, 2, 29},
	} {
		if want == nil {
			continue
		}
		var v any
		if err := pickle.Unmarshal([]byte(data), &v); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%q: %#v, %v", data, v, err)
		}
	}
}
