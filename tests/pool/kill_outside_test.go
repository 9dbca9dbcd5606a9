//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// diaryIn is a task that first writes its number down, where it survives a kill.
type diaryIn struct {
	File string
	N    int
	Work time.Duration
	Pad  []byte // comes back
}

type diaryOut struct {
	N   int
	Pad []byte
}

// diaryFile is the file of the last task: one pool has one.
var diaryFile struct {
	name string
	f    *os.File
}

func diaryWrite(name string, n int) {
	if diaryFile.name != name {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			panic(err)
		}
		diaryFile.name, diaryFile.f = name, f
	}
	// Of one size that divides a page: a kill can tear a write between two pages.
	diaryFile.f.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

var killDiary = mp.Register("kill/diary", func(_ context.Context, in diaryIn) (diaryOut, error) {
	diaryWrite(in.File, in.N)
	for end := time.Now().Add(in.Work); time.Now().Before(end); {
	}
	return diaryOut{in.N, in.Pad}, nil
})

// begins reads how often each task was begun.
func begins(t *testing.T, name string, n int) []int {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	count := make([]int, n)
	for record := range slices.Chunk(text, 8) {
		count[binary.LittleEndian.Uint64(record)]++
	}
	return count
}

func diaryInputs(t *testing.T, n int, pad func(i int) int) ([]diaryIn, string) {
	name := filepath.Join(t.TempDir(), "diary")
	in := make([]diaryIn, n)
	for i := range in {
		in[i] = diaryIn{File: name, N: i, Work: time.Duration(rand.IntN(1000)) * time.Microsecond}
		if k := pad(i); k > 0 {
			in[i].Pad = bytes.Repeat([]byte{byte(i)}, k)
		}
	}
	return in, name
}

func noPad(int) int { return 0 }

// somePad makes inputs and outputs of all sizes that travel in different ways.
func somePad(i int) int {
	return []int{0, 10, 5000, 32<<10 - 5, 40000, 64 << 10, 0, 300000, 1 << 20, 3 << 20}[i%10]
}

func sameDiary(in diaryIn, out diaryOut) bool {
	return out.N == in.N && bytes.Equal(out.Pad, in.Pad) && (out.Pad == nil) == (in.Pad == nil)
}

func randomTime(most time.Duration) func() time.Duration {
	return func() time.Duration { return rand.N(most) }
}

// TestKillFromOutsideWithRetries goes on until enough were killed.
func TestKillFromOutsideWithRetries(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	kills := int64(testkit.Times(10, 100))
	k := killer(p, func() time.Duration { return 15 * time.Millisecond }, max(100, kills))
	defer k.stop()
	for round := 0; round == 0 || k.killed.Load() < kills; round++ {
		in, _ := diaryInputs(t, testkit.Times(500, 2000), noPad)
		for i := range in {
			in[i].Work *= 3
		}
		out, err := mp.Map(ctx, p, killDiary, in, mp.Retries(1000, mp.Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			if !sameDiary(in[i], out[i]) {
				t.Errorf("task %d: %v", i, out[i].N)
			}
		}
	}
	k.deaths(t)
	t.Logf("%d retried", p.Stats().Retried)
}

// checkDeaths says what is wrong when workers were killed and nothing was retried.
func checkDeaths(t *testing.T, in []diaryIn, out []diaryOut, errs map[int]error, began []int, chunked bool) {
	t.Helper()
	died := 0
	for i := range in {
		switch err := errs[i]; {
		case err != nil:
			died++
			if !killedBy(err, syscall.SIGKILL) {
				t.Errorf("task %d: %v", i, err)
			}
		case !sameDiary(in[i], out[i]):
			t.Errorf("task %d: wrong output %d", i, out[i].N)
		case began[i] == 0:
			t.Errorf("task %d has a value and was not begun", i)
		}
		if began[i] > 1 && !chunked {
			t.Errorf("task %d was begun %d times (%v)", i, began[i], errs[i])
		}
	}
	t.Logf("%d of %d died", died, len(in))
}

func mapErrs(t *testing.T, err error) map[int]error {
	t.Helper()
	errs := make(map[int]error)
	var all *mp.MapError
	if errors.As(err, &all) {
		for _, e := range all.Errs {
			if errs[e.Index] != nil {
				t.Errorf("task %d has two errors", e.Index)
			}
			errs[e.Index] = e
		}
	} else if err != nil {
		t.Fatal(err)
	}
	return errs
}

func TestKillFromOutsideChunkOfOne(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in, name := diaryInputs(t, testkit.Times(800, 10000), noPad)
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	out, err := mp.Map(poolCtx(t), p, killDiary, in, mp.Chunk(1))
	k.deaths(t)
	checkDeaths(t, in, out, mapErrs(t, err), begins(t, name, len(in)), false)
}

func TestKillFromOutsideInsideChunks(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in, name := diaryInputs(t, testkit.Times(2000, 20000), noPad)
	for i := range in {
		in[i].Work /= 4
	}
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	out, err := mp.Map(poolCtx(t), p, killDiary, in, mp.Chunk(50))
	kills := k.deaths(t)
	errs := mapErrs(t, err)
	checkDeaths(t, in, out, errs, begins(t, name, len(in)), true)
	if len(errs) > kills {
		t.Errorf("%d kills are blamed on %d tasks", kills, len(errs))
	}
}

func TestKillFromOutsideBigValues(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	in, name := diaryInputs(t, testkit.Times(300, 4000), somePad)
	k := killer(p, randomTime(25*time.Millisecond), mostKills())
	defer k.stop()
	out, err := mp.Map(poolCtx(t), p, killDiary, in, mp.Chunk(1))
	k.deaths(t)
	checkDeaths(t, in, out, mapErrs(t, err), begins(t, name, len(in)), false)
}

func TestKillFromOutsideApplyAsync(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	in, name := diaryInputs(t, testkit.Times(800, 10000), noPad)
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	rs := make([]*mp.Result[diaryOut], len(in))
	for i := range in {
		rs[i] = mp.ApplyAsync(ctx, p, killDiary, in[i])
	}
	out, errs := make([]diaryOut, len(in)), make(map[int]error)
	for i, r := range rs {
		v, err := r.Get(ctx)
		if out[i] = v; err != nil {
			errs[i] = err
		}
	}
	k.deaths(t)
	// ApplyAsync's tasks are chunks of one, in batches of many.
	checkDeaths(t, in, out, errs, begins(t, name, len(in)), false)
}

func TestKillFromOutsideImapAndOutcomes(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	in, _ := diaryInputs(t, testkit.Times(400, 4000), noPad)
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	i := 0
	for out, err := range mp.Imap(ctx, p, killDiary, slices.Values(in)) {
		if err != nil && !killedBy(err, syscall.SIGKILL) || err == nil && !sameDiary(in[i], out) {
			t.Errorf("task %d: %v, %v", i, out.N, err)
		}
		i++
	}
	if i != len(in) {
		t.Errorf("%d outcomes", i)
	}
	seen := make([]int, len(in))
	for o := range mp.Outcomes(ctx, p, killDiary, slices.Values(in), mp.Capture(100)) {
		if o.Err != nil && !killedBy(o.Err, syscall.SIGKILL) || o.Err == nil && !sameDiary(in[o.Index], o.Out) {
			t.Errorf("task %d: %v, %v", o.Index, o.Out.N, o.Err)
		}
		seen[o.Index]++
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("task %d has %d outcomes", i, n)
		}
	}
	k.deaths(t)
}

