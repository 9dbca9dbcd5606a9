package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

var ErrTooYoung = errors.New("too young")

func init() { mp.RegisterError("ErrTooYoung", ErrTooYoung) }

var admit = mp.Register("admit", func(ctx context.Context, age int) (mp.None, error) {
	if age < 0 {
		_, err := os.Open("/no/such/file")
		return mp.None{}, err
	}
	if age < 18 {
		return mp.None{}, fmt.Errorf("age %d: %w", age, ErrTooYoung)
	}
	return mp.None{}, nil
})

// A sentinel that is registered is found by errors.Is across processes; those of
// the standard library need not be.
func ExampleRegisterError() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	_, err = mp.Apply(ctx, pool, admit, 17)
	fmt.Println(err)
	fmt.Println(errors.Is(err, ErrTooYoung))
	_, err = mp.Apply(ctx, pool, admit, -1)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// mp: task admit[0]: age 17: too young
	// true
	// true
}
