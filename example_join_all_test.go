package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var work = mp.Register("work", func(ctx context.Context, what string) (mp.None, error) {
	if what == "stand by" {
		<-ctx.Done()
	}
	fmt.Println(what)
	return mp.None{}, nil
})

// JoinAll waits for all children but the daemons, and ends these: what Python does
// when main returns.
func ExampleJoinAll() {
	ctx := context.Background()
	daemon, err := mp.Start(ctx, work, "stand by", mp.ProcessConfig{Daemon: true})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := mp.Start(ctx, work, "dig"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("children:", len(mp.Children()) > 0)
	fmt.Println("all have ended:", mp.JoinAll(ctx))
	fmt.Println("children:", len(mp.Children()))
	fmt.Println("the daemon lives:", daemon.Alive())
	// Unordered output:
	// children: true
	// dig
	// all have ended: <nil>
	// children: 0
	// the daemon lives: false
}
