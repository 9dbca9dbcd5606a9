//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// The words of a queue that its operations believe most; the latches are among them, those of
// its lines not: they are the lines' business.
var hostileWords = []int{
	64, 72, 80, 88, 96, 104, 192, 200, 208, 216, 224, 232, 240, 248, 320, 328, 0, 128,
}

// An act is ten bytes: what is done, where, and eight for a value.
const actSize = 10

func actOf(what, where byte, value uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{what, where}, value)
}

// Whatever somebody writes to the memory meanwhile, operations return, and none crashes.
func FuzzQueueMemory(f *testing.F) {
	acts := func(list ...[]byte) (all []byte) {
		for _, a := range list {
			all = append(all, a...)
		}
		return all
	}
	put, get := actOf(4, 0, 100), actOf(5, 0, 0)
	f.Add(byte(0), acts(put, put, get, get))
	f.Add(byte(3), acts(put, actOf(0, 6, 1<<63), get, actOf(9, 0, 0)))
	f.Add(byte(0), acts(put, actOf(1, 0, 1<<40-1), get, get))                                 // a huge item in the ring
	f.Add(byte(0), acts(actOf(4, 3, 9000), actOf(3, 0, 1<<40-65), get, get))                  // and in the spill
	f.Add(byte(0), acts(actOf(4, 3, 9000), actOf(3, 0, 2<<20), get, get))                     // less than there is
	f.Add(byte(0), acts(put, put, actOf(0, 14, 0), actOf(0, 15, 1<<64-1), get, put, get))     // all is in the spill
	f.Add(byte(0), acts(put, actOf(0, 9, 1<<64-8), actOf(0, 15, 5), get, get))                // at its end
	f.Add(byte(2), acts(put, actOf(2, 1, 1<<63|0xffff), get, actOf(6, 0, 0), actOf(7, 0, 0))) // the row
	f.Add(byte(0), acts(put, actOf(0, 12, 1<<38), actOf(4, 3, 60_000), actOf(4, 3, 60_000), get, get, get))
	f.Fuzz(func(t *testing.T, capacity byte, data []byte) {
		q := newQueue(t, int(capacity), false)
		defer runtime.KeepAlive(q)
		hung := time.AfterFunc(10*time.Second, func() { panic("it hangs") })
		defer hung.Stop()
		for n := 0; len(data) >= actSize && n < 60; n++ {
			hostileAct(q, data[0], data[1], binary.LittleEndian.Uint64(data[2:actSize]))
			data = data[actSize:]
		}
	})
}

func hostileAct(q *shared.Queue, what, where byte, value uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	o := q.Object()
	switch what % 11 {
	case 0:
		o.Word(waitq.StateAt + hostileWords[int(where)%len(hostileWords)]).Store(value)
	case 1:
		o.Word(shared.RingAt + 8*int(where)).Store(value)
	case 2:
		o.OwnRow(int(where) % 3).Store(value)
	case 3: // a position in the spill
		b := binary.NativeEndian.AppendUint64(nil, value)
		o.File().WriteAt(b, shared.SpillAt+8*int64(where))
	case 4: // of up to 1 MiB
		q.Put(ctx, bytesItem(pattern(int(value%(256<<10))*(1+int(where)%4), 1)))
	case 5:
		q.Get(ctx, nil)
	case 6:
		q.TaskDone()
	case 7:
		q.Join(ctx)
	case 8:
		q.Shutdown()
	case 9:
		q.CloseNow()
	default:
		if n := q.Len(); n < 0 {
			panic(n)
		}
		q.Full()
		q.Readable()
	}
}
