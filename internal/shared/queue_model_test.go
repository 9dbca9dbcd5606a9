//go:build linux

package shared_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	// queuePuppet does to a queue what another queue tells it, and answers by a third. A
	// command comes with the queue if it is a new one.
	roles["queuePuppet"] = func(files []*os.File, _ []string) {
		commands, answers := openQueue(files[:3]...), openQueue(files[3])
		var q *shared.Queue
		for {
			p, attached, err := commands.Get(context.Background(), nil)
			must(err)
			if len(attached) > 0 {
				q = openQueue(attached...)
			}
			must(answers.TryPut(bytesItem([]byte(queueDo(q, string(p))))))
		}
	}
	roles["queueHistory"] = func(files []*os.File, args []string) {
		q, out := openQueue(files[0]), bufio.NewWriter(files[1])
		var mu sync.Mutex
		var wait sync.WaitGroup
		for i := range 2 {
			wait.Go(func() { queueHistory(q, atoi(args[0])*1000+i*500, out, &mu) })
		}
		wait.Wait()
		must(out.Flush())
	}
}

// over is a ctx that has ended.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// queueDo does one thing that does not wait, and says what came of it.
func queueDo(q *shared.Queue, command string) string {
	var what string
	var n, size int
	fmt.Sscan(command, &what, &n, &size)
	switch what {
	case "put":
		err := q.TryPut(bytesItem(modelItem(n, size)))
		return fmt.Sprint(err)
	case "get":
		p, _, err := q.TryGet(nil)
		if err != nil {
			return fmt.Sprint(err)
		}
		n := int(binary.NativeEndian.Uint64(p))
		if !slices.Equal(p, modelItem(n, len(p)-8)) {
			return "torn"
		}
		return fmt.Sprint(n)
	case "done":
		return fmt.Sprint(q.TaskDone())
	case "join":
		return fmt.Sprint(q.Join(over))
	case "close":
		q.Shutdown()
	case "closeNow":
		return fmt.Sprint(closeNow(q))
	}
	return fmt.Sprint(q.Len(), q.Full(), q.Readable())
}

func modelItem(n, size int) []byte {
	return append(binary.NativeEndian.AppendUint64(nil, uint64(n)), pattern(size, n)...)
}

// queueModel is what a queue must do.
type queueModel struct {
	items    []int
	capacity int
	closed   bool
	owed     [3]int // by each process
}

func (m *queueModel) do(who int, command string) string {
	var what string
	var n int
	fmt.Sscan(command, &what, &n)
	switch what {
	case "put":
		switch {
		case m.closed:
			return fmt.Sprint(carrier.ErrQueueClosed)
		case m.capacity > 0 && len(m.items) >= m.capacity:
			return fmt.Sprint(carrier.ErrFull)
		}
		m.items = append(m.items, n)
		return "<nil>"
	case "get":
		switch {
		case len(m.items) > 0:
			n, m.items = m.items[0], m.items[1:]
			m.owed[who]++
			return fmt.Sprint(n)
		case m.closed:
			return fmt.Sprint(carrier.ErrQueueClosed)
		}
		return fmt.Sprint(carrier.ErrEmpty)
	case "done":
		if m.owed[who] == 0 {
			return fmt.Sprint(carrier.ErrNotGot)
		}
		m.owed[who]--
		return "<nil>"
	case "join":
		if len(m.items) > 0 || m.owed != [3]int{} {
			return fmt.Sprint(context.Canceled)
		}
		return "<nil>"
	case "close":
		m.closed = true
	case "closeNow":
		dropped := len(m.items)
		m.items, m.closed = nil, true
		return fmt.Sprint(dropped)
	}
	return fmt.Sprint(len(m.items), m.capacity > 0 && len(m.items) >= m.capacity, len(m.items) > 0 || m.closed)
}

func TestQueueAgainstAModel(t *testing.T) {
	var commands, answers [2]*shared.Queue
	for i := range commands {
		commands[i], answers[i] = newQueue(t, 0, true), newQueue(t, 0, false)
		play(t, "queuePuppet", append(commands[i].Files(), answers[i].Files()...))
	}
	rapid.Check(t, func(t *rapid.T) {
		m := &queueModel{capacity: rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "capacity")}
		q, err := shared.NewQueue(m.capacity, false, queueKind)
		if err != nil {
			t.Fatal(err)
		}
		var new [2]bool
		for i := range rapid.IntRange(1, 80).Draw(t, "steps") {
			what := rapid.SampledFrom([]string{"put", "put", "put", "put", "get", "get", "get", "done", "done", "join", "look", "look", "close", "closeNow"}).Draw(t, "what")
			if strings.HasPrefix(what, "close") && rapid.IntRange(0, 5).Draw(t, "really") > 0 {
				continue
			}
			size := rapid.SampledFrom([]int{0, 5, 100, 40_000, 300_000, 600_000}).Draw(t, "size")
			who := rapid.IntRange(0, 2).Draw(t, "who")
			command := fmt.Sprint(what, " ", i, " ", size)
			var got string
			if who == 2 {
				got = queueDo(q, command)
			} else {
				item := bytesItem([]byte(command))
				if !new[who] {
					item.Files, new[who] = q.Files(), true
				}
				must(commands[who].TryPut(item))
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				p, _, err := answers[who].Get(ctx, nil)
				cancel()
				must(err)
				got = string(p)
			}
			if want := m.do(who, command); got != want {
				t.Fatalf("process %d: %s: %s, want %s", who, command, got, want)
			}
		}
	})
}

