package hosted

import (
	"bytes"
	"testing"
)

// What is decoded is encoded to the same bytes, or to shorter ones where a number was longer than it had to be; and
// nothing that comes makes the decoders fail in another way than with an error.
func FuzzFrame(f *testing.F) {
	for _, seed := range []frame{
		{op: opPing}, {op: opPut, id: 1, handle: 2, data: []byte("item")}, {op: opError, id: 300, n: 17, m: 1 << 40, flags: flagExact, data: []byte("text")},
		{op: opPut, id: 1, handle: 2, refs: []Ref{{ID{1}, 2}, {ID{3}, 1 << 63}}, data: []byte{0}}, {op: opWait, id: 1 << 63, flags: flagEnded, n: 1},
	} {
		f.Add(seed.append(nil))
	}
	f.Add(clientHello{1, "name"}.append(nil))
	f.Add(serverHello{ID{1}, 1e9, 1 << 30}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second frame
		if first.decode(b) == nil {
			again := first.append(nil)
			if len(again) > len(b) {
				t.Errorf("%x became %x", b, again)
			}
			if err := second.decode(again); err != nil || !bytes.Equal(second.append(nil), again) {
				t.Errorf("%x became %x, and then %v", b, again, err)
			}
			errorOf(&first, over)
			split(&first)
			new(serverConn).specOf(&frame{data: first.data})
		}
		var client clientHello
		if client.decode(b) == nil && len(client.append(nil)) > len(b) {
			t.Errorf("%x became %x", b, client.append(nil))
		}
		new(serverHello).decode(b)
		frames := newFrameReader(bytes.NewReader(b), 1<<20, func() {})
		for {
			frames.ready()
			if _, _, err := frames.next(); err != nil {
				break
			}
		}
	})
}
