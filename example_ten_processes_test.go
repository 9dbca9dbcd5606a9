package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

// poolID says its number and then waits until it is asked to end.
var poolID = mp.Register("poolID", func(ctx context.Context, n int) (mp.None, error) {
	fmt.Println("pool_id:", n)
	<-ctx.Done()
	return mp.None{}, nil
})

// Ten processes live at the same time, each with a pid of its own.
func ExampleStart_ten() {
	ctx := context.Background()
	var ps []*mp.Process
	pids := map[int]bool{os.Getpid(): true}
	for i := range 10 {
		p, err := mp.Start(ctx, poolID, i)
		if err != nil {
			log.Fatal(err)
		}
		ps = append(ps, p)
		pids[p.PID()] = true
	}
	alive := 0
	for _, p := range ps {
		if p.Alive() {
			alive++
		}
	}
	for _, p := range ps {
		p.Interrupt()
	}
	for _, p := range ps {
		if err := p.Join(ctx); err != nil {
			log.Fatal(err)
		}
		if p.Alive() {
			fmt.Println("joined and alive")
		}
	}
	fmt.Println("alive at the same time:", alive)
	fmt.Println("ten distinct pids, none of them main's:", len(pids) == 11)
	// Unordered output:
	// pool_id: 0
	// pool_id: 1
	// pool_id: 2
	// pool_id: 3
	// pool_id: 4
	// pool_id: 5
	// pool_id: 6
	// pool_id: 7
	// pool_id: 8
	// pool_id: 9
	// alive at the same time: 10
	// ten distinct pids, none of them main's: true
}
