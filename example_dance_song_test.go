package mp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
)

var dance = mp.Register("dance", func(ctx context.Context, every time.Duration) (mp.None, error) {
	for ctx.Err() == nil {
		fmt.Println("dancing")
		time.Sleep(every)
	}
	return mp.None{}, nil
})

var song = mp.Register("song", func(ctx context.Context, every time.Duration) (mp.None, error) {
	for ctx.Err() == nil {
		fmt.Println("singing")
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
	lines := bufio.NewScanner(stage)
	for (seen["dancing"] < 3 || seen["singing"] < 3) && lines.Scan() {
		seen[lines.Text()]++
	}
	go io.Copy(io.Discard, stage)
	fmt.Println("both go on, and nothing else is heard:", len(seen) == 2)

	stop()
	for _, p := range []*mp.Process{dancer, singer} {
		err := p.Join(context.Background())
		fmt.Println(p.Name(), "stopped:", err)
	}
	out.Close()
	// Output:
	// both go on, and nothing else is heard: true
	// dancer stopped: <nil>
	// singer stopped: <nil>
}
