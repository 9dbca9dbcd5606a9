package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/gomultiprocessing/mp"
)

func init() {
	mains["chdir"] = func() { // a child is found from elsewhere as well
		must(os.Chdir("/"))
		got, err := mp.Call(context.Background(), fact, "units")
		must(err)
		must(os.WriteFile("/dev/null", []byte(got), 0))
		fmt.Println("ok")
	}
	mains["gone"] = func() { // run by a loader, it cannot be found once its file is gone
		must(os.Remove(os.Args[2]))
		_, err := mp.Call(context.Background(), fact, "units")
		if err == nil || !strings.Contains(err.Error(), "no longer exists") {
			fmt.Println(err)
		}
		fmt.Println("ok")
	}
}
