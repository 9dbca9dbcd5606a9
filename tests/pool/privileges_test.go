//go:build linux

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"golang.org/x/sys/unix"
)

// privilegesDrop makes a pool, gives up this process's rights, and has a task that must be killed. It
// answers "" if all went well.
var privilegesDrop = mp.Register("privileges/drop", func(ctx context.Context, how string) (string, error) {
	p, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		return "", err
	}
	var victim *mp.Process
	if how == "with a leash" { // else nothing would be left that ends it
		if victim, err = mp.Start(ctx, graceSpins, 0); err != nil {
			return "", err
		}
	}
	if err := syscall.Setuid(65534); err != nil {
		return "", err
	}
	if how == "without a leash" {
		for fd := range 256 {
			unix.FcntlInt(uintptr(fd), unix.F_SETOWN, 0)
		}
	}
	task := "spins"
	if how == "without a leash" {
		task = "stops"
	}
	if _, err := mp.Apply(ctx, p, privilegesTask, task, mp.Timeout(100*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprint("Apply: ", err), nil
	}
	if how == "without a leash" {
		p.Terminate()
		return "", nil
	}
	if err := victim.Kill(); err != nil {
		return fmt.Sprint("Kill: ", err), nil
	}
	if err := victim.Join(ctx); err == nil {
		return "Join: no error", nil
	}
	mp.ApplyAsync(ctx, p, privilegesTask, "spins")
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := p.Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprint("Shutdown: ", err), nil
	}
	if err := p.Join(ctx); err != nil {
		return fmt.Sprint("Join: ", err), nil
	}
	return "", nil
})

var privilegesTask = mp.Register("privileges/task", func(_ context.Context, how string) (int, error) {
	if how == "stops" {
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	//lint:ignore SA5002 that is the point
	for {
	}
})

// A program that gives up its rights after it has started workers may not kill them: they end all the
// same, and if nothing helps they are given up.
func TestPrivilegesDropped(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can give up rights")
	}
	for _, how := range []string{"with a leash", "without a leash"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), testkit.Within(30*time.Second))
			defer cancel()
			if out, err := mp.Call(ctx, privilegesDrop, how); out != "" || err != nil {
				t.Error(out, err)
			}
		})
	}
}
