// Prog is the programs of launch_test.go and orphan_test.go. Its first argument says which.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
)

var act = mp.Register("act", func(ctx context.Context, what string) (string, error) { return acts[what](ctx) })

var acts map[string]func(context.Context) (string, error)

// early is started before main.
var early = func() error {
	if mode() != "variable" {
		return nil
	}
	_, err := mp.Start(context.Background(), act, "args")
	return err
}()

func init() {
	acts = map[string]func(context.Context) (string, error){
		"args": func(context.Context) (string, error) { return fmt.Sprintf("%q", os.Args), nil },
		"channel deadlock": func(context.Context) (string, error) {
			<-make(chan int)
			return "", nil
		},
		"mutex deadlock": func(context.Context) (string, error) {
			var mu sync.Mutex
			mu.Lock()
			mu.Lock()
			return "", nil
		},
		"deadlock of many": func(context.Context) (string, error) {
			var all sync.WaitGroup
			c := make(chan int)
			for range 10 {
				all.Go(func() { <-c })
			}
			all.Wait()
			return "", nil
		},
		"no deadlock": func(ctx context.Context) (string, error) { // a timer will end it
			c := make(chan int)
			time.AfterFunc(200*time.Millisecond, func() { close(c) })
			<-c
			return "woken", nil
		},
		"await":  func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() },
		"select": func(ctx context.Context) (string, error) { select {} },
		"sleep":  func(ctx context.Context) (string, error) { time.Sleep(time.Hour); return "", nil },
		"short": func(ctx context.Context) (string, error) { // lives a moment longer than its stdin
			io.Copy(io.Discard, os.Stdin)
			time.Sleep(100 * time.Millisecond)
			return "", nil
		},
		"spin": func(ctx context.Context) (string, error) {
			for { //nolint:staticcheck // an endless loop
			}
		},
		"stop": func(ctx context.Context) (string, error) {
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			select {}
		},
		"exit 0":   func(context.Context) (string, error) { os.Exit(0); return "", nil },
		"exit 255": func(context.Context) (string, error) { os.Exit(255); return "", nil },
		"garbage": func(context.Context) (string, error) {
			_, err := os.NewFile(3, "conn").Write([]byte("this is no frame, and never was one"))
			must(err)
			select {}
		},
		"fail": func(context.Context) (string, error) { return "", errors.New("it fails") },
		"nest": func(ctx context.Context) (string, error) {
			start("spin")
			start("sleep")
			must(exec.Command("sleep", "1000").Start())
			time.Sleep(time.Hour)
			return "", nil
		},
	}
	if mode() == "init" {
		_, early = mp.Start(context.Background(), act, "args")
	}
	if mode() == "beside main" || mode() == "pool beside main" {
		go besideMain()
	}
	if mode() == "twice" {
		mp.Register("act", func(context.Context, int) (int, error) { return 0, nil })
	}
	if mode() == "empty" {
		mp.Register("", func(context.Context, int) (int, error) { return 0, nil })
	}
	if mode() == "nil" {
		mp.Register[int, int]("nil", nil)
	}
	if mode() == "error twice" {
		mp.RegisterError("a", errors.New("a"))
		mp.RegisterError("a", errors.New("b"))
	}
	if mode() == "error again" {
		err := errors.New("a")
		mp.RegisterError("a", err)
		mp.RegisterError("b", err)
	}
	if mode() == "error nil" {
		mp.RegisterError("a", nil)
	}
	if mode() == "error uncomparable" {
		mp.RegisterError("a", uncomparable{nil})
	}
	if mode() == "error known" {
		mp.RegisterError("mine", io.EOF)
	}
	if mode() == "error type twice" {
		mp.RegisterErrorType[uncomparable]("a")
		mp.RegisterErrorType[uncomparable]("b")
	}
	if mode() == "error type interface" {
		mp.RegisterErrorType[error]("a")
	}
	if mode() == "type twice" {
		mp.RegisterType[uncomparable]("a")
		mp.RegisterType[uncomparable]("b")
	}
}

// besideMain starts something in every process, children included.
func besideMain() {
	time.Sleep(50 * time.Millisecond) // let main come to mp.Main
	var err error
	if mode() == "beside main" {
		err = mp.ErrNoMain // a child may take its time to come to it
		for ; errors.Is(err, mp.ErrNoMain); time.Sleep(time.Millisecond) {
			_, err = mp.Start(context.Background(), act, "await")
		}
	} else if !mp.Current().Main {
		_, err = mp.NewPool(mp.PoolConfig{Workers: 1})
		fmt.Println(errors.Is(err, mp.ErrNoMain))
	}
	if err != nil {
		fmt.Println(err)
	}
}

