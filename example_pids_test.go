package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

var tellPIDs = mp.Register("tellPIDs", func(ctx context.Context, main int) (mp.None, error) {
	me := mp.Current()
	fmt.Println(me.Name, "has a pid of its own:", me.PID == os.Getpid() && me.PID != main)
	fmt.Println(me.Name, "is a child of the main process:", me.ParentPID == main && os.Getppid() == main)
	return mp.None{}, nil
})

// Each process knows its name, its pid and its parent's.
func ExampleCurrent() {
	ctx := context.Background()
	fmt.Println(mp.Current().Name, "is the main process:", mp.Current().Main)
	var pids []int
	for _, name := range []string{"dance", "song"} {
		p, err := mp.Start(ctx, tellPIDs, os.Getpid(), mp.ProcessConfig{Name: name})
		if err != nil {
			log.Fatal(err)
		}
		pids = append(pids, p.PID())
	}
	if err := mp.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("two children, two pids:", pids[0] != pids[1])
	// Unordered output:
	// MainProcess is the main process: true
	// dance has a pid of its own: true
	// dance is a child of the main process: true
	// song has a pid of its own: true
	// song is a child of the main process: true
	// two children, two pids: true
}
