//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// A traffic is producers and consumers, each a process, which are killed and replaced. What
// each has done is in files: of a producer how many items it knows to have put, of a consumer
// which ones it got. In the end the books must balance.
type traffic struct {
	t         *testing.T
	q         *shared.Queue
	mode      string // small, spill or files
	dir       string
	producers []*producer
	log       []*os.File // of consumers
	killed    int        // consumers
	exe       string
	broken    error // what is wrong, the first of all
	patience  time.Duration
}

type producer struct {
	*child
	log *os.File
}

func init() {
	roles["produce"] = func(files []*os.File, args []string) {
		q := openQueue(files[1:]...)
		id, mode := uint64(atoi(args[0])), args[1]
		for seq := uint64(0); ; seq++ {
			m := trafficItem(id, seq, mode)
			put := q.Put
			if os.Getenv(faultVar) == "put" {
				put = q.FaultyPut
			}
			switch err := put(context.Background(), m); err {
			case nil:
				closeAll(m.Files)
			case carrier.ErrQueueClosed:
				return
			default:
				must(err)
			}
			var b [8]byte
			binary.NativeEndian.PutUint64(b[:], seq+1)
			_, err := files[0].WriteAt(b[:], 0)
			must(err)
			for q.Cap() == 0 && q.Len() > 20_000 { // enough
				time.Sleep(time.Millisecond)
			}
		}
	}
	roles["consume"] = func(files []*os.File, _ []string) {
		q := openQueue(files[1:]...)
		buf := make([]byte, 0, 1024)
		for {
			p, attached, err := trafficGet(q, buf)
			if err == carrier.ErrQueueClosed {
				return
			}
			must(err)
			id, seq := openTrafficItem(p, attached)
			b := binary.NativeEndian.AppendUint64(nil, id)
			b = binary.NativeEndian.AppendUint64(b, seq)
			_, err = files[0].Write(b)
			must(err)
		}
	}
}

// faultVar has a role put or get with a fault.
const faultVar = "MP_SHARED_FAULT"

