package spawn

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setTitle has ps and top show another command line than the one that the process was started with,
// which is that of the main process, so that os.Args is alike in all processes from their first
// instruction on. The words that were there stay where they are: strings of the program refer to them.
// Where the kernel refuses (it is built without CHECKPOINT_RESTORE), only comm tells children apart.
func setTitle(words []string) {
	if strconv.IntSize != 64 { // the kernel's structure has another layout there
		return
	}
	m, ok := memoryMap()
	if !ok {
		return
	}
	text := strings.Join(words, "\x00") + "\x00"
	page, err := unix.Mmap(-1, 0, len(text)+mapSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return
	}
	at := uint64(reflect.ValueOf(page).Pointer()) // of no Go memory: it stays there
	m[argStart], m[argEnd] = at+mapSize, at+mapSize+uint64(len(text))
	for i, v := range m {
		binary.NativeEndian.PutUint64(page[8*i:], v)
	}
	binary.NativeEndian.PutUint32(page[8*len(m)+8+4:], ^uint32(0)) // no other executable, and no other auxv
	copy(page[mapSize:], text)
	if unix.Prctl(unix.PR_SET_MM, unix.PR_SET_MM_MAP, uintptr(at), mapSize, 0) != nil {
		unix.Munmap(page)
	}
}

// mapSize is the size of struct prctl_mm_map: eleven addresses, a pointer, its size, a descriptor.
const mapSize = 11*8 + 8 + 4 + 4

// The places of the addresses in it.
const (
	brk      = 5
	argStart = 7
	argEnd   = 8
)

// memoryMap is where the kernel thinks that the parts of this process are.
func memoryMap() (m [11]uint64, ok bool) {
	fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return m, false
	}
	defer unix.Close(fd)
	b := make([]byte, 1024) // at most 52 numbers and a short name
	n, err := unix.Read(fd, b)
	if err != nil || n < 0 {
		return m, false
	}
	b = b[:n]
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	for i, field := range []int{26, 27, 45, 46, 47, 0, 28, 48, 49, 50, 51} { // as proc(5) counts them
		if i == brk {
			now, _, _ := unix.RawSyscall(unix.SYS_BRK, 0, 0, 0)
			m[i] = uint64(now)
			continue
		}
		if field-3 >= len(fields) {
			return m, false
		}
		if m[i], err = strconv.ParseUint(fields[field-3], 10, 64); err != nil {
			return m, false
		}
	}
	return m, true
}
