package pickle

// machineFormats are the element types of array.array by the number that a pickle has.
var machineFormats = []string{"<u1", "<i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4", "<u8", ">u8",
	"<i8", ">i8", "<f4", ">f4", "<f8", ">f8"}

// The formats of characters follow: UTF-16 and UTF-32.
const (
	utf16Format = 18
	utf32Format = 20
)

// buildArray reads _array_reconstructor(array.array, typecode, format, data).
func buildArray(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 4 || args[0] != (Global{"array", "array"}) {
			return nil, false, nil
		}
		format, ok1 := args[2].(int64)
		b, ok2 := asBytes(args[3])
		if !ok1 || !ok2 || format < 0 || format > utf32Format+1 {
			return nil, false, nil
		}
		if err := d.charge(len(b)); err != nil {
			return nil, false, err
		}
		if format >= utf16Format {
			s, ok := characters(b, int(format))
			return &Array{Data: s}, ok, nil
		}
		t, _ := parseDType(machineFormats[format])
		if len(b)%t.size != 0 {
			return nil, false, nil
		}
		return &Array{Data: t.decode(b)}, true, nil
	})
}

// characters decodes an array of characters.
func characters(b []byte, format int) (string, bool) {
	order := dtype{big: format%2 == 1}.order()
	var s []byte
	if format >= utf32Format {
		for ; len(b) >= 4; b = b[4:] {
			r := order.Uint32(b)
			if r > 0x10ffff {
				return "", false
			}
			s = appendCodePoint(s, rune(r))
		}
		return string(s), len(b) == 0
	}
	for ; len(b) >= 2; b = b[2:] {
		r := rune(order.Uint16(b))
		if r>>10 == 0xd800>>10 && len(b) >= 4 {
			if low := rune(order.Uint16(b[2:])); low>>10 == 0xdc00>>10 {
				r = (r-0xd800)<<10 + low - 0xdc00 + 0x10000
				b = b[2:]
			}
		}
		s = appendCodePoint(s, r)
	}
	return string(s), len(b) == 0
}

// buildOldArray reads array.array(typecode, list) of protocols 0 to 2. The widths of "l"
// and "L" differ between systems: they become 64 bits.
func buildOldArray(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		code, ok := argAt(args, 0).(string)
		if !ok || len(args) != 2 {
			return nil, false, nil
		}
		if s, isText := args[1].(string); isText {
			return &Array{Data: s}, code == "u" || code == "w", nil
		}
		items, isList := args[1].([]any)
		if !isList {
			return nil, false, nil
		}
		if err := d.charge(len(items)); err != nil {
			return nil, false, err
		}
		if code == "u" || code == "w" {
			return oldCharacters(items)
		}
		v, ok := oldNumbers(code, items)
		return &Array{Data: v}, ok, nil
	})
}

func oldCharacters(items []any) (any, bool, error) {
	var s []byte
	for _, item := range items {
		c, ok := item.(string)
		if !ok || len(c) > 4 {
			return nil, false, nil
		}
		s = append(s, c...)
	}
	return &Array{Data: string(s)}, true, nil
}

func oldNumbers(code string, items []any) (any, bool) {
	switch code {
	case "b":
		return numbers[int8](items)
	case "B":
		return numbers[uint8](items)
	case "h":
		return numbers[int16](items)
	case "H":
		return numbers[uint16](items)
	case "i":
		return numbers[int32](items)
	case "I":
		return numbers[uint32](items)
	case "l", "q":
		return numbers[int64](items)
	case "L", "Q":
		return numbers[uint64](items)
	case "f":
		return numbers[float32](items)
	case "d":
		return numbers[float64](items)
	}
	return nil, false
}
