package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// A function literal is what args and kwargs are in Python: it brings along whatever it names.
func ExampleStart_arguments() {
	two := func(num1, num2, m int) {
		fmt.Printf("num1=%d,num2=%d,m=%d\n", num1, num2, m)
	}
	three := func(num1, num2, num3, n int) {
		fmt.Printf("num1=%d,num2=%d,num3=%d,n=%d\n", num1, num2, num3, n)
	}
	ctx := context.Background()
	for _, call := range []func(){
		func() { two(11, 22, 100) },
		func() { three(33, 44, 55, 200) },
	} {
		t, err := thread.Start(ctx, "", func(context.Context) error { call(); return nil })
		if err != nil {
			log.Fatal(err)
		}
		if err := t.Join(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// num1=11,num2=22,m=100
	// num1=33,num2=44,num3=55,n=200
}
