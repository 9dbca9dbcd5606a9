package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
)

var crashes = map[string]func(){
	"SIGSEGV: segmentation violation": func() { syscall.Kill(os.Getpid(), syscall.SIGSEGV) },
	"SIGABRT: abort":                  func() { syscall.Kill(os.Getpid(), syscall.SIGABRT) },
	"SIGQUIT: quit":                   func() { syscall.Kill(os.Getpid(), syscall.SIGQUIT) },
	"panic: of another goroutine":     func() { go panic("of another goroutine") },
	"fatal error: sync: unlock of unlocked mutex": func() {
		var mu sync.Mutex
		mu.Unlock()
	},
}

var crash = mp.Register("crash", func(_ context.Context, how string) (int, error) {
	crashes[how]()
	time.Sleep(time.Minute)
	return 0, nil
})

func init() { mains["crash"] = crashMode }

// crashMode is run with GOTRACEBACK=crash: every thread prints its stack, upon a SIGQUIT.
func crashMode() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stderr: io.Discard})
	must(err)
	for want := range crashes {
		_, err := mp.Apply(ctx, pool, crash, want)
		var died *mp.WorkerDiedError
		if !errors.As(err, &died) || died.Reason != want || !strings.HasPrefix(died.Stderr, want) {
			fmt.Printf("pool: %v, want %q\n", err, want)
		}
		_, err = mp.Call(ctx, crash, want, mp.ProcessConfig{Stderr: io.Discard})
		var exit *mp.ExitError
		if !errors.As(err, &exit) || exit.Reason != want {
			fmt.Printf("call: %v, want %q\n", err, want)
		}
	}
	pool.Terminate()
	fmt.Println("ok")
}
