//go:build unix

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// errvalueItem has errors in all places where a value can have one.
type errvalueItem struct {
	Err   error
	Any   any
	Many  []error
	ByKey map[string]error
	Deep  *errvalueItem
	Text  fmt.Stringer
	plain int
}

type errvaluePlain struct{ text string }

func (e errvaluePlain) Error() string { return e.text }

// errvalueCoded has a method that a RemoteError has not.
type errvalueCoded interface {
	error
	Code() int
}

type errvalueCode struct{ n int }

func (e *errvalueCode) Error() string { return fmt.Sprint("code ", e.n) }
func (e *errvalueCode) Code() int     { return e.n }

type errvalueKnown struct{ n int }

func (e *errvalueKnown) Error() string { return fmt.Sprint("known ", e.n) }
func (e *errvalueKnown) Code() int     { return e.n }

func init() { mp.RegisterErrorType[*errvalueKnown]("errvalue/known") }

func errvalueMake() errvalueItem {
	return errvalueItem{
		Err: fmt.Errorf("a: %w", io.EOF), Any: errors.New("in any"), Many: []error{nil, errvaluePlain{"plain"}, errwireOwn, &errvalueKnown{4}},
		ByKey: map[string]error{"k": &errwireOp{"op", errwireUnknown}, "nil": nil}, Deep: &errvalueItem{Any: []any{errvaluePlain{"x"}, nil, 7}}, plain: 9,
	}
}

func errvalueCheck(t *testing.T, got errvalueItem) {
	t.Helper()
	errwireRemote("*fmt.wrapError", "a: EOF")(t, got.Err)
	errwireIs("a: EOF", io.EOF)(t, got.Err)
	errwireRemote("*errors.errorString", "in any")(t, got.Any.(error))
	if got.Many[0] != nil || got.Many[2] != errwireOwn || *got.Many[3].(*errvalueKnown) != (errvalueKnown{4}) {
		t.Errorf("%#v", got.Many)
	}
	errwireRemote("mp_test.errvaluePlain", "plain")(t, got.Many[1])
	op := got.ByKey["k"].(*errwireOp)
	errwireRemote("*errors.errorString", "errwire: unknown")(t, op.Err)
	if e, ok := got.ByKey["nil"]; !ok || e != nil || got.plain != 9 {
		t.Errorf("%#v", got)
	}
	in := got.Deep.Any.([]any)
	if errwireRemote("mp_test.errvaluePlain", "x")(t, in[0].(error)); in[1] != nil || in[2] != 7 || got.Deep.Err != nil {
		t.Errorf("%#v", in)
	}
}

var (
	errvalueEcho = mp.Register("errvalue/echo", func(_ context.Context, v errvalueItem) (errvalueItem, error) {
		if v.Err == nil {
			return v, errors.New("the input has lost its error")
		}
		return v, nil
	})
	errvalueQueue = mp.Register("errvalue/queue", func(ctx context.Context, q *mp.Queue[errvalueItem]) (mp.None, error) {
		return mp.None{}, q.Put(ctx, errvalueMake())
	})
	errvalueCodes = mp.Register("errvalue/codes", func(_ context.Context, v []errvalueCoded) (int, error) { return v[0].Code(), nil })
	errvalueKeys  = mp.Register("errvalue/keys", func(_ context.Context, v map[error]int) (int, error) { return len(v), nil })
	errvalueLoop  = mp.Register("errvalue/loop", func(_ context.Context, v error) (string, error) { return v.Error(), nil })
)

// TestErrorsTravelInInputsAndOutputs: on processes, and on goroutines that copy as they do.
func TestErrorsTravelInInputsAndOutputs(t *testing.T) {
	t.Parallel()
	processes := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	goroutines, err := thread.NewPool(mp.PoolConfig{Workers: 1, Encode: true})
	if err != nil {
		t.Fatal(err)
	}
	defer goroutines.Terminate()
	for _, p := range []*mp.Pool{processes, goroutines} {
		got, err := mp.Apply(testkit.Ctx(t), p, errvalueEcho, errvalueMake())
		if err != nil {
			t.Fatal(err)
		}
		errvalueCheck(t, got)
	}
}

// TestErrorsTravelInItems: of queues and pipes.
func TestErrorsTravelInItems(t *testing.T) {
	t.Parallel()
	q, err := mp.NewQueue[errvalueItem](0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mp.Call(testkit.Ctx(t), errvalueQueue, q); err != nil {
		t.Fatal(err)
	}
	got, err := q.Get(testkit.Ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	errvalueCheck(t, got)
	a, b, err := mp.NewPipe[errvalueItem]()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	go a.Send(context.Background(), errvalueMake())
	if got, err = b.Recv(testkit.Ctx(t)); err != nil {
		t.Fatal(err)
	}
	errvalueCheck(t, got)
}

// TestErrorsInOtherInterfaces: what arrives must have the methods.
func TestErrorsInOtherInterfaces(t *testing.T) {
	t.Parallel()
	if n, err := mp.Call(testkit.Ctx(t), errvalueCodes, []errvalueCoded{&errvalueKnown{5}}); n != 5 || err != nil {
		t.Error(n, err)
	}
	_, err := mp.Call(testkit.Ctx(t), errvalueCodes, []errvalueCoded{&errvalueCode{5}})
	testkit.Says(t, err, "in[0]: ", "*mp_test.errvalueCode", "RegisterErrorType")
	_, err = mp.Call(testkit.Ctx(t), errvalueKeys, map[error]int{errvaluePlain{"x"}: 1})
	testkit.Says(t, err, "in[the key ", "mp_test.errvaluePlain")
	if n, err := mp.Call(testkit.Ctx(t), errvalueKeys, map[error]int{io.EOF: 1, errwireOwn: 2}); n != 2 || err != nil {
		t.Error(n, err)
	}
}

// errvalueSelf is an error of a registered type that leads back to itself past a field of type any.
type errvalueSelf struct {
	Any any
	Err error
}

func (e *errvalueSelf) Error() string { return "self" }

func init() { mp.RegisterErrorType[*errvalueSelf]("errvalue/self") }

// TestErrorsInValuesThatNeverEnd: each is an error or arrives, at once.
func TestErrorsInValuesThatNeverEnd(t *testing.T) {
	t.Parallel()
	self := &errvalueSelf{}
	self.Any, self.Err = self, self
	list := []any{self}
	self.Any = list
	circle := errwireMakeCircle()
	for name, err := range map[string]error{"self": self, "circle": circle, "within": &errvalueSelf{Any: &errvalueItem{}, Err: circle}} {
		if text, got := mp.Call(testkit.Ctx(t), errvalueLoop, err); got == nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// TestErrorsOfTheStandardLibraryInValues: errors.As finds them too.
func TestErrorsOfTheStandardLibraryInValues(t *testing.T) {
	t.Parallel()
	got, err := mp.Call(testkit.Ctx(t), errvalueEcho, errvalueItem{Err: exec.Command("sh", "-c", "exit 4").Run()})
	if err != nil {
		t.Fatal(err)
	}
	if e := errstdAs[*exec.ExitError](t, got.Err); e.ExitCode() != 4 {
		t.Error(e)
	}
}
