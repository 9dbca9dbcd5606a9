package mp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/gomultiprocessing/mp"
)

var dance = mp.Register("dance", func(ctx context.Context, every time.Duration) (mp.None, error) {
	for ctx.Err() == nil {
		fmt.Println(os.Getpid(), "dancing")
		time.Sleep(every)
	}
	return mp.None{}, nil
})

var song = mp.Register("song", func(ctx context.Context, every time.Duration) (mp.None, error) {
	for ctx.Err() == nil {
		fmt.Println(os.Getpid(), "singing")
		time.Sleep(every)
	}
	return mp.None{}, nil
})

// Two processes dance and sing until the ctx of their life ends. If the main
// process were killed they would end as well, within a second.
func ExampleStart_untilStopped() {
	life, stop := context.WithCancel(context.Background())
	defer stop()
	stage, out := io.Pipe() // both print there, in whole lines
	dancer, err := mp.Start(life, dance, 10*time.Millisecond, mp.ProcessConfig{Name: "dancer", Stdout: out})
	if err != nil {
		log.Fatal(err)
	}
	singer, err := mp.Start(life, song, 10*time.Millisecond, mp.ProcessConfig{Name: "singer", Stdout: out})
	if err != nil {
		log.Fatal(err)
	}

	seen := map[string]int{}
	dancing, singing := fmt.Sprint(dancer.PID(), " dancing"), fmt.Sprint(singer.PID(), " singing")
	lines := bufio.NewScanner(stage)
	for (seen[dancing] < 3 || seen[singing] < 3) && lines.Scan() {
		seen[lines.Text()]++
	}
	go io.Copy(io.Discard, stage)
	fmt.Println("both go on, each in its process:", seen[dancing] >= 3 && seen[singing] >= 3)
	fmt.Println("nothing else is heard:", len(seen) == 2)
	fmt.Println("two pids, and neither is main's:", dancer.PID() != singer.PID() && dancer.PID() != os.Getpid() && singer.PID() != os.Getpid())

	stop()
	for _, p := range []*mp.Process{dancer, singer} {
		err := p.Join(context.Background())
		fmt.Println(p.Name(), "stopped:", err, "alive:", p.Alive())
	}
	out.Close()
	// Output:
	// both go on, each in its process: true
	// nothing else is heard: true
	// two pids, and neither is main's: true
	// dancer stopped: <nil> alive: false
	// singer stopped: <nil> alive: false
}
