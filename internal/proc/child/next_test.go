package child

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// batchFrame is a batch with that id, and an input of so many bytes.
func batchFrame(id uint64, size int) *codec.Buffer {
	var b codec.Buffer
	b.Uvarint(1) // the slot
	b.Uvarint(id)
	b.String("f")
	b.Byte(0) // no report
	b.Byte(1) // a span:
	b.Byte(0) // no singles
	for _, v := range []uint64{0, 1, 1, 0} {
		b.Uvarint(v) // first, n, attempt, timeout
	}
	b.Uint64(0)  // deadline
	b.Uvarint(0) // capture
	b.Byte(proto.MeasureNone)
	proto.AppendPropagated(&b, nil)
	b.Byte(proto.InputsTogether)
	b.Raw(make([]byte, size))
	b.Byte(0) // no more spans
	return &b
}

// A batch in the inbox is the next one; nothing gets in while the worker does not poll.
func TestInbox(t *testing.T) {
	t.Parallel()
	p := testPage(t)
	x := &executor{page: p, queue: make(chan *proto.Batch, 1), spin: spin.Spin{Enabled: true}}
	if p.Post(batchFrame(1, 10)) {
		t.Error("into a closed inbox")
	}
	for id := range uint64(50) {
		put := make(chan struct{})
		go func() {
			defer close(put)
			if p.Post(batchFrame(id, 2*proto.InboxSize)) {
				t.Error("more than the inbox holds")
			}
			for !p.Post(batchFrame(id, 100)) {
			}
		}()
		for {
			a, err := x.pollInbox()
			if err != nil {
				t.Fatal(err)
			}
			if a == nil {
				continue // the poll was over before
			}
			if a.ID != id || len(a.Spans) != 1 {
				t.Fatalf("%+v", a)
			}
			break
		}
		<-put
	}
	x.queue <- &proto.Batch{ID: 77}
	if a, ok := x.await(); !ok || a.ID != 77 {
		t.Errorf("%+v, %v", a, ok)
	}
	close(x.queue)
	if a, ok := x.await(); ok {
		t.Errorf("%+v", a)
	}
}

func testPage(t *testing.T) *proto.Page {
	t.Helper()
	region, err := shm.New("test", proto.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { region.Close() })
	return proto.NewPage(region)
}
