package mp

import "github.com/gomultiprocessing/mp/internal/codec"

// EncodeError and DecodeError are an error as bytes.
func EncodeError(err error) []byte {
	b := codec.Buffer{Copy: true}
	encodeError(&b, err)
	return b.Bytes()
}

func DecodeError(b []byte) error { return decodeError(codec.NewReader(b)) }
