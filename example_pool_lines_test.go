package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Lines is one task: its number, and the file that all of them write.
type Lines struct {
	Num  int
	File string
}

// fiveLines says its number and its pid five times. After the first it waits until
// three processes have said something: they run at the same time, or the example hangs.
var fiveLines = mp.Register("fiveLines", func(ctx context.Context, in Lines) (mp.None, error) {
	f, err := os.OpenFile(in.File, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return mp.None{}, err
	}
	defer f.Close()
	for range 5 {
		if _, err := fmt.Fprintln(f, in.Num, os.Getpid()); err != nil {
			return mp.None{}, err
		}
		for speakers := 0; speakers < 3; time.Sleep(time.Millisecond) {
			text, err := os.ReadFile(in.File)
			if err != nil {
				return mp.None{}, err
			}
			pids := map[string]bool{}
			for line := range strings.Lines(string(text)) {
				_, pid, _ := strings.Cut(line, " ")
				pids[pid] = true
			}
			speakers = len(pids)
		}
	}
	return mp.None{}, nil
})

// Ten tasks are submitted at once, and three workers do them.
func ExampleApplyAsync_tenTasks() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "mp-lines-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "lines")
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 3})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 10 {
		mp.ApplyAsync(ctx, pool, fiveLines, Lines{i, file})
		fmt.Printf("---%d---\n", i)
	}
	fmt.Println("shut down:", pool.Shutdown(ctx))

	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	pids := map[int]bool{}
	times := map[int]int{} // lines of each task
	all, open, most := 0, 0, 0
	for line := range strings.Lines(string(text)) {
		var num, pid int
		fmt.Sscan(line, &num, &pid)
		pids[pid] = true
		times[num]++
		switch times[num] {
		case 1:
			open++
			most = max(most, open)
		case 5:
			open--
			all++
		}
	}
	fmt.Println("tasks that have said five lines:", all)
	fmt.Println("lines:", strings.Count(string(text), "\n"))
	fmt.Println("processes:", len(pids))
	fmt.Println("most at one moment:", most)
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
	// shut down: <nil>
	// tasks that have said five lines: 10
	// lines: 50
	// processes: 3
	// most at one moment: 3
}
