package pickle_test

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/pickle"
)

func bigInt(s string) *big.Int {
	x, ok := new(big.Int).SetString(s, 0)
	if !ok {
		panic(s)
	}
	return x
}

func berlin() *time.Location {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil
	}
	return loc
}

// value is a Python value, what it is in Go, and since which Python 3 it exists.
type value struct {
	expr  string
	want  any
	since int
}

func values() []value {
	long := strings.Repeat("long ", 20000)
	list := make([]any, 3000)
	for i := range list {
		list[i] = int64(i)
	}
	return []value{
		{"None", nil, 0}, {"True", true, 0}, {"False", false, 0},
		{"0", int64(0), 0}, {"255", int64(255), 0}, {"256", int64(256), 0}, {"65535", int64(65535), 0}, {"65536", int64(65536), 0},
		{"-1", int64(-1), 0}, {"-129", int64(-129), 0}, {"2**31-1", int64(1<<31 - 1), 0}, {"2**31", int64(1 << 31), 0},
		{"-2**31", int64(-1 << 31), 0}, {"-2**31-1", int64(-1<<31 - 1), 0}, {"2**63-1", int64(math.MaxInt64), 0},
		{"-2**63", int64(math.MinInt64), 0}, {"2**63", bigInt("0x8000000000000000"), 0}, {"-2**63-1", bigInt("-0x8000000000000001"), 0},
		{"2**64-1", bigInt("0xffffffffffffffff"), 0}, {"2**4000", new(big.Int).Lsh(big.NewInt(1), 4000), 0},
		{"-2**4000", new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 4000)), 0},
		{"-2**2039", new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 2039)), 0},
		{"1.5", 1.5, 0}, {"-0.0", math.Copysign(0, -1), 0}, {"1e308*10", math.Inf(1), 0}, {"float('-inf')", math.Inf(-1), 0},
		{"5e-324", 5e-324, 0}, {"1+2j", 1 + 2i, 0},
		{"''", "", 0}, {"'x'", "x", 0}, {"'h\\u00e9\\u20ac\\U0001f600\\n\\\\ \\0'", "h\u00e9\u20ac\U0001f600\n\\ \x00", 0},
		{"'\\ud800x'", "\xed\xa0\x80x", 0}, {"'long '*20000", long, 0},
		{"b''", []byte{}, 0}, {"b'a\\xff\\0'", []byte("a\xff\x00"), 0}, {"b'x'*300", []byte(strings.Repeat("x", 300)), 0},
		{"bytearray(b'a\\xff')", pickle.ByteArray("a\xff"), 0}, {"bytearray()", pickle.ByteArray{}, 0},
		{"[]", []any{}, 0}, {"[1, 'a', [None]]", []any{int64(1), "a", []any{nil}}, 0}, {"list(range(3000))", list, 0},
		{"()", pickle.Tuple{}, 0}, {"(1,)", pickle.Tuple{int64(1)}, 0}, {"(1, 2, 3, 4)", pickle.Tuple{int64(1), int64(2), int64(3), int64(4)}, 0},
		{"{}", map[any]any{}, 0}, {"{'a': 1, 2: None, None: True}", map[any]any{"a": int64(1), int64(2): nil, nil: true}, 0},
		{"{(1, 2): 3}", pickle.Dict{{pickle.Tuple{int64(1), int64(2)}, int64(3)}}, 0},
		{"{b'k': 1}", pickle.Dict{{[]byte("k"), int64(1)}}, 0}, {"{2**70: 1}", pickle.Dict{{bigInt("0x400000000000000000"), int64(1)}}, 0},
		{"set()", pickle.Set{}, 0}, {"{7}", pickle.Set{int64(7)}, 0}, {"frozenset()", pickle.FrozenSet{}, 0},
		{"frozenset([7])", pickle.FrozenSet{int64(7)}, 0}, {"range(1, 9, 2)", pickle.Range{1, 9, 2}, 0},
		{"slice(1, None, -1)", pickle.Slice{int64(1), nil, int64(-1)}, 0}, {"...", pickle.Ellipsis{}, 0},
		{"collections.OrderedDict([('b', 1), ('a', 2)])", pickle.OrderedDict{{"b", int64(1)}, {"a", int64(2)}}, 0},
		{"collections.OrderedDict()", pickle.OrderedDict{}, 0},
		{"collections.Counter('aa')", pickle.Counter{{"a", int64(2)}}, 0},
		{"collections.defaultdict(list, a=[1])", &pickle.DefaultDict{Factory: pickle.Global{Module: "builtins", Name: "list"}, Items: pickle.Dict{{"a", []any{int64(1)}}}}, 0},
		{"collections.defaultdict(None, {1: 2})", &pickle.DefaultDict{Items: pickle.Dict{{int64(1), int64(2)}}}, 0},
		{"collections.deque([1, 2], 5)", &pickle.Deque{Items: []any{int64(1), int64(2)}, MaxLen: new(5)}, 0},
		{"collections.deque([1])", &pickle.Deque{Items: []any{int64(1)}}, 0}, {"collections.deque([], 0)", &pickle.Deque{Items: []any{}, MaxLen: new(0)}, 0},
		{"datetime.date(2024, 2, 29)", pickle.Date{2024, 2, 29}, 0}, {"datetime.date(1, 1, 1)", pickle.Date{1, 1, 1}, 0},
		{"datetime.time(23, 59, 58, 999999)", pickle.TimeOfDay{Hour: 23, Minute: 59, Second: 58, Microsecond: 999999}, 0},
		{"datetime.time(1, 2, tzinfo=datetime.timezone.utc)", pickle.TimeOfDay{Hour: 1, Minute: 2, Zone: time.UTC}, 0},
		{"datetime.datetime(9999, 12, 31, 23, 59, 59, 1)", pickle.DateTime{9999, 12, 31, 23, 59, 59, 1, false}, 0},
		{"datetime.datetime(2024, 1, 2, 3, 4, 5, 6, datetime.timezone.utc)", time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC), 0},
		{"datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))", time.Date(2024, 1, 2, 3, 0, 0, 0, time.FixedZone("UTC-05:00", -5*3600)), 0},
		{"datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(minutes=90), 'X'))", time.Date(2024, 1, 2, 3, 0, 0, 0, time.FixedZone("X", 90*60)), 0},
		{"datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))", time.Date(2024, 7, 1, 10, 0, 0, 0, time.UTC).In(berlin()), 9},
		{"datetime.datetime(2024, 10, 27, 2, 30, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))", time.Date(2024, 10, 27, 0, 30, 0, 0, time.UTC).In(berlin()), 9},
		{"datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))", time.Date(2024, 10, 27, 1, 30, 0, 0, time.UTC).In(berlin()), 9},
		{"datetime.timedelta(-1, 5, 6)", -24*time.Hour + 5*time.Second + 6*time.Microsecond, 0}, {"datetime.timedelta()", time.Duration(0), 0},
		{"datetime.timedelta(100000)", 100000 * 24 * time.Hour, 0}, {"datetime.timezone.utc", time.UTC, 0},
		{"decimal.Decimal('1.50')", pickle.Decimal("1.50"), 0}, {"decimal.Decimal('-3E+7')", pickle.Decimal("-3E+7"), 0},
		{"fractions.Fraction(-1, 3)", big.NewRat(-1, 3), 0}, {"fractions.Fraction(5)", big.NewRat(5, 1), 0},
		{"uuid.UUID('12345678-1234-5678-1234-567812345678')", pickle.UUID{0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78}, 0},
		{"pathlib.Path('/a/b')", pickle.Path("/a/b"), 0}, {"pathlib.Path('a')", pickle.Path("a"), 0}, {"pathlib.Path()", pickle.Path("."), 0}, {"pathlib.Path('/')", pickle.Path("/"), 0},
		{"pathlib.PureWindowsPath('c:\\\\x\\\\y')", pickle.WindowsPath(`c:\x\y`), 0},
		{"array.array('d', [1.5, -2])", &pickle.Array{Data: []float64{1.5, -2}}, 0}, {"array.array('b', [-1])", &pickle.Array{Data: []int8{-1}}, 0},
		{"array.array('H', [65535])", &pickle.Array{Data: []uint16{65535}}, 0}, {"array.array('Q', [2**64-1])", &pickle.Array{Data: []uint64{math.MaxUint64}}, 0},
		{"array.array('f', [0.5])", &pickle.Array{Data: []float32{0.5}}, 0}, {"array.array('u', 'h\\u00e9')", &pickle.Array{Data: "h\u00e9"}, 0},
		{"int", pickle.Global{Module: "builtins", Name: "int"}, 0}, {"os.path.join", pickle.Global{Module: "posixpath", Name: "join"}, 0},
	}
}

