//go:build linux

package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func misuseFunc[T any](name string) *mp.Func[T, mp.None] {
	return mp.Register("misuse/"+name, func(context.Context, T) (mp.None, error) { return mp.None{}, nil })
}

func misuseOut[T any](name string, v T) *mp.Func[mp.None, T] {
	return mp.Register("misuse/"+name, func(context.Context, mp.None) (T, error) { return v, nil })
}

type (
	misuseJob    struct{ Parts []misusePart }
	misusePart   struct{ Next any }
	misuseLoop   struct{ Next *misuseLoop }
	misuseOwn    struct{ n int }
	misuseBroken struct{ What string }
	misuseMp     struct {
		Pool    *mp.Pool
		Process *mp.Process
		Result  *mp.Result[int]
		Func    *mp.Func[int, int]
		Bind    mp.Binding
	}
)

func (b misuseBroken) MarshalBinary() ([]byte, error) {
	switch b.What {
	case "marshal panic":
		panic("cannot marshal")
	case "marshal error":
		return nil, errors.New("will not marshal")
	}
	return []byte(b.What), nil
}

func (b *misuseBroken) UnmarshalBinary(p []byte) error {
	switch b.What = string(p); b.What {
	case "unmarshal panic":
		panic("cannot unmarshal")
	case "unmarshal error":
		return errors.New("will not unmarshal")
	}
	return nil
}

var (
	misuseChan     = misuseFunc[map[string]chan int]("chan")
	misuseFuncs    = misuseFunc[[]func()]("func")
	misuseAny      = misuseFunc[misuseJob]("any")
	misuseCircle   = misuseFunc[*misuseLoop]("circle")
	misuseMps      = misuseFunc[misuseMp]("mp")
	misuseMarshal  = misuseFunc[misuseBroken]("marshal")
	misuseOutChan  = misuseOut[any]("outchan", struct{ C chan int }{make(chan int)})
	misuseOutPanic = misuseOut("outpanic", []misuseBroken{{"fine"}, {"marshal panic"}})
	misuseOutBad   = misuseOut("outbad", misuseBroken{"unmarshal error"})
	misuseOutOwn   = misuseOut[any]("outown", misuseOwn{1})
	misuseTwo      = mp.Register("misuse/two", func(_ context.Context, f func()) (mp.None, error) { return mp.None{}, nil })
)

func misuseCall[In, Out any](t *testing.T, f *mp.Func[In, Out], in In) error {
	t.Helper()
	_, err := mp.Call(testkit.Ctx(t), f, in, mp.ProcessConfig{Stderr: io.Discard})
	return err
}

// TestInputThatCannotTravel: an error of the call that names the place; no process is started.
func TestInputThatCannotTravel(t *testing.T) {
	t.Parallel()
	loop := &misuseLoop{}
	loop.Next = &misuseLoop{loop}
	for _, c := range []struct {
		err   error
		parts []string
	}{
		{misuseCall(t, misuseChan, map[string]chan int{"a": make(chan int)}), []string{`in["a"]: `, "a channel (chan int)"}},
		{misuseCall(t, misuseFuncs, []func(){func() {}}), []string{"in[0]: ", "a function"}},
		{misuseCall(t, misuseTwo, func() {}), []string{"in: ", "a function"}},
		{misuseCall(t, misuseAny, misuseJob{[]misusePart{{1}, {misuseOwn{}}}}), []string{"in.Parts[1].Next: ", "misuseOwn", "RegisterType"}},
		{misuseCall(t, misuseAny, misuseJob{[]misusePart{{}, {new(mp.Pool)}}}), []string{"in.Parts[1].Next", "Pool"}},
		{misuseCall(t, misuseCircle, loop), []string{"in.Next.Next", "cycle"}},
		{misuseCall(t, misuseMps, misuseMp{Pool: new(mp.Pool)}), []string{"in.Pool: ", "a Pool belongs to the process"}},
		{misuseCall(t, misuseMps, misuseMp{Process: new(mp.Process)}), []string{"in.Process: ", "a Process belongs to the process"}},
		{misuseCall(t, misuseMps, misuseMp{Result: new(mp.Result[int])}), []string{"in.Result: ", "a Result belongs to the process"}},
		{misuseCall(t, misuseMps, misuseMp{Func: new(mp.Func[int, int])}), []string{"in.Func: ", "a Func belongs to its process"}},
		{misuseCall(t, misuseMps, misuseMp{}), []string{"in.Bind: ", "a Binding holds"}},
		{misuseCall(t, misuseMarshal, misuseBroken{"marshal panic"}), []string{"in: ", "cannot marshal"}},
		{misuseCall(t, misuseMarshal, misuseBroken{"marshal error"}), []string{"in: ", "will not marshal"}},
	} {
		testkit.Says(t, c.err, append(c.parts, "mp: the input of misuse/", "cannot be sent")...)
		var e *mp.ExitError
		if errors.As(c.err, &e) {
			t.Errorf("a process ran: %v", c.err)
		}
	}
}

