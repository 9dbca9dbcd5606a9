package pickle

import (
	"encoding/hex"
	"math/big"
	"math/bits"
	"strings"
)

// UUID is a uuid.UUID.
type UUID [16]byte

// String returns the UUID in its usual form.
func (u UUID) String() string {
	s := hex.EncodeToString(u[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// Decimal is a decimal.Decimal as Python prints it: "1.50", "-3E+7", "NaN". A Python
// fractions.Fraction is a *big.Rat.
type Decimal string

// Path is a path of pathlib with slashes. Python gets a pathlib.Path of its own system.
type Path string

// WindowsPath is a path of pathlib with a drive or backslashes. Python gets a
// pathlib.PureWindowsPath.
type WindowsPath string

func buildDecimal(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 1 {
			return nil, false, nil
		}
		s, ok := args[0].(string)
		return Decimal(s), ok && validDecimal(s), nil
	})
}

// validDecimal reports whether s is what str(Decimal) gives.
func validDecimal(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	for _, name := range []string{"Infinity", "Inf"} {
		if s == name {
			return true
		}
	}
	if payload, ok := strings.CutPrefix(strings.TrimPrefix(s, "s"), "NaN"); ok {
		return strings.Trim(payload, "0123456789") == ""
	}
	number, exponent, hasExponent := strings.Cut(s, "E")
	if hasExponent {
		exponent = strings.TrimLeft(exponent, "+-")
		if exponent == "" || strings.Trim(exponent, "0123456789") != "" {
			return false
		}
	}
	number = strings.Replace(number, ".", "", 1)
	return number != "" && strings.Trim(number, "0123456789") == ""
}

// maxFractionBits limits the numbers of a fraction: to reduce it takes the square of their
// length.
const maxFractionBits = 1 << 16

// buildFraction reads Fraction("1/3"), and from Python 3.11 on Fraction(1, 3).
func buildFraction(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		var num, den *big.Int
		switch len(args) {
		case 1:
			s, ok := args[0].(string)
			if !ok || len(s) > maxFractionBits/2 {
				return nil, false, nil
			}
			if err := d.charge(16 * len(s)); err != nil {
				return nil, false, err
			}
			above, below, cut := strings.Cut(s, "/")
			if !cut {
				below = "1"
			}
			var ok1, ok2 bool
			num, ok1 = decimalInt(above)
			den, ok2 = decimalInt(below)
			if !ok1 || !ok2 {
				return nil, false, nil
			}
		case 2:
			num, den = bigOf(args[0]), bigOf(args[1])
		}
		if num == nil || den == nil || den.Sign() == 0 || max(num.BitLen(), den.BitLen()) > maxFractionBits {
			return nil, false, nil
		}
		words := (num.BitLen() + den.BitLen()) / bits.UintSize
		if err := d.charge(words * words); err != nil {
			return nil, false, err
		}
		return new(big.Rat).SetFrac(num, den), true, nil
	})
}

func bigOf(x any) *big.Int {
	switch x := x.(type) {
	case int64:
		return big.NewInt(x)
	case *big.Int:
		return x
	}
	return nil
}

// buildUUID reads UUID(hex), and UUID by __new__ with {"int": 128 bits} as its state.
func buildUUID(d *decoder, n *node) (any, bool, error) {
	c := n.object
	if len(c.args.items) == 1 && c.state == nil {
		s, _ := c.args.items[0].(string)
		if len(s) > 64 {
			return nil, false, nil
		}
		b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
		if err != nil || len(b) != 16 {
			return nil, false, nil
		}
		return UUID(b), true, nil
	}
	state, _ := c.state.(*node)
	if len(c.args.items) > 0 || state == nil || state.kind != dictNode || len(state.items) > 8 {
		return nil, false, nil
	}
	for i := 0; i < len(state.items); i += 2 {
		if state.items[i] != "int" {
			continue
		}
		x := bigOf(state.items[i+1])
		if x == nil || x.Sign() < 0 || x.BitLen() > 128 {
			return nil, false, nil
		}
		var u UUID
		x.FillBytes(u[:])
		return u, true, nil
	}
	return nil, false, nil
}

// pathParts are a path's strings: its parts, or since Python 3.13 all of it.
func (d *decoder) pathParts(n *node) ([]string, bool, error) {
	args, ok, err := d.naturalArgs(n)
	if !ok || err != nil {
		return nil, false, err
	}
	parts := make([]string, len(args))
	size := 0
	for i, arg := range args {
		if parts[i], ok = arg.(string); !ok {
			return nil, false, nil
		}
		size += len(parts[i])
	}
	return parts, true, d.charge(size)
}

func buildPath(d *decoder, n *node) (any, bool, error) {
	parts, ok, err := d.pathParts(n)
	switch {
	case !ok || err != nil:
		return nil, false, err
	case len(parts) == 0:
		return Path("."), true, nil
	case len(parts) > 1 && strings.HasSuffix(parts[0], "/"): // the root
		return Path(parts[0] + strings.Join(parts[1:], "/")), true, nil
	}
	return Path(strings.Join(parts, "/")), true, nil
}

func buildWindowsPath(d *decoder, n *node) (any, bool, error) {
	parts, ok, err := d.pathParts(n)
	switch {
	case !ok || err != nil:
		return nil, false, err
	case len(parts) == 0:
		return WindowsPath("."), true, nil
	case len(parts) > 1 && (strings.HasSuffix(parts[0], `\`) || strings.HasSuffix(parts[0], ":")):
		return WindowsPath(parts[0] + strings.Join(parts[1:], `\`)), true, nil
	}
	return WindowsPath(strings.Join(parts, `\`)), true, nil
}
