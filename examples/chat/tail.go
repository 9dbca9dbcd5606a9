package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
)

const (
	usualLines = 20
	mostLines  = 10_000
	mostBytes  = 16 << 20 // of the file's end are read
)

// tail is the last n lines of a file without their line breaks. It reads from the end, so
// that a history of years costs no more than a new one. With cut they are fewer because
// the file's last mostBytes hold no more.
func tail(file *os.File, n int) (lines []string, cut bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, errors.New("it is not a file that can be read back")
	}
	const block = 64 << 10
	end := info.Size()
	from, breaks := end, 0
	var blocks [][]byte // the last one first
	for from > 0 && breaks <= n && end-from < mostBytes {
		b := make([]byte, min(block, from))
		from -= int64(len(b))
		if _, err := file.ReadAt(b, from); err != nil {
			return nil, false, err
		}
		blocks = append(blocks, b)
		breaks += bytes.Count(b, []byte{'\n'})
	}
	var text strings.Builder
	for i := len(blocks) - 1; i >= 0; i-- {
		text.Write(blocks[i])
	}
	if text.Len() == 0 {
		return nil, false, nil
	}
	lines = strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if len(lines) > n {
		return lines[len(lines)-n:], false, nil
	}
	if from > 0 { // there is more of the first line, and more lines
		return lines[1:], true, nil
	}
	return lines, false, nil
}