// TestInputThatCannotBeRead: the decoding fails over there.
func TestInputThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for what, says := range map[string]string{"unmarshal error": "will not unmarshal", "unmarshal panic": "cannot unmarshal"} {
		err := misuseCall(t, misuseMarshal, misuseBroken{what})
		var e *mp.ExitError
		if !errors.As(err, &e) || e.Code != 1 {
			t.Errorf("%v", err)
		}
		testkit.Says(t, err, says)
	}
}

func TestOutputThatCannotTravel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		parts []string
	}{
		{misuseCall(t, misuseOutChan, mp.None{}), []string{"out", "chan int"}},
		{misuseCall(t, misuseOutPanic, mp.None{}), []string{"out[1]", "cannot marshal"}},
		{misuseCall(t, misuseOutOwn, mp.None{}), []string{"out", "misuseOwn", "RegisterType"}},
	} {
		testkit.Says(t, c.err, c.parts...)
		var e *mp.ExitError
		if !errors.As(c.err, &e) || e.Code != 1 {
			t.Errorf("%v", c.err)
		}
	}
	testkit.Says(t, misuseCall(t, misuseOutBad, mp.None{}), "the output of misuse/outbad", "will not unmarshal")
	// Start drops the output, so that it cannot travel does not matter.
	p, err := mp.Start(testkit.Ctx(t), misuseOutChan, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Error(err)
	}
}

// misuseHidden is registered by the main process only.
var misuseHidden = func() *mp.Func[int, int] {
	name := "misuse/hidden"
	if os.Getenv("MISUSE_HIDE") != "" {
		name = "misuse/another"
	}
	return mp.Register(name, func(context.Context, int) (int, error) { return 0, nil })
}()

func TestFuncUnknownInTheChild(t *testing.T) {
	t.Parallel()
	_, err := mp.Call(testkit.Ctx(t), misuseHidden, 1, mp.ProcessConfig{Env: append(os.Environ(), "MISUSE_HIDE=1"), Stderr: io.Discard})
	var e *mp.ExitError
	if !errors.Is(err, mp.ErrNotRegistered) || !errors.As(err, &e) || e.Code != 1 {
		t.Errorf("%v", err)
	}
	testkit.Says(t, err, `"misuse/hidden"`)
}

func TestNilFunc(t *testing.T) {
	t.Parallel()
	if _, err := mp.Start[int, int](testkit.Ctx(t), nil, 1); err == nil || err.Error() != "mp: the Func is nil: make it with mp.Register" {
		t.Error(err)
	}
	if _, err := mp.Call[int, int](testkit.Ctx(t), nil, 1); err == nil || err.Error() != "mp: the Func is nil: make it with mp.Register" {
		t.Error(err)
	}
}

// TestFuncThatWasNotRegistered is one that was not made by Register.
func TestFuncThatWasNotRegistered(t *testing.T) {
	t.Parallel()
	if _, err := mp.Call(testkit.Ctx(t), new(mp.Func[int, int]), 1); !errors.Is(err, mp.ErrNotRegistered) {
		t.Error(err)
	}
}

func TestNilOptionIsNone(t *testing.T) {
	t.Parallel()
	if _, err := mp.Call(testkit.Ctx(t), procAct, procDo{What: "return"}, nil); err != nil {
		t.Error(err)
	}
}

func TestNilCtxPanics(t *testing.T) {
	t.Parallel()
	for _, f := range []func(){
		//lint:ignore SA1012 that is the test
		func() { mp.Start(nil, procAct, procDo{}) },
		//lint:ignore SA1012 that is the test
		func() { mp.Call(nil, procAct, procDo{}) },
	} {
		if got := testkit.PanicText(f); got != "mp: the ctx is nil: use context.Background() for a process that no ctx ends" {
			t.Errorf("%q", got)
		}
	}
}

// TestMisuseIsQuick: each is said within a second.
func TestMisuseIsQuick(t *testing.T) {
	testkit.Beside(t)
	begin := time.Now()
	if err := misuseCall(t, misuseFuncs, []func(){nil}); err == nil {
		t.Error("a nil function travelled") // whatever its value, the type cannot
	}
	if took := time.Since(begin); took > testkit.Within(time.Second) {
		t.Error(took)
	}
}

func TestNegativeConfig(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]mp.ProcessConfig{
		"Grace": {Grace: -2}, "Procs": {Procs: -1}, "Limits.Memory": {Limits: mp.Limits{Memory: -1}},
		"Limits.CPU": {Limits: mp.Limits{CPU: -1}}, "Limits.OpenFiles": {Limits: mp.Limits{OpenFiles: -1}},
	} {
		if _, err := mp.Start(testkit.Ctx(t), procAct, procDo{}, cfg); err == nil || !strings.HasPrefix(err.Error(), "mp: ProcessConfig."+name+" is ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var misuseCallback = misuseFunc[struct {
	Name string
	CB   func()
}]("callback")

// TestTypesThatCannotTravel: Apply and Call name the same place.
func TestTypesThatCannotTravel(t *testing.T) {
	t.Parallel()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Terminate()
	var in struct {
		Name string
		CB   func()
	}
	_, err = mp.Apply(testkit.Ctx(t), pool, misuseCallback, in)
	testkit.Says(t, err, "mp: misuse/callback: in.CB: a function")
	testkit.Says(t, misuseCall(t, misuseCallback, in), "in.CB: a function")
}
