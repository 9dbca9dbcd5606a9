package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Jobs are programs that a shell stops and continues: see shell.go. They print the pids of their processes,
// and end when the file exists that their second argument names.
func init() {
	mains["job"] = func() { jobs[os.Args[2]](os.Args[3]) }
}

var jobs = map[string]func(file string){
	"family":  family,
	"workers": workers,
	"quick":   quick,
	"late":    late,
	"catches": func(file string) {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTSTP)
		handles(file, c)
	},
	"catches later": func(file string) {
		c := make(chan os.Signal, 1)
		handles(file, c, func() { signal.Notify(c, syscall.SIGTSTP) })
	},
	"ignores": func(file string) {
		signal.Ignore(syscall.SIGTSTP)
		handles(file, nil)
	},
	"ignores later": func(file string) {
		handles(file, nil, func() { signal.Ignore(syscall.SIGTSTP) })
	},
}

var report sync.Mutex

// tell prints a line at once, from whichever process.
func tell(args ...any) {
	report.Lock()
	defer report.Unlock()
	fmt.Println(args...)
}

// spin computes until the file is there.
func spin(ctx context.Context, file string) error {
	for i := 0; ; i++ {
		if i%100_000 != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := os.Stat(file); err == nil {
			return nil
		}
	}
}

var jobSpin = mp.Register("jobSpin", func(ctx context.Context, file string) (int, error) {
	tell("pid", os.Getpid())
	return 1, spin(ctx, file)
})

// jobParent has a child, a pool and a command. A deadline that they were given by ctx would be that of a
// caller, which does not move.
var jobParent = mp.Register("jobParent", func(ctx context.Context, file string) (int, error) {
	sleep := exec.Command("sleep", "1000")
	must(sleep.Start())
	defer sleep.Wait()
	defer sleep.Process.Kill()
	tell("pid", sleep.Process.Pid)
	tell("pid", os.Getpid())
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	must(err)
	defer pool.Terminate()
	r := mp.ApplyAsync(context.WithoutCancel(ctx), pool, jobSpin, file, mp.Timeout(stopFor))
	p, err := mp.Start(context.WithoutCancel(ctx), jobSpin, file)
	must(err)
	_, err = r.Get(ctx)
	return 1, errors.Join(err, p.Join(ctx), spin(ctx, file))
})

// stopFor is how long jobs are stopped at least, and more than their tasks may take.
const stopFor = 4 * time.Second

// family has processes of all kinds; the Timeouts of the tasks end while it is stopped.
func family(file string) {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	must(err)
	defer pool.Terminate()
	one := mp.ApplyAsync(ctx, pool, jobSpin, file, mp.Timeout(stopFor))
	two := mp.ApplyAsync(ctx, pool, jobParent, file, mp.Timeout(stopFor))
	p, err := mp.Start(ctx, jobParent, file)
	must(err)
	_, err = one.Get(ctx)
	must(err)
	_, err = two.Get(ctx)
	must(err)
	must(p.Join(ctx))
	tell("done")
}

func workers(file string) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	must(err)
	defer pool.Terminate()
	_, err = mp.Map(context.Background(), pool, jobSpin, []string{file, file}, mp.Chunk(1))
	must(err)
	tell("done")
}

// late has a task whose time is over after it was stopped, as it would be without.
func late(file string) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	must(err)
	defer pool.Terminate()
	_, err = mp.Apply(context.Background(), pool, jobSpin, file, mp.Timeout(stopFor))
	var timeout *mp.TimeoutError
	if !errors.As(err, &timeout) {
		fmt.Println("not late:", err)
		os.Exit(1)
	}
	tell("done")
}

var jobQuick = mp.Register("jobQuick", func(_ context.Context, n int) (int, error) { return n + 1, nil })

// quick always has tasks that just end.
func quick(file string) {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	must(err)
	defer pool.Terminate()
	check := func(n, v int, err error) {
		must(err)
		if v != n+1 {
			fmt.Println("a wrong outcome:", n, v)
			os.Exit(1)
		}
	}
	over := func() bool { _, err := os.Stat(file); return err == nil }
	tell("pid", os.Getpid())
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; !over(); n++ {
			v, err := mp.Apply(ctx, pool, jobQuick, n, mp.Timeout(time.Minute))
			check(n, v, err)
		}
	})
	all.Wait()
	tell("done")
}

// handles is a program that does with SIGTSTP as it likes.
func handles(file string, c <-chan os.Signal, later ...func()) {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	must(err)
	defer pool.Terminate()
	for _, f := range later {
		f()
	}
	r := mp.ApplyAsync(ctx, pool, jobSpin, file)
	var line string
	_, err = fmt.Scanln(&line) // typed after Ctrl-Z
	must(err)
	if c != nil {
		<-c
	}
	tell("line", line)
	_, err = r.Get(ctx)
	must(err)
	tell("done")
}
