package mp

import "github.com/gomultiprocessing/mp/internal/wire"

// EncodeError and DecodeError are an error as bytes.
func EncodeError(err error) []byte {
	b := wire.Buffer{Copy: true}
	encodeError(&b, err)
	return b.Bytes()
}

func DecodeError(b []byte) error { return decodeError(wire.NewReader(b)) }
