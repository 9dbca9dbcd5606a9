package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// job is what the history's thread is asked for: to keep a message, or, with a number of
// lines, to show the last ones.
type job struct {
	message
	lines int
}

// history writes messages to a file and shows those that are in it.
type history struct {
	queue   *mp.Queue[job]
	name    string
	file    *os.File // that had the name when it was last written
	screen  screen
	dropped func() int64 // messages that came and did not get here
	told    int64        // of these

	waiting atomic.Int64 // messages that were taken and are not written yet
	missing atomic.Int64 // messages that could not be written
	trouble string       // the error of the last write
}

const (
	roomInQueue = 1024     // messages; with the longest ones that come, 64 MiB
	mostAtOnce  = 64       // messages written with one call
	bytesAtOnce = 64 << 10 // of text, about
)

// openHistory opens a file to be appended to and read. It is for its owner's eyes.
func openHistory(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
}

func newHistory(file *os.File, out screen, dropped func() int64) *history {
	q, _ := thread.NewQueue[job](roomInQueue) // it has no error
	return &history{queue: q, name: file.Name(), file: file, screen: out, dropped: dropped}
}

// offer takes a message if there is room for it.
func (h *history) offer(m message) bool {
	return h.take(func(j job) error { return h.queue.TryPut(j) }, m)
}

// waitForRoom takes a message as soon as there is room, if that is before ctx ends.
func (h *history) waitForRoom(ctx context.Context, m message) bool {
	return h.take(func(j job) error { return h.queue.Put(ctx, j) }, m)
}

func (h *history) take(put func(job) error, m message) bool {
	h.waiting.Add(1) // before it can be written
	if put(job{message: m}) == nil {
		return true
	}
	h.waiting.Add(-1)
	return false
}

// run writes until the queue is closed and empty, and closes the file. What waits is
// written together.
func (h *history) run(ctx context.Context) error {
	defer func() { h.file.Close() }() // it may be another one then
	for {
		j, err := h.queue.Get(ctx)
		if err != nil {
			if errors.Is(err, mp.ErrClosed) {
				return nil
			}
			return err
		}
		var batch []message
		for size := 0; j.lines == 0; {
			batch = append(batch, j.message)
			if size += len(j.text); len(batch) == mostAtOnce || size >= bytesAtOnce {
				break
			}
			if j, err = h.queue.TryGet(); err != nil {
				break
			}
		}
		if len(batch) > 0 {
			h.keep(batch)
		}
		if j.lines > 0 {
			h.showLast(j.lines)
		}
		h.tellDropped()
	}
}

// keep writes messages, and shows them when they are in the file.
func (h *history) keep(batch []message) {
	h.screen.lines(fmt.Sprintf("正在将%d条消息写入%s", len(batch), escape(h.name)))

	var text []byte
	ends := make([]int, len(batch))
	for i, m := range batch {
		text = append(append(text, m.entry()...), '\n')
		ends[i] = len(text)
	}
	n, err := h.write(text)
	h.waiting.Add(-int64(len(batch)))
	h.tellTrouble(err)
	lines := make([]string, len(batch))
	for i, m := range batch {
		lines[i] = m.shown()
		if n < ends[i] {
			h.missing.Add(1)
			lines[i] = "not in the history: " + lines[i]
		}
	}
	h.screen.lines(lines...)
}

// write appends lines to the file, and says how many bytes of them are in it.
func (h *history) write(lines []byte) (int, error) {
	if err := h.follow(); err != nil {
		return 0, err
	}
	free := alone(h.file)
	defer free()
	if h.halfLine() {
		if _, err := h.file.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
	}
	return h.file.Write(lines)
}

// follow opens the file again if its name leads to another one or to none: someone has
// removed it, or an editor has put a new one in its place.
func (h *history) follow() error {
	here, err := h.file.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Stat(h.name); err == nil && os.SameFile(here, named) {
		return nil
	}
	file, err := openHistory(h.name)
	if err != nil {
		return err
	}
	h.file.Close()
	h.file = file
	h.screen.problem(fmt.Sprintf("%s is not the file any more that it was: it was opened again", escape(h.name)))
	return nil
}

// halfLine says whether the file ends in the middle of a line: a program was killed while
// it wrote, or the disk was full.
func (h *history) halfLine() bool {
	info, err := h.file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = h.file.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// tellTrouble says that writing does not work, and that it works again.
func (h *history) tellTrouble(err error) {
	trouble := ""
	if err != nil {
		trouble = reason(err)
	}
	if trouble == h.trouble {
		return
	}
	h.trouble = trouble
	if err != nil {
		h.screen.problem(fmt.Sprintf("cannot write the history %s: %s", escape(h.name), escape(trouble)))
		return
	}
	h.screen.problem("the history can be written again")
}

// tellDropped says how many messages did not get here, when there is room again.
func (h *history) tellDropped() {
	n := h.dropped()
	if n > h.told && !h.queue.Full() {
		h.screen.problem(fmt.Sprintf("%d messages that came were dropped: they came faster than they can be kept", n-h.told))
		h.told = n
	}
}

func (h *history) showLast(n int) {
	name := escape(h.name)
	var last []string
	var cut bool
	err := h.follow()
	if err == nil {
		last, cut, err = tail(h.file, n)
	}
	switch {
	case err != nil:
		h.screen.problem(fmt.Sprintf("cannot read the history %s: %s", name, escape(reason(err))))
		return
	case len(last) == 0 && !cut:
		h.screen.lines(fmt.Sprintf("%s is empty", name))
		return
	}
	for i, line := range last {
		last[i] = visible(line)
	}
	title := fmt.Sprintf("the last lines of %s: %d", name, len(last))
	if cut {
		title += fmt.Sprintf(", as many as its last %d MiB hold", mostBytes>>20)
	}
	h.screen.lines(append([]string{title}, last...)...)
}