// monotonic is the kernel's clock, which is more exact between processes than shm.Now.
func monotonic() int64 {
	var ts unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts))
	return ts.Nano()
}

// queueHistory does random things with a queue, and writes down what, when and with which
// result: a number that was put or got, -1 for none, or a length.
func queueHistory(q *shared.Queue, from int, out *bufio.Writer, mu *sync.Mutex) {
	for i := range 60 {
		call := monotonic()
		what, n, ok := rand.IntN(5), from+i, true
		switch what {
		case opPut:
			size := rand.IntN(100)
			if rand.IntN(5) == 0 {
				size = 600_000
			}
			err := q.TryPut(bytesItem(modelItem(n, size)))
			if err == shared.ErrBusyFull {
				continue // the other process is in the way
			}
			if ok = err == nil; !ok && err != carrier.ErrFull {
				panic(err)
			}
		case opGet:
			p, _, err := q.TryGet(nil)
			if err == shared.ErrBusyEmpty {
				continue
			}
			if ok = err == nil; !ok && err != carrier.ErrEmpty {
				panic(err)
			}
			if ok {
				n = int(binary.NativeEndian.Uint64(p))
			}
		case opLen:
			n = q.Len()
		case opFull:
			ok = q.Full()
		default:
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(2000))*time.Microsecond)
			p, _, err := q.Get(ctx, nil)
			cancel()
			if err != nil && err != context.DeadlineExceeded {
				panic(err)
			}
			if err != nil {
				continue // it has done nothing
			}
			what, n = opGet, int(binary.NativeEndian.Uint64(p))
		}
		returned := monotonic()
		mu.Lock()
		fmt.Fprintln(out, what, call, returned, n, ok)
		mu.Unlock()
	}
}

const (
	opPut = iota
	opGet
	opLen
	opFull
)

type queueStep struct {
	op, n int
	ok    bool
}

const historyCapacity = 4

// queueHistoryModel has the queue as its state, as text.
var queueHistoryModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, _ any) (bool, any) {
		s, in := state.(string), input.(queueStep)
		items := strings.Fields(s)
		switch in.op {
		case opPut:
			if !in.ok {
				return len(items) == historyCapacity, s
			}
			return len(items) < historyCapacity, s + fmt.Sprint(in.n, " ")
		case opGet:
			if !in.ok {
				return len(items) == 0, s
			}
			if len(items) == 0 || items[0] != fmt.Sprint(in.n) {
				return false, s
			}
			return true, s[len(items[0])+1:]
		case opLen:
			return in.n == len(items), s
		}
		return in.ok == (len(items) == historyCapacity), s
	},
}

func TestQueueIsLinearizable(t *testing.T) {
	t.Parallel()
	for range long(50, 3) {
		q := newQueue(t, historyCapacity, false)
		var ops []porcupine.Operation
		var logs []*os.File
		var team []*child
		for i := range 2 {
			f, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			logs = append(logs, f)
			team = append(team, play(t, "queueHistory", []*os.File{q.Files()[0], f}, fmt.Sprint(i+1)))
		}
		for i, c := range team {
			c.ended()
			logs[i].Seek(0, 0)
			for lines := bufio.NewScanner(logs[i]); lines.Scan(); {
				var in queueStep
				o := porcupine.Operation{ClientId: i}
				fmt.Sscan(lines.Text(), &in.op, &o.Call, &o.Return, &in.n, &in.ok)
				o.Input = in
				ops = append(ops, o)
			}
		}
		checkHistory(t, ops, porcupine.Ok)
		for i, o := range ops { // the check finds an item that is got twice
			if in := o.Input.(queueStep); in.op == opGet && in.ok {
				checkHistory(t, append(slices.Clone(ops), ops[i]), porcupine.Illegal)
				break
			}
		}
	}
}

func checkHistory(t *testing.T, ops []porcupine.Operation, want porcupine.CheckResult) {
	t.Helper()
	if got := porcupine.CheckOperationsTimeout(queueHistoryModel, ops, 10*time.Second); got != want {
		t.Errorf("a history of %d operations is %s, want %s", len(ops), got, want)
		slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		for _, o := range ops {
			t.Log(o.ClientId, o.Call-ops[0].Call, o.Return-ops[0].Call, fmt.Sprintf("%+v", o.Input))
		}
	}
}
