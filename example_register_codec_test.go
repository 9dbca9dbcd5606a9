package mp_test

import (
	"context"
	"fmt"
	"log"
	"regexp"

	"github.com/gomultiprocessing/mp"
)

// A compiled expression holds what another process cannot have. Its text can travel.
func init() {
	mp.RegisterCodec("regexp",
		func(r *regexp.Regexp) ([]byte, error) { return []byte(r.String()), nil },
		func(b []byte) (*regexp.Regexp, error) { return regexp.Compile(string(b)) })
}

type Search struct {
	For  *regexp.Regexp
	Text string
}

var search = mp.Register("search", func(_ context.Context, s Search) ([]string, error) {
	return s.For.FindAllString(s.Text, -1), nil
})

func ExampleRegisterCodec() {
	found, err := mp.Call(context.Background(), search, Search{regexp.MustCompile(`[a-z]+ing`), "singing and dancing"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found)
	// Output: [singing dancing]
}
