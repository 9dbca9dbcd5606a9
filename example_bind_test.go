package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"

	"github.com/gomultiprocessing/mp"
)

var dictionary map[string]string // each worker has its own

var load = mp.Register("load", func(ctx context.Context, language string) (mp.None, error) {
	if language != "fr" {
		return mp.None{}, errors.New("no dictionary for " + language)
	}
	dictionary = map[string]string{"one": "un", "two": "deux", "three": "trois"}
	return mp.None{}, nil
})

var translate = mp.Register("translate", func(ctx context.Context, word string) (string, error) {
	return dictionary[word], nil
})

// Init is run once in each new worker before its first task.
func ExampleBind() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(load, "fr")})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	words := []string{"one", "two", "three"}
	fmt.Println(mp.Map(ctx, pool, translate, slices.Repeat(words, 2)))

	_, err = mp.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(load, "xx")})
	fmt.Println(err)
	// Output:
	// [un deux trois un deux trois] <nil>
	// mp: NewPool: Init, which is load: no dictionary for xx
}