func TestValuesBothWays(t *testing.T) {
	eachPython(t, func(t *testing.T, p *peer) {
		for _, v := range values() {
			if !p.since(v.since) {
				continue
			}
			for _, protocol := range p.protocols() {
				if strings.Contains(v.expr, "fold=1") && protocol < 4 {
					continue // Python leaves the fold out
				}
				var got any
				if err := pickle.Unmarshal(p.dumps(v.expr, protocol), &got); err != nil {
					t.Errorf("%s, protocol %d: %v", v.expr, protocol, err)
				} else if !same(v.want, got) {
					t.Errorf("%s, protocol %d: %T %v, want %T %v", v.expr, protocol, got, got, v.want, v.want)
				}
			}
			b, err := pickle.Marshal(v.want)
			if err != nil {
				t.Errorf("%s: %v", v.expr, err)
				continue
			}
			p.equal(v.expr, b)
		}
	})
}

func TestValuesReadAsWritten(t *testing.T) {
	t.Parallel()
	for _, v := range values() {
		b, err := pickle.Marshal(v.want)
		if err != nil {
			t.Errorf("%s: %v", v.expr, err)
			continue
		}
		var got any
		if err := pickle.Unmarshal(b, &got); err != nil || !same(v.want, got) {
			t.Errorf("%s: %T %v, %v; want %T %v", v.expr, got, got, err, v.want, v.want)
		}
		if v.want == nil {
			continue
		}
		typed := reflect.New(reflect.TypeOf(v.want))
		if err := pickle.Unmarshal(b, typed.Interface()); err != nil || !same(v.want, typed.Elem().Interface()) {
			t.Errorf("%s into %T: %v, %v", v.expr, v.want, typed.Elem(), err)
		}
	}
}

// same compares deeply; times are the same if they are the same instant in a zone of the
// same name.
func same(a, b any) bool {
	switch x := a.(type) {
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y) && fmt.Sprint(x) == fmt.Sprint(y)
	case *big.Rat:
		y, ok := b.(*big.Rat)
		return ok && x.Cmp(y) == 0
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}
