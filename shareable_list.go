package mp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// ShareableList is a list of numbers, bools, texts and bytes in shared memory that has a name. Its layout is
// that of multiprocessing.shared_memory.ShareableList in Python 3.9 and later: a Python program opens it by
// ShareableList(name=...), and each program gets what the other sets. The list has a fixed length, and each text
// has a fixed room: the size it was made with, rounded up to 8 bytes, and 8 more if it fills them.
//
// It is shareable as its Memory is. Nothing orders Get and Set, and a Get during a Set may return half a text:
// guard the list by a Lock. Each method reads the memory anew and checks it, since other programs write there;
// it costs some ten nanoseconds and does not wait. Any number of goroutines may use it.
//
// As in Python, zero bytes at the end of a text or of bytes are lost.
type ShareableList struct{ memory *Memory }

// The kinds of values, as the list notes them beside the format.
const (
	listPlain = iota // int, float, bool
	listText
	listBytes
	listNone
)

const (
	listWord  = 8 // what everything is aligned to
	formatInt = "q"
	formatDbl = "d"
	formatBoo = "xxxxxxx?" // the bool is the last of eight bytes
	formatNon = "xxxxxx?x"
)

// CreateShareableList makes a list of values under a name, as ShareableList(values, name=name) in Python. An
// empty name stands for an unused one. A value is an integer that fits 64 bits, a float, a bool, a string, a
// []byte or nil. The list stays until Memory().Unlink.
//
// The errors are those of CreateMemory, and one that names a value that cannot be in a list.
func CreateShareableList(name string, values ...any) (*ShareableList, error) {
	cells := make([]listCell, len(values))
	offsets := make([]uint64, 1, len(values)+1)
	for i, v := range values {
		c, err := cellOf(v)
		if err != nil {
			return nil, fmt.Errorf("mp: CreateShareableList: value %d: %w", i, err)
		}
		room := uint64(listWord)
		if c.sized() {
			room = uint64(listWord * (len(c.data)/listWord + 1))
			c.format = strconv.FormatUint(room, 10) + "s"
			if len(c.format) > listWord {
				return nil, fmt.Errorf("mp: CreateShareableList: value %d has %d bytes, which the layout has no room for", i, len(c.data))
			}
		}
		cells[i] = c
		offsets = append(offsets, offsets[i]+room)
	}
	n := uint64(len(values))
	at := listLayout{n: n, data: (n + 2) * listWord, formats: (n+2)*listWord + offsets[n]}
	m, err := CreateMemory(name, int(at.end()))
	if err != nil {
		return nil, err
	}
	b := m.Bytes()
	binary.NativeEndian.PutUint64(b, n)
	for i, offset := range offsets {
		binary.NativeEndian.PutUint64(b[listWord*(i+1):], offset)
	}
	for i, c := range cells {
		at.put(b, uint64(i), at.data+offsets[i], at.data+offsets[i+1], c)
	}
	return &ShareableList{m}, nil
}

// OpenShareableList opens a list by its name, as ShareableList(name=name) in Python. Python may remove the name,
// as OpenMemory describes. Before Python 3.13 only resource_tracker.unregister(l.shm._name, "shared_memory")
// prevents that.
//
// The errors are those of OpenMemory, and one for memory that holds no list.
func OpenShareableList(name string) (*ShareableList, error) {
	m, err := OpenMemory(name)
	if err != nil {
		return nil, err
	}
	l := &ShareableList{m}
	if _, _, err := l.layout(); err != nil {
		m.Close()
		return nil, errtext.Errorf("mp: OpenShareableList(%q): %w", name, err)
	}
	return l, nil
}

// Memory is the memory that the list is in: its Name, Close and Unlink are the list's.
func (l *ShareableList) Memory() *Memory {
	if l == nil {
		return nil
	}
	return l.memory
}

// Close is that of its Memory: see there.
func (l *ShareableList) Close() error { return l.Memory().Close() }

// Err is that of its Memory: see there.
func (l *ShareableList) Err() error { return l.Memory().Err() }

// Len is how many values the list has; 0 after Close.
func (l *ShareableList) Len() int {
	_, at, err := l.layout()
	if err != nil {
		return 0
	}
	return int(at.n)
}

// Get returns value i: an int64, float64, bool, string, its own []byte, or nil. The error is ErrClosed after
// Close. Get also fails if i is not in the list, or if another program has garbled the memory.
func (l *ShareableList) Get(i int) (any, error) {
	defer runtime.KeepAlive(l)
	b, at, err := l.layout()
	if err != nil {
		return nil, errtext.Errorf("mp: ShareableList.Get: %w", err)
	}
	v, err := at.get(b, i)
	if err != nil {
		return nil, errtext.Errorf("mp: ShareableList.Get(%d): %w", i, err)
	}
	return v, nil
}

// Set sets value i, to one of any kind. The error is ErrClosed after Close, one that says why v cannot be in a
// list or is too long for the room of value i (Python's ValueError), or one of those of Get; then nothing has
// changed.
func (l *ShareableList) Set(i int, v any) error {
	defer runtime.KeepAlive(l)
	b, at, err := l.layout()
	if err != nil {
		return errtext.Errorf("mp: ShareableList.Set: %w", err)
	}
	c, err := cellOf(v)
	if err == nil {
		err = at.set(b, i, c)
	}
	if err != nil {
		return errtext.Errorf("mp: ShareableList.Set(%d): %w", i, err)
	}
	return nil
}

// All yields the indices and values. It ends at the first value for which Get would return an error.
func (l *ShareableList) All() iter.Seq2[int, any] {
	return func(yield func(int, any) bool) {
		for i := range l.Len() {
			v, err := l.Get(i)
			if err != nil || !yield(i, v) {
				return
			}
		}
	}
}

