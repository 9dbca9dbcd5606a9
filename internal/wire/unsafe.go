package wire

import (
	"reflect"
	"unsafe"
)

// This file is the only one of the package that knows unsafe. Plans work on
// the address of a value rather than on a reflect.Value, because that makes
// unexported fields ordinary and costs a fraction of the time. An address is
// always that of a live Go variable, held as a pointer the collector sees.

// address is where a value of a type known from the context lives.
type address = unsafe.Pointer

// wordSize is the size of a pointer. What holds pointers has a multiple of it.
const wordSize = unsafe.Sizeof(address(nil))

// sliceHeader is the memory of any slice.
type sliceHeader struct {
	data address
	len  int
	cap  int
}

// oneByte gives empty slices, which are not nil, a place to point at.
var oneByte [8]byte

// addressOf returns the address of the variable that v points to.
func addressOf[T any](v *T) address { return address(v) }

// at views the variable at p as a T. The caller knows that it is one.
func at[T any](p address) *T { return (*T)(p) }

// offset returns the address n bytes behind p, inside the same variable.
func offset(p address, n uintptr) address { return unsafe.Add(p, n) }

// memory views n bytes at p. They hold no pointers.
func memory(p address, n uintptr) []byte { return unsafe.Slice((*byte)(p), n) }

// valueAt views the variable at p through reflection; the result is settable.
func valueAt(t reflect.Type, p address) reflect.Value { return reflect.NewAt(t, p).Elem() }

// pointerAt returns a *t to the variable at p.
func pointerAt(t reflect.Type, p address) reflect.Value { return reflect.NewAt(t, p) }

// addressOfValue returns the address of v, which is addressable.
func addressOfValue(v reflect.Value) address { return v.Addr().UnsafePointer() }

// slotOf spreads addresses over the slots of a watch.
func slotOf(p address) int {
	const golden = 0x9e3779b97f4a7c15
	return int(uint64(uintptr(p)) * golden >> 32 % recentNodes)
}

// newValue allocates a zero t.
func newValue(t reflect.Type) address { return reflect.New(t).UnsafePointer() }

// stringBytes views the bytes of s; nobody may write to them.
func stringBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// stringOver returns a string that shares the memory of p, which nobody
// writes to from now on.
func stringOver(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// sliceOver makes n elements of mem, which holds no pointers and is aligned
// for them, a slice. Its capacity ends there.
func sliceOver(mem []byte, n int) sliceHeader {
	if len(mem) == 0 {
		return sliceHeader{data: address(&oneByte), len: n, cap: n}
	}
	return sliceHeader{data: address(unsafe.SliceData(mem)), len: n, cap: n}
}

// typed turns a header into the slice that it describes.
func typed[T any](h sliceHeader) []T { return unsafe.Slice((*T)(h.data), h.len) }

// elements views n elements of a pointer-free type as bytes.
func elements[T any](vs []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(address(unsafe.SliceData(vs))), uintptr(len(vs))*unsafe.Sizeof(zero))
}

// aligned8 says whether p begins at a multiple of eight.
func aligned8(p []byte) bool {
	return uintptr(address(unsafe.SliceData(p)))&7 == 0
}

// put stores *v, which holds no pointers, at the start of dst. That is one
// instruction for a number.
func put[T any](dst []byte, v *T) { *(*T)(address(unsafe.SliceData(dst))) = *v }
