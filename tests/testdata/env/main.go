// Env is the programs of the environ_*_test.go. Its first argument says which.
package main

import (
	"fmt"
	"os"

	"github.com/gomultiprocessing/mp"
)

var mains = map[string]func(){}

func main() {
	mp.Main()
	if len(os.Args) < 2 || mains[os.Args[1]] == nil {
		fmt.Fprintf(os.Stderr, "env: no such program: %q\n", os.Args)
		os.Exit(2)
	}
	mains[os.Args[1]]()
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
