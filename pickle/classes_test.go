package pickle_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/pickle"
)

type (
	point struct {
		X int     `pickle:"x"`
		Y float64 `pickle:"y"`
	}
	node struct {
		Name string `pickle:"name"`
		Next *node  `pickle:"next"`
	}
	slotted struct{ X, Y any }
	frozen  struct {
		FirstName string
		Size      int
	}
	pair   struct{ Left, Right any }
	color  int
	level  string
	access uint8
)

const (
	red color = iota + 10 // unlike in Python
	green
)

func init() {
	pickle.Register[point]("shapes", "Point")
	pickle.Register[node]("shapes", "Node")
	pickle.RegisterPositional[slotted]("shapes", "Slotted")
	pickle.RegisterPositional[frozen]("shapes", "Frozen")
	pickle.RegisterPositional[pair]("shapes", "Pair")
	pickle.RegisterEnum("shapes", "Color", map[string]color{"RED": 1, "GREEN": 2})
	pickle.RegisterEnum("shapes", "Level", map[string]level{"LOW": "low", "HIGH": "high"})
	pickle.RegisterEnum("shapes", "Access", map[string]access{"READ": 1, "WRITE": 2})
	pickle.RegisterEnum("elsewhere", "Odd", map[string]odd{"RED": odd(red), "GREEN": odd(green)})
}

type odd int

func classes() []value {
	return []value{
		{"shapes.Node('a', shapes.Node('b'))", &node{"a", &node{"b", nil}}, 0},
		{"shapes.Slotted(1, 'y')", &slotted{int64(1), "y"}, 0},
		{"shapes.Pair(1, [2])", &pair{int64(1), []any{int64(2)}}, 0},
		{"shapes.Point(3, 1.5)", &point{3, 1.5}, 7},
		{"shapes.Frozen('ada', 3)", &frozen{"ada", 3}, 10},
		{"shapes.Color.GREEN", color(2), 0}, {"shapes.Level.HIGH", level("high"), 0},
		{"shapes.Access.READ", access(1), 0}, {"shapes.Access.READ|shapes.Access.WRITE", access(3), 0},
		{"[shapes.Color.RED, {shapes.Color.RED: 1}]", []any{color(1), map[any]any{color(1): int64(1)}}, 0},
	}
}

func TestRegisteredClassesBothWays(t *testing.T) {
	eachPython(t, func(t *testing.T, p *peer) {
		for _, v := range classes() {
			if !p.since(v.since) {
				continue
			}
			for _, protocol := range p.protocols() {
				if strings.Contains(v.expr, "Slotted") && protocol < 2 {
					continue // Python refuses
				}
				data := p.dumps(v.expr, protocol)
				var got any
				if err := pickle.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, v.want) {
					t.Errorf("%s, protocol %d: %#v, %v; want %#v", v.expr, protocol, got, err, v.want)
				}
				typed := reflect.New(reflect.TypeOf(v.want))
				if err := pickle.Unmarshal(data, typed.Interface()); err != nil || !reflect.DeepEqual(typed.Elem().Interface(), v.want) {
					t.Errorf("%s, protocol %d, typed: %#v, %v", v.expr, protocol, typed.Elem(), err)
				}
			}
			b, err := pickle.Marshal(v.want)
			if err != nil {
				t.Errorf("%s: %v", v.expr, err)
				continue
			}
			p.equal(v.expr, b)
		}
		// By name, whatever the values are.
		b, err := pickle.Marshal([]odd{odd(green)})
		if err != nil || !strings.Contains(string(b), "Odd.GREEN") {
			t.Errorf("%q, %v", b, err)
		}
	})
}

func TestUnknownClassesGoBackAsTheyCame(t *testing.T) {
	eachPython(t, func(t *testing.T, p *peer) {
		for _, expr := range []string{"shapes.Strange(3)", "collections.UserDict(a=1)", "datetime.timedelta(999999999)",
			"type(None)", "iter([1, 2])", "range(2**70)", "queue.Queue.put", "[].append", "shapes.Bag([1, 2])", "shapes.Table(a=1)",
			"decimal.Context(prec=5)", "raised(lambda: b''.decode(1))"} {
			for _, protocol := range p.protocols() {
				var got any
				data := p.dumps(expr, protocol)
				if err := pickle.Unmarshal(data, &got); err != nil {
					t.Errorf("%s, protocol %d: %v", expr, protocol, err)
					continue
				}
				b, err := pickle.Marshal(got)
				if err != nil {
					t.Errorf("%s, protocol %d: %v", expr, protocol, err)
					continue
				}
				p.check("repr(v)[:20] == repr("+expr+")[:20]", b)
			}
		}
	})
}

