package mp_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Sleep is one task: its number, and where it says that it begins and ends.
type Sleep struct {
	N   int
	Log string
}

// say adds a line to the log. All processes write it, so that it has the lines in
// the order in which they were said.
func (s Sleep) say(what string) error {
	f, err := os.OpenFile(s.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, what, s.N, os.Getpid())
	return err
}

// snooze begins, waits until four have begun, and ends. The first four are open
// at the same time, or they hang.
var snooze = mp.Register("snooze", func(ctx context.Context, s Sleep) (mp.None, error) {
	if err := s.say("start"); err != nil {
		return mp.None{}, err
	}
	for began := 0; began < 4; time.Sleep(time.Duration(1+s.N%4) * time.Millisecond) {
		text, err := os.ReadFile(s.Log)
		if err != nil {
			return mp.None{}, err
		}
		began = bytes.Count(text, []byte("start"))
	}
	return mp.None{}, s.say("end")
})

// Ten sleeps, four at a time.
func ExamplePool_sleeps() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "mp-sleeps-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "log")
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 4})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the parent begins")
	for i := range 10 {
		mp.ApplyAsync(ctx, pool, snooze, Sleep{i, file})
	}
	fmt.Println("shut down:", pool.Shutdown(ctx))
	pool.Terminate() // changes nothing any more

	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	begun := map[int]int{} // the task: its pid
	pids := map[int]bool{}
	ended, open, most := 0, 0, 0
	for line := range strings.Lines(string(text)) {
		var what string
		var n, pid int
		fmt.Sscan(line, &what, &n, &pid)
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
	fmt.Println("processes:", len(pids), "and the parent is one of them:", pids[os.Getpid()])
	fmt.Println("most at one moment:", most)
	fmt.Println("the parent ends")
	// Output:
	// the parent begins
	// shut down: <nil>
	// began: 10
	// ended in the process where they began: 10
	// processes: 4 and the parent is one of them: false
	// most at one moment: 4
	// the parent ends
}
