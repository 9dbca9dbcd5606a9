package spawn

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setTitle changes the command line that ps and top show. The process was started with that of
// the main process, so that os.Args is the same in all processes from the first instruction on.
// The original words stay in place, because strings of the program refer to them. If the kernel
// refuses (built without CHECKPOINT_RESTORE), only comm distinguishes children.
func setTitle(words []string) {
	if strconv.IntSize != 64 { // the kernel's structure has another layout on 32-bit systems
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
	at := uint64(reflect.ValueOf(page).Pointer()) // outside Go memory: it does not move
	m[argStart], m[argEnd] = at+mapSize, at+mapSize+uint64(len(text))
	for i, v := range m {
		binary.NativeEndian.PutUint64(page[8*i:], v)
	}
	binary.NativeEndian.PutUint32(page[8*len(m)+8+4:], ^uint32(0)) // leave the executable and auxv unchanged
	copy(page[mapSize:], text)
	if unix.Prctl(unix.PR_SET_MM, unix.PR_SET_MM_MAP, uintptr(at), mapSize, 0) != nil {
		unix.Munmap(page)
	}
}

// mapSize is the size of struct prctl_mm_map: eleven addresses, a pointer, its size, a
// descriptor.
const mapSize = 11*8 + 8 + 4 + 4

// Indices of addresses in prctl_mm_map.
const (
	brk      = 5
	argStart = 7
	argEnd   = 8
)

// memoryMap returns the addresses that the kernel has recorded for the parts of this process.
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
	for i, field := range []int{26, 27, 45, 46, 47, 0, 28, 48, 49, 50, 51} { // numbered as in proc(5)
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
