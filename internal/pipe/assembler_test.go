//go:build linux

package pipe

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// chunks are a message in chunks of so many bytes, the last one ending with last.
func chunks(kind Kind, data []byte, size int, last byte) (stream []byte) {
	h := header{kind: kind, total: uint64(len(data))}
	for {
		n := min(size, len(data))
		h.size = n
		stream = append(h.append(stream), data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return append(stream, last)
		}
		stream = append(stream, continues)
	}
}

// feed gives the inbox what a socket would, at most so many bytes at once.
func feed(in *assembler, stream []byte, most int) (messages []Message, err error) {
	for {
		if err := in.parse(); err != nil {
			return messages, err
		}
		if in.complete {
			m, err := in.take()
			if err != nil {
				return messages, err
			}
			messages = append(messages, m)
			continue
		}
		if len(stream) == 0 {
			return messages, nil
		}
		direct, tail := in.buffers()
		piece := stream[:min(most, len(stream))]
		n := copy(direct, piece)
		n += copy(tail, piece[n:])
		in.filled(n, direct)
		stream = stream[n:]
	}
}

func TestMessagesComeInPieces(t *testing.T) {
	var sent [][]byte
	var stream []byte
	for i, size := range []int{0, 1, 5, 4096, 0, 70_000, 300_000, 65536, 2} {
		data := bytes.Repeat([]byte{byte(i + 1)}, size)
		sent = append(sent, data)
		stream = append(stream, chunks(Bytes, data, maxChunk-i, complete)...)
		stream = append(stream, chunks(Value, data, 1000, aborted)...)
	}
	for _, most := range []int{1, 3, 16, 17, 4096, 65536, 1 << 20} {
		var in assembler
		got, err := feed(&in, stream, most)
		if err != nil || len(got) != len(sent) {
			t.Fatalf("at most %d bytes: %d messages, %v", most, len(got), err)
		}
		for i, m := range got {
			if !bytes.Equal(m.Data, sent[i]) || m.Kind != Bytes {
				t.Errorf("at most %d bytes: message %d is not as it was sent", most, i)
			}
		}
	}
}

// Wherever an inbox is, its replay brings another one there.
func TestReplay(t *testing.T) {
	var stream []byte
	var sent [][]byte
	for i, size := range []int{3, 0, 200_000, 65536, 65537, 10} {
		data := bytes.Repeat([]byte{byte(i + 1)}, size)
		sent = append(sent, data)
		stream = append(stream, chunks(Bytes, data, maxChunk, complete)...)
	}
	at := []int{0, 1, 16, 17, 19, 20, 35, 36, 37, 38}
	for range 300 {
		at = append(at, rand.IntN(len(stream)))
	}
	for _, at := range at {
		var first assembler
		got, err := feed(&first, stream[:at], 30_000)
		if err != nil {
			t.Fatal(err)
		}
		prefix, sets := first.replay()
		if len(sets) != 0 {
			t.Fatal("sets out of nothing")
		}
		var second assembler
		second.buf, second.w = prefix, len(prefix)
		rest, err := feed(&second, stream[at:], 30_000)
		if err != nil {
			t.Fatalf("at %d: %v", at, err)
		}
		got = append(got, rest...)
		if len(got) != len(sent) {
			t.Fatalf("at %d: %d messages", at, len(got))
		}
		for i := range got {
			if !bytes.Equal(got[i].Data, sent[i]) {
				t.Fatalf("at %d: message %d is not as it was sent", at, i)
			}
		}
	}
}

// A message that is whole and stays moves as well, with its descriptors.
func TestReplayOfWhatStays(t *testing.T) {
	files := manyFiles(t, fdpass.Max)
	for _, size := range []int{0, 10, 100_000} {
		for _, damaged := range []bool{false, true} {
			in := assembler{begun: true, complete: true, filesLost: damaged, total: uint64(size)}
			in.msg = Message{Kind: Value, Data: make([]byte, size), Files: files}
			stream, sets := in.replay()
			second := assembler{sets: sets}
			got, err := feed(&second, stream, 1<<20)
			if damaged {
				if !errors.Is(err, ErrLost) {
					t.Errorf("damaged: %v", err)
				}
				files = manyFiles(t, fdpass.Max)
				continue
			}
			if err != nil || len(got) != 1 || len(got[0].Data) != size || len(got[0].Files) != len(files) {
				t.Errorf("%d messages, %v", len(got), err)
			}
		}
	}
}

func manyFiles(t *testing.T, n int) (files []*os.File) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for range n {
		files = append(files, f) // the same one will do
	}
	return files
}

func TestNonsense(t *testing.T) {
	good := chunks(Value, []byte("good"), maxChunk, complete)
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, stream := range map[string][]byte{
		"another kind":            changed(0, 3),
		"descriptors missing":     changed(1, 1),
		"too many descriptors":    changed(1, fdpass.Max+1),
		"no mark":                 changed(2, 'x'),
		"a huge chunk":            changed(7, 1),
		"more than it says":       changed(8, 3),
		"less than it says":       changed(8, 5),
		"a total out of range":    changed(15, 0xff),
		"an unknown end":          changed(len(good)-1, 1),
		"kind changes halfway":    append(changed(len(good)-1, continues), chunks(Bytes, []byte("good"), 4, complete)...),
		"total changes halfway":   append(changed(len(good)-1, continues), chunks(Value, []byte("goo"), 4, complete)...),
		"one chunk too many":      append(changed(len(good)-1, continues), good...),
		"descriptors with bytes ": append([]byte{2}, changed(1, 1)[1:]...),
	} {
		var in assembler
		if _, err := feed(&in, stream, 1<<20); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A message that says it is huge takes no memory before it comes.
func TestHugeTotal(t *testing.T) {
	h := header{kind: Bytes, size: maxChunk, total: 1 << 50}
	var in assembler
	if _, err := feed(&in, h.append(nil), 100); err != nil {
		t.Fatal(err)
	}
	direct, _ := in.buffers()
	if len(direct) > maxChunk || cap(in.msg.Data) > 2*maxChunk {
		t.Errorf("room for %d bytes, %d taken", len(direct), cap(in.msg.Data))
	}
}

func FuzzInbox(f *testing.F) {
	f.Add(chunks(Value, []byte("good"), 2, complete), 3, 7)
	f.Add(append(chunks(Bytes, make([]byte, 100), 50, aborted), chunks(Bytes, nil, 1, complete)...), 100, 20)
	f.Fuzz(func(t *testing.T, stream []byte, most, at int) {
		most, at = max(1, most), min(max(at, 0), len(stream))
		var all assembler
		want, wantErr := feed(&all, stream, 1<<20)
		size := 0
		for _, m := range want {
			size += len(m.Data)
		}
		if size > len(stream) {
			t.Fatalf("%d bytes out of %d", size, len(stream))
		}
		// In pieces, and moved in between, it is the same.
		var first assembler
		got, err := feed(&first, stream[:at], most)
		if err == nil {
			prefix, _ := first.replay()
			second := assembler{buf: prefix, w: len(prefix)}
			var more []Message
			more, err = feed(&second, stream[at:], most)
			got = append(got, more...)
		}
		if (err == nil) != (wantErr == nil) || len(got) != len(want) {
			t.Fatalf("%d messages, %v; in one piece %d, %v", len(got), err, len(want), wantErr)
		}
		for i := range got {
			if got[i].Kind != want[i].Kind || !bytes.Equal(got[i].Data, want[i].Data) {
				t.Fatalf("message %d differs", i)
			}
		}
	})
}
