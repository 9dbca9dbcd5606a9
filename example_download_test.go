package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp"
)

var download = mp.Register("download", func(ctx context.Context, video int) (int, error) {
	fmt.Println("downloading a video")
	time.Sleep(10 * time.Millisecond)
	return 1, nil
})

// Ten downloads by six workers; a callback in the main process saves each.
func ExampleResult_OnDone() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 6})
	if err != nil {
		log.Fatal(err)
	}
	main := os.Getpid()
	saved := 0 // callbacks run one after another: no lock
	var atOnce atomic.Int32
	for i := range 10 {
		mp.ApplyAsync(ctx, pool, download, i).OnDone(func(n int, err error) {
			if atOnce.Add(1) > 1 || os.Getpid() != main {
				fmt.Println("two callbacks at once, or elsewhere")
			}
			fmt.Println(n, err, "saved after its download")
			saved++
			atOnce.Add(-1)
		})
	}
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("all is done,", saved, "videos are saved")
	// Unordered output:
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// downloading a video
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// 1 <nil> saved after its download
	// all is done, 10 videos are saved
}
