package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gomultiprocessing/mp"
)

var (
	errSoldOut = errors.New("sold out")
	errNoShop  = errors.New("no such shop")
)

func init() { mp.RegisterErrors(errSoldOut, errNoShop) }

var buy = mp.Register("buy", func(_ context.Context, what string) (mp.None, error) {
	return mp.None{}, fmt.Errorf("buying %s: %w", what, errSoldOut)
})

// The errors of a package are found in what comes from another process.
func ExampleRegisterErrors() {
	_, err := mp.Call(context.Background(), buy, "bread", mp.ProcessConfig{Stderr: io.Discard})
	fmt.Println(errors.Is(err, errSoldOut), errors.Is(err, errNoShop))
	// Output: true false
}
