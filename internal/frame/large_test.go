package frame_test

import (
	"io"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/frame"
)

// Messages of more than 2 GiB and of more than 3 GiB go through a pipe. The test takes about 7 GiB
// of memory, so it runs only with MP_LONG=1.
func TestThreeGiBArrive(t *testing.T) {
	if os.Getenv("MP_LONG") == "" {
		t.Skip("MP_LONG is not set")
	}
	words := make([]uint64, 3<<27+1)
	for i := range words {
		words[i] = uint64(i) * 0x9e3779b97f4a7c15
	}
	reading, writing := io.Pipe()
	go func() {
		var b codec.Buffer
		if err := codec.Encode(&b, "in", &words); err != nil {
			t.Error(err)
		}
		writing.CloseWithError(frame.Write(writing, 9, &b))
	}()
	kind, payload, err := frame.NewReader(reading).Next(4 << 30)
	if err != nil || kind != 9 {
		t.Fatalf("kind %d, %v", kind, err)
	}
	r := codec.NewReader(payload)
	r.Alias = true
	var got []uint64
	if err := codec.Decode(r, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(words) {
		t.Fatalf("%d of %d words arrived", len(got), len(words))
	}
	for i := range got {
		if got[i] != words[i] {
			t.Fatalf("word %d is wrong", i)
		}
	}
}