// Each kind of submission side by side on one pool while workers are killed.
func TestKillFromOutsideEverythingAtOnce(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 3})
	ctx := poolCtx(t)
	in, _ := diaryInputs(t, testkit.Times(200, 2000), somePad)
	for i := range in {
		in[i].Pad = in[i].Pad[:min(len(in[i].Pad), 70000)]
		if len(in[i].Pad) == 0 {
			in[i].Pad = nil
		}
	}
	k := killer(p, randomTime(20*time.Millisecond), mostKills())
	defer k.stop()
	retry := mp.Retries(1000, mp.Backoff{Min: time.Millisecond, Max: time.Millisecond})
	var wg sync.WaitGroup
	wg.Go(func() {
		out, err := mp.Map(ctx, p, killDiary, in, retry, mp.Priority(1))
		if err != nil {
			t.Error(err)
			return
		}
		for i := range out {
			if !sameDiary(in[i], out[i]) {
				t.Errorf("Map: task %d", i)
			}
		}
	})
	wg.Go(func() {
		i := 0
		for out, err := range mp.Imap(ctx, p, killDiary, slices.Values(in), retry, mp.Timeout(time.Minute)) {
			if err != nil || !sameDiary(in[i], out) {
				t.Errorf("Imap: task %d: %v", i, err)
			}
			i++
		}
	})
	wg.Go(func() {
		for i := range in[:len(in)/2] {
			out, err := mp.Apply(ctx, p, killDiary, in[i], retry)
			if err != nil || !sameDiary(in[i], out) {
				t.Errorf("Apply: task %d: %v", i, err)
			}
		}
	})
	wg.Go(func() {
		for range testkit.Times(20, 200) {
			r := mp.MapAsync(ctx, p, killDiary, in[:20], retry)
			r.Cancel()
			if _, err := r.Get(ctx); !errors.Is(err, mp.ErrCancelled) {
				t.Errorf("cancelled: %v", err)
			}
		}
	})
	wg.Wait()
	k.deaths(t)
}

var killNth = mp.Register("kill/nth", func(_ context.Context, n int) (int, error) {
	if n < 0 {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return n, nil
})

// Only the item that ran is blamed, wherever in the chunk it is.
func TestKillInChunkBlamesOne(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	for at := range 20 {
		in := make([]int, 20)
		for i := range in {
			in[i] = i
		}
		in[at] = -1
		out, err := mp.Map(poolCtx(t), p, killNth, in, mp.Chunk(20))
		var all *mp.MapError
		if !errors.As(err, &all) || len(all.Errs) != 1 || all.Errs[0].Index != at || !killedBy(err, syscall.SIGKILL) {
			t.Fatalf("at %d: %v", at, err)
		}
		for i, v := range out {
			if i != at && v != i {
				t.Errorf("at %d: output %d is %d", at, i, v)
			}
		}
	}
}

// killStream yields tasks for as long as the loop wants them.
func killStream(most int, yielded *atomic.Int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range most {
			yielded.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}
