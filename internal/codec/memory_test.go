package codec_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

func TestPutMemoryIsWhatEncodeWrites(t *testing.T) {
	t.Parallel()
	v := small{A: 1, B: 2.5, C: true, D: [4]int16{3, 4, 5, 6}}
	size, _ := codec.MemorySize[small]()
	got := make([]byte, size)
	codec.For[small]().PutMemory(got, &v)
	if !bytes.Equal(got, encoded(t, v)) {
		t.Errorf("PutMemory wrote %x", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("PutMemory of a string does not panic")
		}
	}()
	codec.For[string]().PutMemory(got, new(string))
}

func TestDecodeIntoReadsValuesWrittenOneByOne(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	texts, flags := []string{"a", "", "c"}, make([]bool, 40_000)
	for i := range flags {
		flags[i] = i%3 == 0
		if err := codec.Encode(&b, "in", &flags[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range texts {
		if err := codec.Encode(&b, "in", &texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	message := bytes.ReplaceAll(b.Bytes()[:b.Len()-5], []byte{1}, []byte{0xfe}) // hostile bools
	message = append(message, b.Bytes()[b.Len()-5:]...)
	r := codec.NewReader(message)
	gotFlags, gotTexts := make([]bool, len(flags)), make([]string, len(texts))
	if err := codec.For[bool]().DecodeInto(r, gotFlags); err != nil {
		t.Fatal(err)
	}
	if err := codec.For[string]().DecodeInto(r, gotTexts); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotFlags, flags) || !reflect.DeepEqual(gotTexts, texts) || r.Done() != nil {
		t.Errorf("arrived %q, %v", gotTexts, r.Done())
	}
	for _, err := range []error{codec.For[bool]().DecodeInto(r, gotFlags), codec.For[string]().DecodeInto(r, gotTexts)} {
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("beyond the end: %v", err)
		}
	}
}
