package mp_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gomultiprocessing/mp"
)

// FuzzDecodeError: whatever the bytes are, the result is an error that can be asked
// and printed, and whose own encoding means the same.
func FuzzDecodeError(f *testing.F) {
	for _, c := range errwireCases {
		if b := mp.EncodeError(c.make()); len(b) < 1000 {
			f.Add(b)
		}
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{7, 0, 0}, 200)) // PathErrors in PathErrors
	f.Fuzz(func(t *testing.T, b []byte) {
		err := mp.DecodeError(b)
		if err == nil {
			t.Fatal("nil")
		}
		text := err.Error()
		_ = errors.Is(err, io.EOF)
		var target *mp.RemoteError
		_ = errors.As(err, &target)
		if again := mp.DecodeError(mp.EncodeError(err)); again.Error() != text {
			t.Errorf("%q became %q", text, again)
		}
	})
}