// layout reads where everything is.
func (l *ShareableList) layout() ([]byte, listLayout, error) {
	if l == nil || l.memory == nil {
		return nil, listLayout{}, notMade("ShareableList")
	}
	b := l.memory.Bytes()
	if b == nil {
		return nil, listLayout{}, carrier.ErrMemoryClosed
	}
	size := uint64(len(b))
	if size < 2*listWord {
		return nil, listLayout{}, errors.New("the memory is no list: it is too small")
	}
	n := binary.NativeEndian.Uint64(b)
	if n > size/listWord-2 {
		return nil, listLayout{}, fmt.Errorf("the memory is no list: %d values do not fit into %d bytes", n, size)
	}
	at := listLayout{n: n, data: (n + 2) * listWord}
	used := binary.NativeEndian.Uint64(b[(n+1)*listWord:])
	if used > size {
		return nil, listLayout{}, errors.New("the memory is no list: its values are longer than the memory")
	}
	at.formats = at.data + used
	if at.end() > size {
		return nil, listLayout{}, errors.New("the memory is no list: it is too small for the values it says it has")
	}
	return b, at, nil
}

// listLayout is where the parts of a list are: a count, count+1 offsets, the values, their formats of 8 bytes
// each, and a byte each for their kinds.
type listLayout struct{ n, data, formats uint64 }

func (at listLayout) end() uint64 { return at.formats + at.n*(listWord+1) }

// cell is where value i is, as far as the offsets can be believed.
func (at listLayout) cell(b []byte, i int) (from, to uint64, err error) {
	if i < 0 || uint64(i) >= at.n {
		return 0, 0, fmt.Errorf("%w: the list has %d values", fs.ErrInvalid, at.n)
	}
	from = at.data + min(binary.NativeEndian.Uint64(b[(i+1)*listWord:]), math.MaxInt64)
	to = at.data + min(binary.NativeEndian.Uint64(b[(i+2)*listWord:]), math.MaxInt64)
	if from > to || to > at.formats || to-from < listWord {
		return 0, 0, errors.New("its place in the memory was garbled")
	}
	return from, to, nil
}

// format is where the format of value i is.
func (at listLayout) format(b []byte, i uint64) []byte {
	from := at.formats + i*listWord
	return b[from : from+listWord]
}

// kind is where the kind of value i is.
func (at listLayout) kind(b []byte, i uint64) *byte { return &b[at.formats+at.n*listWord+i] }

func (at listLayout) get(b []byte, i int) (any, error) {
	from, to, err := at.cell(b, i)
	if err != nil {
		return nil, err
	}
	data := b[from:to]
	format := string(bytes.TrimRight(at.format(b, uint64(i)), "\x00"))
	switch format {
	case formatInt:
		return int64(binary.NativeEndian.Uint64(data)), nil
	case formatDbl:
		return math.Float64frombits(binary.NativeEndian.Uint64(data)), nil
	case formatBoo:
		return data[7] != 0, nil
	case formatNon:
		return nil, nil
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(format, "s"), 10, 63)
	if err != nil || !strings.HasSuffix(format, "s") || n > uint64(len(data)) {
		return nil, fmt.Errorf("it has the format %q, which no value of a list has", format)
	}
	data = bytes.TrimRight(data[:n], "\x00")
	if *at.kind(b, uint64(i)) == listText {
		return string(data), nil
	}
	return append([]byte{}, data...), nil
}

func (at listLayout) set(b []byte, i int, c listCell) error {
	from, to, err := at.cell(b, i)
	if err != nil {
		return err
	}
	if c.sized() {
		if room := to - from; uint64(len(c.data)) > room {
			return fmt.Errorf("%w: %d bytes, and there is room for %d", fs.ErrInvalid, len(c.data), room)
		}
		c.format = strconv.FormatUint(to-from, 10) + "s"
	}
	at.put(b, uint64(i), from, to, c)
	return nil
}

// put writes a cell into its room.
func (at listLayout) put(b []byte, i, from, to uint64, c listCell) {
	clear(at.format(b, i))
	copy(at.format(b, i), c.format)
	*at.kind(b, i) = c.kind
	clear(b[from+uint64(copy(b[from:to], c.data)) : to])
}

// listCell is a value as the memory has it.
type listCell struct {
	format string // of what has no room of its own
	kind   byte
	data   []byte
}

// sized says that the format tells the room.
func (c *listCell) sized() bool { return c.kind == listText || c.kind == listBytes }

func cellOf(v any) (listCell, error) {
	word := func(format string, bits uint64) (listCell, error) {
		return listCell{format, listPlain, binary.NativeEndian.AppendUint64(nil, bits)}, nil
	}
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return listCell{formatNon, listNone, make([]byte, listWord)}, nil
	case r.CanInt():
		return word(formatInt, uint64(r.Int()))
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return word(formatInt, r.Uint())
	case r.CanUint():
		return listCell{}, fmt.Errorf("%d does not fit a signed integer of 64 bits", r.Uint())
	case r.CanFloat():
		return word(formatDbl, math.Float64bits(r.Float()))
	case r.Kind() == reflect.Bool:
		data := make([]byte, listWord)
		if r.Bool() {
			data[7] = 1
		}
		return listCell{formatBoo, listPlain, data}, nil
	case r.Kind() == reflect.String:
		return listCell{kind: listText, data: []byte(r.String())}, nil
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8:
		return listCell{kind: listBytes, data: r.Bytes()}, nil
	}
	return listCell{}, fmt.Errorf("a %T cannot be in a list: integers, floats, bools, strings, []byte and nil can", v)
}
