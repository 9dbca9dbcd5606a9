package proto_test

import (
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

func TestFrameTails(t *testing.T) {
	t.Parallel()
	frames := []struct {
		name  string
		write func(b *codec.Buffer)
		read  func(p []byte) error
	}{
		{"batch", func(b *codec.Buffer) {
			b.Uvarint(1)
			b.Uvarint(2)
			b.String("f")
			b.Byte(0)
			b.Byte(0)
		}, func(p []byte) error { _, err := proto.ReadBatch(p, nil, nil); return err }},
		{"cancel", func(b *codec.Buffer) { b.Uvarint(7); b.Uvarint(3) },
			func(p []byte) error { _, _, err := proto.ReadCancel(p); return err }},
		{"stack", func(b *codec.Buffer) { b.Uvarint(7) },
			func(p []byte) error { _, err := proto.ReadStackRequest(p); return err }},
		{"stack", func(b *codec.Buffer) { b.Uvarint(7); b.String("main.f") },
			func(p []byte) error { _, _, err := proto.ReadStack(p); return err }},
		{"share", func(b *codec.Buffer) { b.Uint64(7); b.String("3:1") },
			func(p []byte) error { _, _, err := proto.ReadShare(p); return err }},
		{"hello", func(b *codec.Buffer) { b.String("f"); b.Raw([]byte("input")) }, func(p []byte) error {
			r := codec.NewReader(p)
			_ = r.String()
			_, err := proto.CloseInput(proto.FrameHello, r)
			return err
		}},
		{"exit", func(b *codec.Buffer) { b.String("f"); b.Raw([]byte("input")) }, func(p []byte) error {
			r := codec.NewReader(p)
			_ = r.String()
			_, err := proto.CloseInput(proto.FrameExit, r)
			return err
		}},
		{"outcome", func(b *codec.Buffer) { b.Uint64(7); b.Raw([]byte("output")) }, func(p []byte) error {
			r := codec.NewReader(p)
			r.Uint64()
			r.Raw()
			return proto.Close(proto.FrameOutcome, r)
		}},
	}
	for _, f := range frames {
		var b codec.Buffer
		f.write(&b)
		p := append([]byte{}, b.Bytes()...)
		if err := f.read(p); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
		for what, bad := range map[string][]byte{"a byte too many": append(append([]byte{}, p...), 0), "a byte too few": p[:len(p)-1]} {
			err := f.read(bad)
			if err == nil || !strings.HasPrefix(err.Error(), "mp: a malformed "+f.name+" frame") || strings.Count(err.Error(), "mp:") != 1 {
				t.Errorf("%s with %s: got error %v", f.name, what, err)
			}
		}
	}
}
