//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
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
