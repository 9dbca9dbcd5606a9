package codec

import (
	"reflect"
	"unsafe"
)

// This is the only file of the package that uses unsafe. Plans work on the address of a value
// instead of a reflect.Value, because that makes unexported fields ordinary and takes a fraction
// of the time. An address always points to a live Go variable and is held as a pointer that the
// garbage collector sees.

// address points to a value whose type is known from the context.
type address = unsafe.Pointer

// wordSize is the size of a pointer. The size of a type with pointers is a multiple of it.
const wordSize = unsafe.Sizeof(address(nil))

// sliceHeader is the memory layout of any slice.
type sliceHeader struct {
	data address
	len  int
	cap  int
}

// oneByte is what empty non-nil slices point to.
var oneByte [8]byte

// addressOf returns the address of the variable that v points to.
func addressOf[T any](v *T) address { return address(v) }

// at returns the variable at p as a T, which it must be.
func at[T any](p address) *T { return (*T)(p) }

// offset returns the address n bytes after p, inside the same variable.
func offset(p address, n uintptr) address { return unsafe.Add(p, n) }

// memory returns the n bytes at p as a slice. They hold no pointers.
func memory(p address, n uintptr) []byte { return unsafe.Slice((*byte)(p), n) }

// valueAt returns the variable at p as a settable reflect.Value.
func valueAt(t reflect.Type, p address) reflect.Value { return reflect.NewAt(t, p).Elem() }

// pointerAt returns a *t to the variable at p.
func pointerAt(t reflect.Type, p address) reflect.Value { return reflect.NewAt(t, p) }

// addressOfValue returns the address of v, which must be addressable.
func addressOfValue(v reflect.Value) address { return v.Addr().UnsafePointer() }

// slotOf spreads addresses over the slots of sharingStats.
func slotOf(p address) int {
	const golden = 0x9e3779b97f4a7c15
	return int(uint64(uintptr(p)) * golden >> 32 % recentNodes)
}

// newValue allocates a zero t.
func newValue(t reflect.Type) address { return reflect.New(t).UnsafePointer() }

// stringBytes returns the bytes of s, which must not be written to.
func stringBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// stringOver returns a string that shares the memory of p, which must not be written to
// afterwards.
func stringOver(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// sliceOver makes a slice of n elements of mem, which holds no pointers and is aligned for them.
// Its capacity is n.
func sliceOver(mem []byte, n int) sliceHeader {
	if len(mem) == 0 {
		return sliceHeader{data: address(&oneByte), len: n, cap: n}
	}
	return sliceHeader{data: address(unsafe.SliceData(mem)), len: n, cap: n}
}

// typed converts a header to the slice that it describes.
func typed[T any](h sliceHeader) []T { return unsafe.Slice((*T)(h.data), h.len) }

// elements returns the elements of a pointer-free type as bytes.
func elements[T any](vs []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(address(unsafe.SliceData(vs))), uintptr(len(vs))*unsafe.Sizeof(zero))
}

// aligned8 reports whether p is aligned to eight bytes.
func aligned8(p []byte) bool {
	return uintptr(address(unsafe.SliceData(p)))&7 == 0
}

// put stores *v, which holds no pointers, at the start of dst: one instruction for a number.
func put[T any](dst []byte, v *T) { *(*T)(address(unsafe.SliceData(dst))) = *v }
