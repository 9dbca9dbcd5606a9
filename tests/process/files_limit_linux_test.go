package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// mostFiles is how many descriptors one value can hold: the kernel's limit for one message.
const mostFiles = 253

// nullFiles opens n files.
func nullFiles(n int) (files []*os.File, err error) {
	for range n {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func closeFiles(files []*os.File) (err error) {
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	return err
}

var takesFiles = mp.Register("files-limit/takes", func(_ context.Context, files []*os.File) (int, error) {
	return len(files), closeFiles(files)
})

var makesFiles = mp.Register("files-limit/makes", func(_ context.Context, n int) ([]*os.File, error) { return nullFiles(n) })

var putsFiles = mp.Register("files-limit/puts", func(ctx context.Context, q *mp.Queue[[]*os.File]) (mp.None, error) {
	files, err := nullFiles(mostFiles)
	if err != nil {
		return mp.None{}, err
	}
	err = q.Put(ctx, files)
	return mp.None{}, errors.Join(err, closeFiles(files))
})

// gets checks what arrived, and closes it.
func gets(files []*os.File, err error) error {
	if err == nil && len(files) != mostFiles {
		err = fmt.Errorf("%d files arrived", len(files))
	}
	return errors.Join(err, closeFiles(files))
}

// filesWays are the ways in which a value with n files can travel.
var filesWays = map[string]func(ctx context.Context, pool *mp.Pool, q *mp.Queue[[]*os.File], files []*os.File) error{
	"input of Apply": func(ctx context.Context, pool *mp.Pool, _ *mp.Queue[[]*os.File], files []*os.File) error {
		n, err := mp.Apply(ctx, pool, takesFiles, files)
		if err == nil && n != len(files) {
			err = fmt.Errorf("%d files arrived", n)
		}
		return err
	},
	"result of Apply": func(ctx context.Context, pool *mp.Pool, _ *mp.Queue[[]*os.File], files []*os.File) error {
		return gets(mp.Apply(ctx, pool, makesFiles, len(files)))
	},
	"input of Map in a chunk": func(ctx context.Context, pool *mp.Pool, _ *mp.Queue[[]*os.File], files []*os.File) error {
		_, err := mp.Map(ctx, pool, takesFiles, [][]*os.File{files[:mostFiles], nil, files, files[:mostFiles]}, mp.Chunk(4))
		var failed *mp.MapError
		if errors.As(err, &failed) && (len(failed.Errs) != 1 || failed.Errs[0].Index != 2) {
			return fmt.Errorf("others failed, too: %v", failed.Errs) // without %w: it is not the error that is looked for
		}
		return err
	},
	"input of Start": func(ctx context.Context, _ *mp.Pool, _ *mp.Queue[[]*os.File], files []*os.File) error {
		p, err := mp.Start(ctx, takesFiles, files)
		if err != nil {
			return err
		}
		return p.Join(ctx)
	},
	"result of Call": func(ctx context.Context, _ *mp.Pool, _ *mp.Queue[[]*os.File], files []*os.File) error {
		return gets(mp.Call(ctx, makesFiles, len(files)))
	},
	"item of a queue": func(ctx context.Context, _ *mp.Pool, q *mp.Queue[[]*os.File], files []*os.File) error {
		if err := q.Put(ctx, files); err != nil {
			if q.Len() != 0 {
				err = fmt.Errorf("%d items are in the queue after an error", q.Len())
			}
			return err
		}
		return gets(q.Get(ctx))
	},
	"message of a pipe": func(ctx context.Context, _ *mp.Pool, _ *mp.Queue[[]*os.File], files []*os.File) error {
		a, b, err := mp.NewPipe[[]*os.File]()
		if err != nil {
			return err
		}
		defer a.Close()
		defer b.Close()
		if err := a.Send(ctx, files); err != nil {
			if sent := a.Send(ctx, nil); sent != nil {
				return sent
			}
			if next, got := b.Recv(ctx); got != nil || len(next) != 0 {
				return fmt.Errorf("after a message that failed: %d files, %w", len(next), got)
			}
			return err
		}
		return gets(b.Recv(ctx))
	},
}

// A value may hold 253 descriptors. One more is an error that gives both numbers and says what to do;
// what was used is as good as before, and no descriptor is left. Not parallel: it counts descriptors.
func TestValuesHoldAtMost253Descriptors(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Shutdown(ctx) })
	q, err := mp.NewQueue[[]*os.File](mp.Unbounded)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	files, err := nullFiles(mostFiles + 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeFiles(files) })
	for name, way := range filesWays {
		t.Run(name, func(t *testing.T) {
			if err := way(ctx, pool, q, files[:mostFiles]); err != nil {
				t.Fatal(err) // and from here on nothing has to be opened for the first time
			}
			before := testkit.Descriptors("")
			err := way(ctx, pool, q, files)
			if err == nil || !strings.Contains(err.Error(), "254 descriptors") || !strings.Contains(err.Error(), "at most 253") || !strings.Contains(err.Error(), "several parts") {
				t.Errorf("254 files: %v", err)
			}
			if err := way(ctx, pool, q, files[:mostFiles]); err != nil {
				t.Errorf("253 files after 254: %v", err)
			}
			testkit.DescriptorsSettle(t, before)
		})
	}
	t.Run("put by another process", func(t *testing.T) {
		if _, err := mp.Apply(ctx, pool, putsFiles, q); err != nil {
			t.Fatal(err)
		}
		if err := gets(q.Get(ctx)); err != nil {
			t.Error(err)
		}
	})
}
