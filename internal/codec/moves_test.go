package codec_test

import (
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// movable is an object with a hook, and moves.
type movable struct{ _ *os.File }

func (*movable) moves() {}

type aMover interface{ moves() }

// still is an object with a hook that does not move.
type still struct{ _ *os.File }

func init() {
	none := func(*codec.Buffer, reflect.Value) error { return nil }
	codec.Hook(reflect.TypeFor[aMover](), none, func(*codec.Reader, reflect.Value) error { return nil })
	codec.RegisterMoving(reflect.TypeFor[aMover]())
	codec.Hook(reflect.TypeFor[*still](), none, func(*codec.Reader, reflect.Value) error { return nil })
}

func TestMoves(t *testing.T) {
	type list struct {
		_ *list
		_ map[string][]*movable
	}
	type embeds struct{ *movable }
	for _, v := range []any{(*movable)(nil), []*movable{}, list{}, map[int]struct{ p [2]*movable }{}, embeds{}} {
		if !codec.Moves(reflect.TypeOf(v)) {
			t.Errorf("a %T may move", v)
		}
	}
	for _, v := range []any{1, "", []any{}, (*still)(nil), struct{ e error }{}, time.Time{}, map[string]*still{}} {
		if codec.Moves(reflect.TypeOf(v)) {
			t.Errorf("a %T does not move", v)
		}
	}
}
