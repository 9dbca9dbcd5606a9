package pickle

import (
	"math"
	"math/big"
	"strings"
)

// builder makes the value of an object of a known class. It answers false for arguments
// that it does not know: the object stays inert.
type builder func(d *decoder, n *node) (v any, ok bool, err error)

// builders is the closed table of what a pickle may make, beside registered classes and
// exceptions.
var builders map[Global]builder

func init() { // as a variable's value it would refer to itself
	builders = map[Global]builder{
		{"builtins", "list"}:      sequence(func(s []any) any { return s }),
		{"builtins", "tuple"}:     sequence(func(s []any) any { return Tuple(s) }),
		{"builtins", "set"}:       sequence(func(s []any) any { return Set(s) }),
		{"builtins", "frozenset"}: sequence(func(s []any) any { return FrozenSet(s) }),
		{"builtins", "dict"}:      buildDict,
		{"builtins", "bytes"}:     buildBytes,
		{"builtins", "bytearray"}: buildByteArray,
		{"_codecs", "encode"}:     buildEncoded,
		{"builtins", "complex"}:   buildComplex,
		{"builtins", "range"}:     buildRange,
		{"builtins", "slice"}:     buildSlice,

		{"collections", "OrderedDict"}: ordered(func(items []Item) any { return OrderedDict(items) }),
		{"collections", "Counter"}:     ordered(func(items []Item) any { return Counter(items) }),
		{"collections", "defaultdict"}: buildDefaultDict,
		{"collections", "deque"}:       buildDeque,

		{"datetime", "date"}:                  buildDate,
		{"datetime", "time"}:                  buildTimeOfDay,
		{"datetime", "datetime"}:              buildDateTime,
		{"datetime", "timedelta"}:             buildDuration,
		{"datetime", "timezone"}:              buildTimezone,
		{"zoneinfo", "ZoneInfo._unpickle"}:    buildZoneInfo,
		{"zoneinfo", "ZoneInfo"}:              buildZoneInfo,
		{"decimal", "Decimal"}:                buildDecimal,
		{"fractions", "Fraction"}:             buildFraction,
		{"uuid", "UUID"}:                      buildUUID,
		{"array", "_array_reconstructor"}:     buildArray,
		{"array", "array"}:                    buildOldArray,
		{"numpy", "dtype"}:                    buildInert,
		{"numpy.core.numeric", "_frombuffer"}: buildFromBuffer,

		{"multiprocessing.pool", "rebuild_exc"}:        buildRemote,
		{"concurrent.futures.process", "_rebuild_exc"}: buildRemote,
	}
	for _, core := range []string{"numpy.core", "numpy._core"} {
		builders[Global{core + ".multiarray", "_reconstruct"}] = buildNDArray
		builders[Global{core + ".multiarray", "scalar"}] = buildScalar
		builders[Global{core + ".numeric", "_frombuffer"}] = buildFromBuffer
	}
	for _, module := range []string{"pathlib", "pathlib._local"} {
		for _, name := range []string{"Path", "PurePath", "PosixPath", "PurePosixPath"} {
			builders[Global{module, name}] = buildPath
		}
		for _, name := range []string{"WindowsPath", "PureWindowsPath"} {
			builders[Global{module, name}] = buildWindowsPath
		}
	}
}

func buildInert(*decoder, *node) (any, bool, error) { return nil, false, nil }

// naturalArgs are the arguments, if the object has them alone.
func (d *decoder) naturalArgs(n *node) (Tuple, bool, error) {
	c := n.object
	if c.state != nil || c.kwargs != nil || c.items != nil || c.pairs != nil || c.new {
		return nil, false, nil
	}
	v, err := d.natural(c.args)
	if err != nil {
		return nil, false, within(err, ".Args")
	}
	return v.(Tuple), true, nil
}

// simple is a builder of the arguments alone.
func (d *decoder) simple(n *node, make func(args Tuple) (any, bool, error)) (any, bool, error) {
	args, ok, err := d.naturalArgs(n)
	if !ok || err != nil {
		return nil, false, err
	}
	return make(args)
}

func sequence(make func([]any) any) builder {
	return func(d *decoder, n *node) (any, bool, error) {
		return d.simple(n, func(args Tuple) (any, bool, error) {
			if len(args) == 0 {
				return make([]any{}), true, nil
			}
			items, ok := naturalElements(args[0])
			return make(items), ok && len(args) == 1, nil
		})
	}
}

func buildDict(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) == 0 {
			return map[any]any{}, true, nil
		}
		switch args[0].(type) {
		case map[any]any, Dict:
			return args[0], len(args) == 1, nil
		}
		return nil, false, nil
	})
}

