package mp_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/gomultiprocessing/mp"
)

// fiveLines says its number and its pid five times.
var fiveLines = mp.Register("fiveLines", func(ctx context.Context, num int) (mp.None, error) {
	for range 5 {
		fmt.Println(num, os.Getpid())
		time.Sleep(5 * time.Millisecond)
	}
	return mp.None{}, nil
})

// Ten tasks are submitted at once, and three workers do them.
func ExampleApplyAsync_tenTasks() {
	ctx := context.Background()
	var printed bytes.Buffer
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 3, Stdout: &printed})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 10 {
		mp.ApplyAsync(ctx, pool, fiveLines, i)
		fmt.Printf("---%d---\n", i)
	}
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}

	pids := map[int]bool{}
	times := map[int]int{} // lines of each task
	open, most := 0, 0
	for lines := bufio.NewScanner(&printed); lines.Scan(); {
		var num, pid int
		fmt.Sscan(lines.Text(), &num, &pid)
		pids[pid] = true
		times[num]++
		switch times[num] {
		case 1:
			open++
			most = max(most, open)
		case 5:
			open--
		}
	}
	all := true
	for i := range 10 {
		all = all && times[i] == 5
	}
	fmt.Println("five lines of each:", all)
	fmt.Println("processes:", len(pids))
	fmt.Println("at most three at a time:", most <= 3)
	// Output:
	// ---0---
	// ---1---
	// ---2---
	// ---3---
	// ---4---
	// ---5---
	// ---6---
	// ---7---
	// ---8---
	// ---9---
	// five lines of each: true
	// processes: 3
	// at most three at a time: true
}
