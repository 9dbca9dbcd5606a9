package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// StatusError is an error with fields.
type StatusError struct {
	Code int
	URL  string
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s: status %d", e.URL, e.Code) }

func init() { mp.RegisterErrorType[*StatusError]("StatusError") }

var visit = mp.Register("visit", func(ctx context.Context, url string) (mp.None, error) {
	return mp.None{}, fmt.Errorf("visiting: %w", &StatusError{Code: 404, URL: url})
})

// An error type that is registered is found by errors.As across processes.
func ExampleRegisterErrorType() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	_, err = mp.Apply(ctx, pool, visit, "example.com")
	fmt.Println(err)
	var status *StatusError
	if errors.As(err, &status) {
		fmt.Println(status.Code, status.URL)
	}
	// Output:
	// mp: task visit[0]: visiting: example.com: status 404
	// 404 example.com
}