func TestInertObject(t *testing.T) {
	t.Parallel()
	var got any
	if err := pickle.Unmarshal([]byte("cos\nsystem\n(S'echo hello'\ntR."), &got); err != nil {
		t.Fatal(err)
	}
	want := &pickle.Object{Module: "os", Name: "system", Args: pickle.Tuple{"echo hello"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
}

func TestExceptions(t *testing.T) {
	eachPython(t, func(t *testing.T, p *peer) {
		for expr, want := range map[string]*pickle.Exception{
			"KeyError('x')":                        {Class: "KeyError", Args: pickle.Tuple{"x"}},
			"raised(queue.Queue().get_nowait)":     {Class: "queue.Empty", Args: pickle.Tuple{}},
			"queue.Full()":                         {Class: "queue.Full", Args: pickle.Tuple{}},
			"threading.BrokenBarrierError()":       {Class: "threading.BrokenBarrierError", Args: pickle.Tuple{}},
			"FileNotFoundError(2, 'no', 'f')":      {Class: "FileNotFoundError", Args: pickle.Tuple{int64(2), "no", "f"}},
			"UnicodeDecodeError('u', b'x',0,1,'')": {Class: "UnicodeDecodeError", Args: pickle.Tuple{"u", []byte("x"), int64(0), int64(1), ""}},
		} {
			for _, protocol := range p.protocols() {
				if strings.HasPrefix(expr, "FileNotFound") && protocol < 3 {
					continue // Python 2 has only OSError
				}
				var got any
				if err := pickle.Unmarshal(p.dumps(expr, protocol), &got); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s, protocol %d: %#v, %v", expr, protocol, got, err)
				}
			}
			b, err := pickle.Marshal(want)
			if err != nil {
				t.Errorf("%s: %v", expr, err)
				continue
			}
			p.equal(expr, b)
		}
		var err error // a class that nobody registered
		if e := pickle.Unmarshal(p.dumps("shapes.Strange(7)", 4), &err); e != nil {
			t.Fatal(e)
		}
		var x *pickle.Exception
		if !errors.As(err, &x) || x.Class != "shapes.Strange" || x.Args[0] != int64(7) || x.Attrs["code"] != int64(7) {
			t.Errorf("%#v", err)
		}
		remote := p.dumps("__import__('multiprocessing.pool').pool.ExceptionWithTraceback(ValueError('v'), None)", 4)
		if e := pickle.Unmarshal(remote, &err); e != nil || !errors.As(err, &x) || x.Class != "ValueError" || !strings.Contains(x.Traceback, "ValueError: v") {
			t.Errorf("%#v, %v", err, e)
		}
	})
}

func TestPythonGetsCauseNotesAndTraceback(t *testing.T) {
	eachPython(t, func(t *testing.T, p *peer) {
		b, err := pickle.Marshal(&pickle.Exception{Class: "ValueError", Args: pickle.Tuple{"v"}, Notes: []string{"n"}, Cause: io.EOF,
			Attrs: map[string]any{"extra": 1}})
		if err != nil {
			t.Fatal(err)
		}
		p.check("type(v) is ValueError and v.args == ('v',) and v.__notes__ == ['n'] and type(v.__cause__) is EOFError and v.extra == 1", b)
		var back error
		if err := pickle.Unmarshal(b, &back); err != nil || !errors.Is(back, io.EOF) || back.(*pickle.Exception).Notes[0] != "n" {
			t.Errorf("%#v, %v", back, err)
		}
		if b, err = pickle.Marshal(&pickle.Exception{Class: "queue.Full", Traceback: "line 1\nline 2"}); err != nil {
			t.Fatal(err)
		}
		p.check("type(v) is queue.Full and 'line 2' in str(v.__cause__)", b)
		if err := pickle.Unmarshal(b, &back); err != nil || back.(*pickle.Exception).Traceback != "line 1\nline 2" {
			t.Errorf("%#v, %v", back, err)
		}
		if b, err = pickle.Marshal([]error{errors.New("plain")}); err != nil {
			t.Fatal(err)
		}
		p.check("type(v[0]) is RuntimeError and v[0].args == ('plain',)", b)
	})
}

var errGone = errors.New("gone")

func TestErrorsKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	pickle.RegisterError("shapes.Gone", errGone)
	b, err := pickle.Marshal(errors.Join(errGone))
	if err != nil {
		t.Fatal(err)
	}
	var back error
	if err := pickle.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(back, errGone) || back.Error() != "shapes.Gone: gone" {
		t.Errorf("%v", back)
	}
	key := &pickle.Exception{Class: "KeyError", Args: pickle.Tuple{"k"}}
	if !errors.Is(key, &pickle.Exception{Class: "LookupError"}) || errors.Is(key, &pickle.Exception{Class: "ValueError"}) {
		t.Error("a KeyError is a LookupError and no ValueError")
	}
}
