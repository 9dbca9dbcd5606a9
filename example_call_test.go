package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gomultiprocessing/mp"
)

// decode stands for a library that crashes on some inputs.
var decode = mp.Register("decode", func(ctx context.Context, image string) (int, error) {
	if image == "evil.png" {
		var pixels *[100]byte
		go func() { pixels[0] = 1 }() // no recover can stop this
		<-ctx.Done()
	}
	return len(image), nil
})

// Call runs one function in a fresh process and returns its output. Whatever the
// function does, this process lives.
func ExampleCall() {
	ctx := context.Background()
	fmt.Println(mp.Call(ctx, decode, "good.png"))

	_, err := mp.Call(ctx, decode, "evil.png", mp.ProcessConfig{Stderr: io.Discard})
	var exit *mp.ExitError
	if errors.As(err, &exit) {
		fmt.Println(exit.Code, exit.Reason)
	}
	// Output:
	// 8 <nil>
	// 2 panic: runtime error: invalid memory address or nil pointer dereference
}