type uncomparable struct{ parts []int }

func (uncomparable) Error() string { return "uncomparable" }

func mode() string { return os.Args[1] }

func start(what string, opts ...mp.ProcessOption) *mp.Process {
	p, err := mp.Start(context.Background(), act, what, opts...)
	must(err)
	return p
}

func call(what string) {
	out, err := mp.Call(context.Background(), act, what)
	var e *mp.ExitError
	switch {
	case errors.As(err, &e):
		fmt.Printf("code %d, reason %s\n", e.Code, e.Reason)
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println(out)
	}
}

func main() {
	switch mode() {
	case "returns early":
		if !mp.Current().Main {
			return
		}
	case "init", "variable":
		fmt.Println(errors.Is(early, mp.ErrNoMain), early)
		return
	case "forget shared":
		forgetShared()
		return
	case "forget":
		_, err := mp.Start(context.Background(), act, "args")
		fmt.Println(errors.Is(err, mp.ErrNoMain), err)
		_, err = mp.Call(context.Background(), act, "args")
		fmt.Println(errors.Is(err, mp.ErrNoMain), err)
		_, err = mp.NewPool(mp.PoolConfig{})
		fmt.Println(errors.Is(err, mp.ErrNoMain), err)
		return
	}
	mp.Main()
	exe, err := os.Executable()
	must(err)
	switch mode() {
	case "delete":
		must(os.Remove(exe))
	case "replace":
		must(os.Remove(exe))
		must(os.WriteFile(exe, []byte("#!/bin/false\n"), 0o755))
	case "chdir":
		must(os.Chdir(filepath.Dir(os.TempDir())))
	case "call":
		call(os.Args[2])
		return
	case "call with deadline":
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		_, err := mp.Call(ctx, act, os.Args[2])
		fmt.Println(err)
		return
	case "call without children":
		signal.Ignore(syscall.SIGCHLD)
		call(os.Args[2])
		fmt.Println(start(os.Args[2]).Join(context.Background()))
		return
	case "returns early":
		fmt.Println(start("args").Join(context.Background()))
		_, err := mp.NewPool(mp.PoolConfig{Workers: 1})
		fmt.Println(err)
		return
	case "beside main":
		select {}
	case "pool beside main":
		_, err := mp.NewPool(mp.PoolConfig{Workers: 1})
		must(err)
		select {}
	case "late":
		mp.Register("late", func(context.Context, int) (int, error) { return 0, nil })
	case "joinall":
		joinAll()
		return
	case "tree":
		start("spin")
		start("nest")
		start("stop")
		start("await")
		io.Copy(io.Discard, os.Stdin)
		switch os.Args[2] {
		case "exit":
			os.Exit(0)
		case "panic":
			panic("main ends")
		}
		return
	}
	out, err := mp.Call(context.Background(), act, "args")
	must(err)
	if want := fmt.Sprintf("%q", os.Args); out != want {
		must(fmt.Errorf("the child has %s, main %s", out, want))
	}
	fmt.Println("ok")
}

// joinAll prints what JoinAll does.
func joinAll() {
	daemon := start("sleep", mp.ProcessConfig{Daemon: true, Name: "daemon"})
	in, end, err := os.Pipe()
	must(err)
	short := start("short", mp.ProcessConfig{Stdin: in})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	fmt.Println(mp.JoinAll(ctx), short.Alive(), daemon.Alive())
	for _, p := range mp.Children() {
		fmt.Println(strings.TrimRight(p.Name(), "0123456789"))
	}
	must(end.Close())
	later := make(chan *mp.Process, 1)
	go func() { later <- start("short") }()
	after := <-later
	fmt.Println(mp.JoinAll(context.Background()), short.Alive(), after.Alive(), daemon.Alive(), len(mp.Children()))
	code, _ := short.ExitCode()
	fmt.Println(code)
	code, _ = daemon.ExitCode()
	fmt.Println(code)
	fmt.Println(mp.JoinAll(context.Background()))
	fmt.Println(mp.JoinAll(ctx))
}

func must(err error) {
	if err != nil {
		fmt.Println("prog:", err)
		os.Exit(1)
	}
}
