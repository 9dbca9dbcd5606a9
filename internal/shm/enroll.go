package shm

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Request is what a process sends to its parent when it wants a place in the process table.
type Request struct {
	Key  uint64
	Name string
	// PIDFD stands for the process once its own parent has passed the request on.
	PIDFD *os.File
}

// answerTime is how long the main process may take to answer a request for a place. It is
// some 50 microseconds, unless it is stopped.
const answerTimeout = 5 * time.Second

var (
	errTableFull = fmt.Errorf("%d processes of this program share already, and there is no room for more: "+
		"let some of them end, or give shared objects to fewer", Slots)
	errNoAnswer = errors.New("the main process has not answered for 5 seconds: is it, or a process between, stopped?")
)

// enroll maps the table and waits for a place. The lock on program is held.
func enroll() (*table, error) {
	if err := check(program.file, tableSize); err != nil {
		return nil, err
	}
	region, err := mapForReading(program.file, tableSize)
	if err != nil {
		return nil, err
	}
	t := newTable(region, false)
	if t.me, err = t.awaitSlot(program.key, program.name, program.ask); err != nil {
		region.unmap()
		return nil, err
	}
	return t, nil
}

// awaitPlace asks for a place and returns when the main process has written it into the table.
func (t *table) awaitSlot(key uint64, name string, ask func(Request)) (ID, error) {
	if id, ok := t.find(key); ok { // the answer to a request that was given up
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
		if Elapsed(asked) > answerTimeout {
			return 0, errNoAnswer
		}
		futexWait(answers, answer, 100*time.Millisecond)
	}
}

// settle returns when all that this process will write down is later than its place, by
// its own reading of the shared clock.
func (t *table) awaitClock(id ID) ID {
	joined := int64(t.joined(id.slot()).Load())
	for late := joined - Now(); late >= 0 && late < int64(time.Second); late = joined - Now() {
		time.Sleep(time.Duration(late) + 1)
	}
	return id
}
