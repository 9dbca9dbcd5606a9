//go:build linux

package locks_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// withoutDescriptors runs in a process of its own, whose limit it may lower.
var withoutDescriptors = mp.Register("emfile/without", func(ctx context.Context, many int) (mp.None, error) {
	f, err := os.Open("/dev/null")
	if err != nil {
		return mp.None{}, err
	}
	files := make([]*os.File, many)
	for i := range files {
		files[i] = f
	}
	q, err := mp.NewQueue[[]*os.File](4)
	a, b, err2 := mp.NewPipe[[]*os.File]()
	if err := errors.Join(err, err2); err != nil {
		return mp.None{}, err
	}
	if err := errors.Join(q.Put(ctx, files), a.Send(ctx, files), a.SendBytes(ctx, []byte("next"))); err != nil {
		return mp.None{}, err
	}
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return mp.None{}, err
	}
	none := was
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		return mp.None{}, err
	}
	var all []error
	for range 3 {
		for what, err := range map[string]error{
			"Get": testkit.ErrorOf(q.Get(ctx)), "TryGet": testkit.ErrorOf(q.TryGet()), "Recv": testkit.ErrorOf(b.Recv(ctx)),
		} {
			if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "ulimit -n") || strings.Count(err.Error(), "mp: ") != 1 {
				all = append(all, fmt.Errorf("%s at the limit: %w", what, err))
			}
		}
		if is, err := b.Poll(ctx); !is || err != nil || q.Len() != 1 {
			all = append(all, fmt.Errorf("it has not stayed: %v, %w, %d", is, err, q.Len()))
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return mp.None{}, err
	}
	got, err := q.Get(ctx)
	received, err2 := b.Recv(ctx)
	next, err3 := b.RecvBytes(ctx, 0)
	if len(got) != many || len(received) != many || string(next) != "next" {
		err = errors.Join(err, fmt.Errorf("got %d, received %d, then %q", len(got), len(received), next))
	}
	return mp.None{}, errors.Join(append(all, err, err2, err3)...)
})

func TestWithoutDescriptorsNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, many := range []int{1, 3, 253} {
		if _, err := mp.Call(testkit.Ctx(t), withoutDescriptors, many); err != nil {
			t.Errorf("%d descriptors: %v", many, err)
		}
	}
}
