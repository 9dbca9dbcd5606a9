package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	"github.com/gomultiprocessing/mp"
	"golang.org/x/sys/unix"
)

func init() { mains["filesize"] = fileSize }

// fileSize makes what shares memory under limits on the size of files.
func fileSize() {
	for _, limit := range []uint64{4096, 1 << 20, 24 << 30} {
		must(unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY}))
		for name, create := range map[string]func() error{
			"NewQueue":  func() error { _, err := mp.NewQueue[int](4); return err },
			"NewLock":   func() error { _, err := mp.NewLock(); return err },
			"NewArray":  func() error { _, err := mp.NewArray[int64](1 << 33); return err },
			"NewMemory": func() error { _, err := mp.NewMemory(1 << 36); return err },
			"NewPool": func() error {
				pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
				if err == nil {
					err = pool.Shutdown(context.Background())
				}
				return err
			},
		} {
			err := create()
			if err != nil && strings.Contains(err.Error(), syscall.EFBIG.Error()) && strings.Count(err.Error(), "ulimit -f") != 1 {
				fmt.Printf("%d: %s: %v\n", limit, name, err)
			}
			if err == nil && name == "NewQueue" {
				fmt.Printf("%d: %s has no error\n", limit, name)
			}
			if err != nil && limit == 24<<30 && (name == "NewLock" || name == "NewPool") {
				fmt.Printf("%d: %s: %v\n", limit, name, err)
			}
		}
	}
	fmt.Println("ok")
}
