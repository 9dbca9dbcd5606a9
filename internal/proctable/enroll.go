package proctable

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Request is what a process sends to its parent to get a slot in the table.
type Request struct {
	Key  uint64
	Name string
	// PIDFD refers to the process. Its parent adds it when it passes the request on.
	PIDFD *os.File
}

// answerTimeout is how long the main process may take to answer a request. It takes some
// 50 microseconds, unless it is stopped.
const answerTimeout = 5 * time.Second

var (
	errTableFull = fmt.Errorf("%d processes of this program already share memory, which is the limit: "+
		"let some of them end, or give shared objects to fewer", Slots)
	errNoAnswer = errors.New("the main process did not answer within 5 seconds: is it, or a process between, stopped?")
)

// enroll maps the table and waits for a slot. The caller holds the lock on program.
func enroll() (*Table, error) {
	region, err := shm.OpenReadOnly(program.file, tableSize)
	if err != nil {
		return nil, err
	}
	t := newTable(region, false)
	if t.me, err = t.awaitSlot(program.key, program.name, program.ask); err != nil {
		region.Unmap()
		return nil, err
	}
	return t, nil
}

// awaitSlot asks for a slot and returns when the main process has written it into the table.
func (t *Table) awaitSlot(key uint64, name string, ask func(Request)) (ID, error) {
	if id, ok := t.find(key); ok { // the answer to an earlier request, which timed out
		return t.awaitClock(id), nil
	}
	answers, refused := t.region.Word32(answersAt), t.region.Word(refusedAt)
	before := refused.Load()
	ask(Request{Key: key, Name: name})
	for asked := time.Now(); ; {
		answer := answers.Load()
		if id, ok := t.find(key); ok {
			return t.awaitClock(id), nil
		}
		for n := max(before, refused.Load()-min(refused.Load(), refusals)); n < refused.Load(); n++ {
			if t.region.Word(refusalsAt+8*int(n%refusals)).Load() == key {
				return 0, errTableFull
			}
		}
		if shm.Elapsed(asked) > answerTimeout {
			return 0, errNoAnswer
		}
		shm.FutexWait(answers, answer, 100*time.Millisecond)
	}
}

// awaitClock returns when this process's reading of the shared clock is past the time at
// which it got its slot, so that all times that it writes are later.
func (t *Table) awaitClock(id ID) ID {
	joined := int64(t.joined(id.Slot()).Load())
	for late := joined - shm.Now(); late >= 0 && late < int64(time.Second); late = joined - shm.Now() {
		time.Sleep(time.Duration(late) + 1)
	}
	return id
}
