package codec_test

import (
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
)

type lateCodec struct{ n, process int }

var registerLateCodec = sync.OnceFunc(func() {
	codec.RegisterCustom("late", reflect.TypeFor[lateCodec](), func(v reflect.Value) ([]byte, error) {
		return strconv.AppendInt(nil, v.Field(0).Int(), 10), nil
	}, func(p []byte) (reflect.Value, error) {
		n, err := strconv.Atoi(string(p))
		return reflect.ValueOf(lateCodec{n: n}), err
	})
})

// A codec may be registered after For, because package variables call For before init functions
// run. This test must not run beside others, because they would encode meanwhile.
func TestACodecRegisteredAfterForIsUsed(t *testing.T) {
	c := codec.For[[]lateCodec]()
	registerLateCodec()
	var b codec.Buffer
	in := []lateCodec{{n: 7, process: 1}}
	if err := c.Encode(&b, "in", &in); err != nil {
		t.Fatal(err)
	}
	var out []lateCodec
	if err := c.Decode(codec.NewReader(b.Bytes()), &out); err != nil || len(out) != 1 || out[0] != (lateCodec{n: 7}) {
		t.Error(out, err)
	}
}
