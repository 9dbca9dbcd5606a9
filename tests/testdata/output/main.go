// Command output prints in its workers and ends as its first argument says.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

var say = mp.Register("say", func(_ context.Context, n int) (int, error) {
	fmt.Println("worker", n)
	return n, nil
})

var ask = mp.Register("ask", func(_ context.Context, n int) (int, error) {
	fmt.Print("how many", n, "? ")
	return n, nil
})

var talk = mp.Register("talk", func(_ context.Context, n int) (int, error) {
	for i := range 3 {
		fmt.Fprintln(os.Stdout, "out", n, i)
		fmt.Fprintln(os.Stderr, "err", n, i)
	}
	return n, nil
})

var nested = mp.Register("nested", func(ctx context.Context, n int) (int, error) {
	return mp.Call(ctx, say, n)
})

func main() {
	mp.Main()
	ctx := context.Background()
	workers := 2
	if os.Args[1] == "map" {
		workers = 4
	}
	pool, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	switch os.Args[1] {
	case "map":
		in := make([]int, 40)
		for i := range in {
			in[i] = i
		}
		_, err := mp.Map(ctx, pool, say, in, mp.Chunk(3))
		fmt.Println("main", err)
	case "streams":
		for i := range 5 {
			mp.Apply(ctx, pool, talk, i)
			fmt.Println("main", i)
		}
	case "call":
		for i := range 3 {
			n, _ := mp.Call(ctx, say, i)
			fmt.Println("main", n)
		}
	case "start":
		for i := range 3 {
			p, err := mp.Start(ctx, say, i)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("main", i, p.Join(ctx))
		}
	case "ask":
		for i := range 3 {
			n, _ := mp.Apply(ctx, pool, ask, i)
			fmt.Println("main", n)
		}
	case "nested":
		for i := range 3 {
			n, _ := mp.Apply(ctx, pool, nested, i)
			fmt.Println("main", n)
		}
	default:
		for i := range 5 {
			n, _ := mp.Apply(ctx, pool, say, i)
			fmt.Println("main", n)
		}
	}
	switch os.Args[len(os.Args)-1] {
	case "exit":
		os.Exit(0)
	case "fatal":
		log.Fatal("the end")
	case "panic":
		panic("the end")
	}
}
