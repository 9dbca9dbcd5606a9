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

// snooze says when it begins and when it ends, and in which process.
var snooze = mp.Register("snooze", func(ctx context.Context, n int) (mp.None, error) {
	fmt.Println(n, os.Getpid(), "start")
	time.Sleep(time.Duration(5+10*(n%4)) * time.Millisecond)
	fmt.Println(n, os.Getpid(), "end")
	return mp.None{}, nil
})

// Ten sleeps of different lengths, four at a time.
func ExamplePool_sleeps() {
	ctx := context.Background()
	var printed bytes.Buffer // what the workers print
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 4, Stdout: &printed})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the parent begins")
	for i := range 10 {
		mp.ApplyAsync(ctx, pool, snooze, i)
	}
	pool.Close()
	if err := pool.Join(ctx); err != nil {
		log.Fatal(err)
	}
	pool.Terminate() // changes nothing any more

	begun := map[int]int{} // the task: its pid
	pids := map[int]bool{}
	ended, open, most := 0, 0, 0
	for lines := bufio.NewScanner(&printed); lines.Scan(); {
		var n, pid int
		var what string
		fmt.Sscan(lines.Text(), &n, &pid, &what)
		pids[pid] = true
		switch {
		case what == "start":
			begun[n] = pid
			open++
			most = max(most, open)
		case begun[n] == pid:
			ended++
			open--
		}
	}
	fmt.Println("began:", len(begun))
	fmt.Println("ended in the process where they began:", ended)
	fmt.Println("at most four processes, none of them the parent:", len(pids) <= 4 && !pids[os.Getpid()])
	fmt.Println("at most four at once:", most <= 4)
	fmt.Println("the parent ends")
	// Output:
	// the parent begins
	// began: 10
	// ended in the process where they began: 10
	// at most four processes, none of them the parent: true
	// at most four at once: true
	// the parent ends
}