func trafficGet(q *shared.Queue, buf []byte) ([]byte, []*os.File, error) {
	if os.Getenv(faultVar) == "get" {
		p, err := q.FaultyGet(context.Background())
		return p, nil, err
	}
	return q.Get(context.Background(), buf)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// trafficItem makes an item that says where it is from and that it is whole.
func trafficItem(id, seq uint64, mode string) *carrier.Item {
	size := rand.IntN(200)
	if mode == "spill" {
		switch rand.IntN(10) {
		case 0:
			size = rand.IntN(900_000)
		case 1, 2, 3:
			size = rand.IntN(60_000)
		}
	}
	p := make([]byte, 24+size)
	binary.NativeEndian.PutUint64(p[8:], id)
	binary.NativeEndian.PutUint64(p[16:], seq)
	for i := 24; i < len(p); i += 97 {
		p[i] = byte(rand.Uint32())
	}
	binary.NativeEndian.PutUint64(p, uint64(crc32.ChecksumIEEE(p[8:])))
	m := &carrier.Item{Pieces: [][]byte{p[:20], p[20:]}}
	if mode == "files" {
		fd, err := unix.MemfdCreate("item", unix.MFD_CLOEXEC)
		must(err)
		m.Files = []*os.File{os.NewFile(uintptr(fd), "item")}
		_, err = m.Files[0].WriteAt(p[8:24], 0)
		must(err)
	}
	return m
}

// openTrafficItem panics if an item is not as it was made.
func openTrafficItem(p []byte, attached []*os.File) (id, seq uint64) {
	if len(p) < 24 || uint64(crc32.ChecksumIEEE(p[8:])) != binary.NativeEndian.Uint64(p) {
		panic(fmt.Sprint("torn: an item of ", len(p), " bytes"))
	}
	for _, f := range attached {
		var b [16]byte
		if _, err := f.ReadAt(b[:], 0); err != nil || string(b[:]) != string(p[8:24]) {
			panic(fmt.Sprint("torn: a file of another item: ", err))
		}
		f.Close()
	}
	return binary.NativeEndian.Uint64(p[8:]), binary.NativeEndian.Uint64(p[16:])
}

func newTraffic(t *testing.T, capacity int, mode, exe string) *traffic {
	return &traffic{t: t, q: newQueue(t, capacity, mode == "files"), mode: mode, dir: t.TempDir(), exe: exe, patience: 20 * time.Second}
}

func (tr *traffic) logFile(name string) *os.File {
	f, err := os.OpenFile(filepath.Join(tr.dir, name), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if name[0] == 'p' {
		f.Close()
		f, err = os.OpenFile(filepath.Join(tr.dir, name), os.O_RDWR, 0)
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Cleanup(func() { f.Close() })
	return f
}

func (tr *traffic) produce(env ...string) *producer {
	f := tr.logFile(fmt.Sprint("p", len(tr.producers)))
	files := append([]*os.File{f}, tr.q.Files()...)
	p := &producer{playFrom(tr.t, tr.exe, env, "produce", files, fmt.Sprint(len(tr.producers)), tr.mode), f}
	tr.producers = append(tr.producers, p)
	return p
}

func (tr *traffic) consume(env ...string) *child {
	f := tr.logFile(fmt.Sprint("c", len(tr.log)))
	tr.log = append(tr.log, f)
	return playFrom(tr.t, tr.exe, env, "consume", append([]*os.File{f}, tr.q.Files()...))
}

func (tr *traffic) wrong(format string, args ...any) {
	if tr.broken == nil {
		tr.broken = fmt.Errorf(format, args...)
	}
}

// died notes how a child has ended that was to be killed.
func (tr *traffic) died(c *child) {
	err := c.reap()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		tr.wrong("a process was not killed but ended: %v", err)
	}
	c.bury()
}

// finish lets the living end, and looks at the books.
func (tr *traffic) finish(producers, consumers []*child) {
	tr.t.Helper()
	tr.q.Shutdown()
	ended := make(chan error, 1)
	go func() {
		for _, c := range append(producers, consumers...) {
			if err := c.reap(); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	select {
	case err := <-ended:
		if err != nil {
			tr.wrong("a survivor failed: %v", err)
		}
	case <-time.After(tr.patience):
		puts, gets := tr.q.Counts()
		tr.wrong("the survivors do not finish: %d items are left: %d puts, %d gets", tr.q.Len(), puts, gets)
	}
	tr.balance()
}

func (tr *traffic) balance() {
	got := map[[2]uint64]bool{}
	for _, f := range tr.log {
		b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
		if err != nil {
			tr.t.Fatal(err)
		}
		next := map[uint64]uint64{}
		for ; len(b) >= 16; b = b[16:] {
			id, seq := binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:])
			if got[[2]uint64{id, seq}] {
				tr.wrong("item %d of producer %d was got twice", seq, id)
			}
			got[[2]uint64{id, seq}] = true
			if seq < next[id] {
				tr.wrong("item %d of producer %d was got after item %d", seq, id, next[id]-1)
			}
			next[id] = seq + 1
		}
	}
	known, missing := uint64(0), 0
	for id, p := range tr.producers {
		var b [8]byte
		p.log.ReadAt(b[:], 0)
		n := binary.NativeEndian.Uint64(b[:])
		known += n
		for seq := range n {
			if !got[[2]uint64{uint64(id), seq}] {
				missing++
			}
		}
	}
	puts, gets := tr.q.Counts()
	if tr.q.Len() != 0 || puts != gets {
		tr.wrong("%d puts and %d gets", puts, gets)
	}
	lost := int(gets) - len(got)
	if lost < 0 || lost > tr.killed || missing > lost {
		tr.wrong("%d puts were committed, %d gets were seen: %d items are missing, %d of them known to be put, after %d kills of consumers",
			puts, len(got), lost, missing, tr.killed)
	}
	if puts < known || puts > known+uint64(len(tr.producers)) {
		tr.wrong("%d puts were committed, %d returned", puts, known)
	}
	tr.t.Logf("%d producers, %d consumers, %d items, %d missing after %d kills of consumers", len(tr.producers), len(tr.log), puts, lost, tr.killed)
}
