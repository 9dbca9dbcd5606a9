package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
)

var kill = mp.Register("kill", func(context.Context, int) (int, error) {
	syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
})

var sleepLong = mp.Register("sleep long", func(context.Context, int) (int, error) {
	time.Sleep(time.Hour)
	return 0, nil
})

var fatal = mp.Register("fatal", func(context.Context, int) (int, error) {
	go panic("last words")
	select {}
})

func init() {
	mains["thief"] = func() { // what an init process's reaper does
		go func() {
			for {
				if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil {
					time.Sleep(time.Microsecond)
				}
			}
		}()
		stolen(false) // it may come too late
	}
	mains["sigchld"] = func() {
		signal.Ignore(syscall.SIGCHLD) // then the kernel reaps
		stolen(true)
	}
}

// stolen has processes end whose status somebody else takes.
func stolen(always bool) {
	ctx := context.Background()
	const taken = "its exit status was taken by something else in this program"
	says := func(where string, err error, words ...string) {
		for _, w := range append(words, taken) {
			if w == taken && !always && err != nil && (strings.Contains(err.Error(), "signal: killed") || strings.Contains(err.Error(), "exit code 2")) {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), w) {
				fmt.Printf("%s: %v, want %q\n", where, err, w)
			}
		}
	}
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Stderr: io.Discard, Grace: time.Millisecond})
	must(err)
	_, err = mp.Apply(ctx, pool, kill, 0)
	says("pool", err)
	var died *mp.WorkerDiedError
	if !errors.As(err, &died) || always && died.ExitCode != 255 {
		fmt.Printf("%+v\n", died)
	}
	_, err = mp.Apply(ctx, pool, fatal, 0)
	says("pool, with words", err, "panic: last words")
	_, err = mp.Apply(ctx, pool, sleepLong, 0, mp.Timeout(time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("timeout:", err)
	}
	pool.Terminate()
	_, err = mp.Call(ctx, kill, 0)
	says("Call", err)
	p, err := mp.Start(ctx, kill, 0)
	must(err)
	says("Start", p.Join(ctx))
	_, err = mp.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(kill, 0)})
	says("Init", err)
	ending, cancel := context.WithCancel(ctx)
	p, err = mp.Start(ending, sleepLong, 0, mp.ProcessConfig{Grace: time.Millisecond})
	must(err)
	cancel()
	if err := p.Join(ctx); !errors.Is(err, context.Canceled) {
		fmt.Println("cancelled:", err)
	}
	fmt.Println("ok")
	os.Exit(0)
}
