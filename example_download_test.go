package mp_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Video is what to download, and where each download notes that it has begun.
type Video struct {
	Number int
	Log    string
}

// download notes that it begins, and is done when all of its round have begun: the
// first six videos, or all ten. So the downloads of a round run at one moment, or
// they hang.
var download = mp.Register("download", func(ctx context.Context, v Video) (int, error) {
	f, err := os.OpenFile(v.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, v.Number); err != nil {
		return 0, err
	}
	round := 6
	if v.Number >= round {
		round = 10
	}
	for begun := 0; begun < round; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(v.Log)
		if err != nil {
			return 0, err
		}
		begun = bytes.Count(text, []byte("\n"))
	}
	return 1, nil
})

// Ten downloads by six workers, in two rounds; a callback in the main process
// saves each.
func ExampleResult_OnDone() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "mp-download-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 6})
	if err != nil {
		log.Fatal(err)
	}
	saved := 0 // callbacks run one after another: no lock
	var atOnce atomic.Int32
	for i := range 10 {
		mp.ApplyAsync(ctx, pool, download, Video{i, filepath.Join(dir, "log")}).OnDone(func(n int, err error) {
			if atOnce.Add(1) > 1 || !mp.Current().Main {
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
	// Output:
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
