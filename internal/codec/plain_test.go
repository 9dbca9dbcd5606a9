package codec_test

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/gomultiprocessing/mp/internal/codec"
)

type (
	plainPoint struct {
		X, Y   float64
		hidden int8
		_      [3]byte
		Tag    [32]byte
		OK     bool
		C      complex64
		Took   time.Duration
		N      atomic.Int64
		B      atomic.Bool
		Inner  struct{ A [2][2]uint16 }
		_      [0]func()
	}
	plainTags   struct{ Tags [2][]string }
	plainName   struct{ In struct{ Name string } }
	plainLock   struct{ Mu sync.Mutex }
	plainHidden struct {
		A int
		p *int
	}
	plainEmbeds      struct{ plainHidden }
	plainPair[T any] struct{ A, B T }
)

// Unexported fields are in the memory too.
var _, _ = plainPoint{hidden: 1}, plainHidden{p: nil}

func TestPlainTypes(t *testing.T) {
	t.Parallel()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[uint8](), reflect.TypeFor[float32](),
		reflect.TypeFor[complex128](), reflect.TypeFor[[4][5]int32](), reflect.TypeFor[struct{}](), reflect.TypeFor[plainPoint](),
		reflect.TypeFor[time.Weekday](), reflect.TypeFor[[0]string](), reflect.TypeFor[atomic.Uint64](), reflect.TypeFor[plainPair[int8]](),
	} {
		if err := codec.PlainError(typ); err != nil {
			t.Errorf("%v: %v", typ, err)
		}
	}
}

func TestTypesThatAreNotPlain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[string](), "a string is an address of this process: use an array of bytes, such as [32]byte"},
		{reflect.TypeFor[[]int](), "a []int is an address of this process: use an array"},
		{reflect.TypeFor[*int](), "a *int is an address of this process"},
		{reflect.TypeFor[any](), "an interface {} is an address of this process"},
		{reflect.TypeFor[unsafe.Pointer](), "an unsafe.Pointer is an address of this process"},
		{reflect.TypeFor[map[int]int](), "a map[int]int is an address of this process"},
		{reflect.TypeFor[chan int](), "a chan int is an address of this process"},
		{reflect.TypeFor[func()](), "a func() is an address of this process"},
		{reflect.TypeFor[uintptr](), "a uintptr may hold an address of this process: use a uint64"},
		{reflect.TypeFor[[2]error](), "field array[] is an error, which is an address of this process"},
		{reflect.TypeFor[plainTags](), "field plainTags.Tags[] is a []string, which is an address of this process: use an array"},
		{reflect.TypeFor[plainName](), "field plainName.In.Name is a string, which is an address of this process: use an array of bytes, such as [32]byte"},
		{reflect.TypeFor[plainHidden](), "field plainHidden.p is a *int, which is an address of this process"},
		{reflect.TypeFor[plainEmbeds](), "field plainEmbeds.plainHidden.p is a *int, which is an address of this process"},
		{reflect.TypeFor[struct{ At time.Time }](), "field struct.At is a time.Time, which holds the address of its time zone in this process: store its UnixNano"},
		{reflect.TypeFor[plainLock](), "field plainLock.Mu is a sync.Mutex, which works inside one process only: guard the memory with a lock of package mp, or use sync/atomic"},
		{reflect.TypeFor[sync.WaitGroup](), "a sync.WaitGroup works inside one process only: guard the memory with a lock of package mp, or use sync/atomic"},
		{reflect.TypeFor[struct{ P atomic.Pointer[int] }](), "field struct.P.v is an unsafe.Pointer, which is an address of this process"},
	} {
		if err := codec.PlainError(c.typ); err == nil || err.Error() != c.want {
			t.Errorf("%v:\ngot  %v\nwant %s", c.typ, err, c.want)
		}
	}
}