func ordered(make func([]Item) any) builder {
	return func(d *decoder, n *node) (any, bool, error) {
		if c := n.object; c.state != nil || c.items != nil || len(c.args.items) > 1 {
			return nil, false, nil
		}
		pairs, ok, err := d.pairs(n)
		if !ok || err != nil {
			return nil, false, err
		}
		items, err := d.items(pairs)
		return make(items), true, err
	}
}

func buildDefaultDict(d *decoder, n *node) (any, bool, error) {
	c := n.object
	if c.state != nil || c.items != nil || len(c.args.items) > 1 {
		return nil, false, nil
	}
	v := &DefaultDict{}
	n.value = v // a cycle finds it
	var err error
	if v.Factory, err = d.natural(argAt(c.args.items, 0)); err != nil {
		return nil, false, within(err, ".Factory")
	}
	v.Items, err = d.items(c.pairs)
	return v, true, err
}

func buildDeque(d *decoder, n *node) (any, bool, error) {
	c := n.object
	items := c.items
	if first := argAt(c.args.items, 0); len(items) == 0 && first != nil {
		var err error
		if items, _, err = d.elements(first); err != nil {
			return nil, false, err
		}
	}
	limit, bounded := argAt(c.args.items, 1).(int64)
	if c.state != nil || c.pairs != nil || len(c.args.items) > 2 || len(c.args.items) == 2 && !bounded ||
		limit < 0 || limit > math.MaxInt32 {
		return nil, false, nil
	}
	v := &Deque{}
	n.value = v // a cycle finds it
	if bounded {
		v.MaxLen = new(int(limit))
	}
	var err error
	v.Items, err = d.naturals(items, true)
	return v, true, err
}

func asBytes(x any) ([]byte, bool) {
	switch x := x.(type) {
	case []byte:
		return x, true
	case ByteArray:
		return x, true
	}
	return nil, false
}

func buildBytes(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) == 0 {
			return []byte{}, true, nil
		}
		b, ok := asBytes(args[0])
		return b, ok && len(args) == 1, nil
	})
}

func buildByteArray(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) == 0 {
			return ByteArray{}, true, nil
		}
		if s, ok := args[0].(string); ok && len(args) == 2 {
			b, ok, err := d.latin1(s, args[1])
			return ByteArray(b), ok, err
		}
		b, ok := asBytes(args[0])
		return ByteArray(b), ok && len(args) == 1, nil
	})
}

// buildEncoded makes the bytes that protocols 0 to 2 write as a str in Latin-1.
func buildEncoded(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 2 {
			return nil, false, nil
		}
		s, ok := args[0].(string)
		if !ok {
			return nil, false, nil
		}
		b, ok, err := d.latin1(s, args[1])
		return b, ok, err
	})
}

func (d *decoder) latin1(s string, encoding any) ([]byte, bool, error) {
	if encoding != "latin1" && encoding != "latin-1" {
		return nil, false, nil
	}
	if err := d.charge(len(s)); err != nil {
		return nil, false, err
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, false, nil
		}
		b = append(b, byte(r))
	}
	return b, true, nil
}

func buildComplex(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 2 {
			return nil, false, nil
		}
		re, ok1 := args[0].(float64)
		im, ok2 := args[1].(float64)
		return complex(re, im), ok1 && ok2, nil
	})
}

func buildRange(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 3 {
			return nil, false, nil
		}
		start, ok1 := args[0].(int64)
		stop, ok2 := args[1].(int64)
		step, ok3 := args[2].(int64)
		return Range{start, stop, step}, ok1 && ok2 && ok3 && step != 0, nil
	})
}

func buildSlice(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 3 {
			return nil, false, nil
		}
		for _, arg := range args {
			switch arg.(type) {
			case nil, int64, *big.Int:
			default:
				return nil, false, nil
			}
		}
		return Slice{args[0], args[1], args[2]}, true, nil
	})
}

// buildRemote makes the exception of another process, which has its traceback as a text.
func buildRemote(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 2 {
			return nil, false, nil
		}
		e, ok := args[0].(*Exception)
		if o, isObject := args[0].(*Object); isObject && !o.New {
			var err error
			if e, err = d.exceptionOf(o); err != nil {
				return nil, false, err
			}
			ok = true
		}
		traceback, isText := args[1].(string)
		if !ok || !isText {
			return nil, false, nil
		}
		remote := *e
		remote.Cause = nil // in Python the traceback takes its place
		remote.Traceback = strings.Trim(traceback, "\n\"")
		return &remote, true, nil
	})
}
