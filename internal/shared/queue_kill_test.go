//go:build linux

package shared_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// long is how often something is done under MP_LONG.
func long(long, short int) int {
	if os.Getenv("MP_LONG") != "" {
		return long
	}
	return short
}

func TestQueueSurvivesKills(t *testing.T) {
	for _, mode := range []string{"small", "spill", "files"} {
		for _, capacity := range []int{0, 7} {
			t.Run(fmt.Sprint(mode, capacity), func(t *testing.T) {
				tr := newTraffic(t, capacity, mode, "/proc/self/exe")
				var producers, consumers []*child
				for range 2 {
					producers = append(producers, tr.produce().child)
					consumers = append(consumers, tr.consume())
				}
				for range long(500, 14) {
					time.Sleep(time.Duration(rand.IntN(25_000)) * time.Microsecond)
					i := rand.IntN(2)
					if rand.IntN(2) == 0 {
						producers[i].Process.Kill()
						tr.died(producers[i])
						producers[i] = tr.produce().child
					} else {
						consumers[i].Process.Kill()
						tr.died(consumers[i])
						tr.killed++
						consumers[i] = tr.consume()
					}
				}
				tr.finish(producers, consumers)
				if tr.broken != nil {
					t.Error(tr.broken)
				}
			})
		}
	}
}

var invariants struct {
	sync.Once
	file *os.File
	exe  string
	err  error
}

// invariantsExe is this package's test binary, built with the tag mpinvariants.
func invariantsExe(t *testing.T) string {
	t.Helper()
	if shm.Invariants {
		return "/proc/self/exe"
	}
	invariants.Do(func() {
		dir, err := os.MkdirTemp("", "mp-queue-")
		if err != nil {
			invariants.err = err
			return
		}
		defer os.RemoveAll(dir) // the open file stays
		exe := filepath.Join(dir, "shared.test")
		out, err := exec.Command("go", "test", "-c", "-tags", "mpinvariants", "-o", exe, ".").CombinedOutput()
		if err == nil {
			invariants.file, err = os.Open(exe)
		}
		if err != nil {
			invariants.err = fmt.Errorf("%w: %s", err, out)
			return
		}
		invariants.exe = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), invariants.file.Fd())
	})
	if invariants.err != nil {
		t.Fatal(invariants.err)
	}
	return invariants.exe
}

// The labelled points, by what items make a put or a get come by there.
var (
	putPoints = map[string][]string{
		"small": {"locked", "headed", "written", "committed", "unlocked", "woken"},
		"spill": {"begun", "overflows", "headed", "written", "committed", "unlocked", "woken"},
		"files": {"tagged", "written", "sent", "committed", "unlocked"},
	}
	getPoints = map[string][]string{
		"small": {"locked", "read", "getter", "announced", "committed", "settled", "unlocked", "woken"},
		"spill": {"read", "announced", "committed", "punched", "emptied", "settled"},
		"files": {"read", "peeked", "announced", "committed", "settled", "stale"},
	}
)

func TestQueueSurvivesADeathAtEachPoint(t *testing.T) {
	exe := invariantsExe(t)
	for _, mode := range []string{"small", "spill", "files"} {
		for _, point := range putPoints[mode] {
			dieAt(t, exe, mode, "queue.put."+point)
		}
		for _, point := range getPoints[mode] {
			dieAt(t, exe, mode, "queue.get."+point)
		}
	}
}

func dieAt(t *testing.T, exe, mode, point string) {
	t.Run(mode+"/"+point, func(t *testing.T) {
		t.Parallel()
		capacity := 0
		switch point { // where one comes only if the spill was empty, or is
		case "queue.put.begun", "queue.put.woken", "queue.get.emptied":
			capacity = 3
		}
		if mode == "small" {
			capacity = 3
		}
		most := 20
		if point == "queue.get.emptied" {
			most = 1 // one seldom comes there
		}
		for _, skip := range []int{0, rand.IntN(most)} {
			tr := newTraffic(t, capacity, mode, exe)
			tr.dieAt(point, skip)
			if tr.broken != nil {
				t.Error(tr.broken)
			}
		}
	})
}

func (tr *traffic) dieAt(point string, skip int) {
	tr.t.Helper()
	env := fmt.Sprint("MP_POINT=", point, ":", skip)
	first := tr.produce().child
	var victims []*child
	survivors := []*child{tr.produce().child}
	switch {
	case point == "queue.get.stale": // one leaves something, another finds it
		leaves := tr.produce("MP_POINT=queue.put.sent:2")
		victims = []*child{leaves.child, tr.consume("MP_POINT=" + point)}
		tr.killed++
	case strings.Contains(point, ".put."):
		victims = []*child{tr.produce(env).child}
		survivors = append(survivors, tr.consume())
	default:
		victims = []*child{tr.consume(env), tr.consume(env)}
		tr.killed += 2
	}
	for _, v := range victims {
		tr.expectDeath(v, point)
	}
	survivors = append(survivors, tr.consume())
	time.Sleep(20 * time.Millisecond)
	tr.finish([]*child{first}, survivors)
}

func (tr *traffic) expectDeath(c *child, point string) {
	tr.t.Helper()
	watchdog := time.AfterFunc(time.Minute, func() {
		tr.t.Errorf("%s was not reached", point)
		c.Process.Kill()
	})
	tr.died(c)
	watchdog.Stop()
}

// Faults of a queue are found by the very same test.
func TestQueueKillsFindFaults(t *testing.T) {
	exe := invariantsExe(t)
	for _, what := range []string{"put", "get"} {
		t.Run(what, func(t *testing.T) {
			fault := faultVar + "=" + what
			for range 20 {
				tr := newTraffic(t, 0, "small", exe)
				tr.patience = 2 * time.Second
				producers, consumers := []*child{tr.produce(fault).child}, []*child{tr.consume(fault)}
				for range 3 {
					victim := tr.produce(fault, "MP_POINT=queue.put.headed:30")
					time.AfterFunc(tr.patience, func() { victim.Process.Kill() })
					tr.died(victim.child)
				}
				consumers = append(consumers, tr.consume(fault))
				time.Sleep(20 * time.Millisecond)
				tr.finish(producers, consumers)
				if tr.broken != nil {
					t.Log("found:", tr.broken)
					return
				}
			}
			t.Error("not found")
		})
	}
}
