package spawn

import (
	"encoding/binary"
	"io"
	"strconv"
)

// segmentTypes reads the segment types of an ELF file for this machine. Package debug/elf would
// make every program that uses mp larger.
func segmentTypes(f io.ReaderAt) ([]uint32, error) {
	var head [64]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	if string(head[:4]) != "\x7fELF" {
		return nil, errELF
	}
	order := binary.NativeEndian
	at, size, n := order.Uint64(head[32:]), order.Uint16(head[54:]), order.Uint16(head[56:])
	if strconv.IntSize == 32 {
		at, size, n = uint64(order.Uint32(head[28:])), order.Uint16(head[42:]), order.Uint16(head[44:])
	}
	var types []uint32
	for i := range int64(n) {
		var word [4]byte
		if _, err := f.ReadAt(word[:], int64(at)+i*int64(size)); err != nil {
			return nil, err
		}
		types = append(types, order.Uint32(word[:]))
	}
	return types, nil
}
