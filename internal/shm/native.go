package shm

import "encoding/binary"

// nativeWord is the word at the start of b.
func nativeWord(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }
