//go:build unix

package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type (
	namesPlace      struct{ A int }
	namesOther      struct{ A int }
	namesDerived    struct{ N int }
	namesJob        struct{ N int }
	namesPointerJob struct{ N int }
	namesError      struct{ N int }
	namesErrorOne   struct{ N int }
	namesErrorTwo   struct{ N int }
)

func (namesJob) Run(context.Context) error         { return nil }
func (*namesPointerJob) Run(context.Context) error { return nil }
func (e namesError) Error() string                 { return fmt.Sprint("names ", e.N) }
func (e namesErrorOne) Error() string              { return "one" }
func (e namesErrorTwo) Error() string              { return "two" }

// namesSquareIt begins with what is inlined into it.
func namesSquareIt(_ context.Context, n int) (int, error) { return namesTimes(n, n), nil }

func namesTimes(a, b int) int { return a * b }

func namesGeneric[T any](_ context.Context, v T) (T, error) { return v, nil }

func (namesJob) method(_ context.Context, n int) (int, error) { return n, nil }

var (
	errNamesOne   = errors.New("names: one")
	errNamesTwo   = errors.New("names: two")
	errNamesThree = errors.New("names: three")

	namesSquare  = mp.Register("", namesSquareIt)
	namesRunner  = mp.RegisterRunner[namesJob]("")
	namesPointer = mp.RegisterRunner[*namesPointerJob]("")
	namesEcho    = testkit.Echo[any]("names")
	namesFail    = mp.Register("names/fail", func(_ context.Context, n int) (int, error) {
		switch n {
		case 1:
			return 0, fmt.Errorf("first: %w", errNamesOne)
		case 3:
			return 0, errNamesThree
		}
		return 0, namesError{n}
	})
)

func init() {
	mp.RegisterErrors(errNamesOne, errNamesTwo)
	mp.RegisterError("", errNamesThree)
	mp.RegisterErrorType[namesError]("")
	mp.RegisterType[namesDerived]("")
	namesMisuse(os.Getenv(namesAsked))
}

// namesMisuse panics as the name says.
func namesMisuse(what string) {
	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	for range 2 { // both times from here
		switch what {
		case "Register":
			mp.Register("names/first", square)
		case "RegisterRunner":
			mp.RegisterRunner[namesJob]("names/runner")
		case "RegisterType":
			mp.RegisterType[namesPlace]("names/type")
			mp.RegisterType[namesOther]("names/type")
		case "RegisterTypeTwice":
			mp.RegisterType[namesPlace]("names/type")
			mp.RegisterType[namesPlace]("names/other")
		case "RegisterError":
			mp.RegisterError("names/error", errors.New("x"))
		case "RegisterErrors":
			mp.RegisterErrors(errors.New("names: one"))
		case "RegisterErrorTwice":
			mp.RegisterErrors(errNamesOne)
		case "RegisterErrorsKnown":
			mp.RegisterErrors(io.EOF)
		case "RegisterErrorsNil":
			mp.RegisterErrors(nil)
		case "RegisterErrorType":
			mp.RegisterErrorType[namesErrorOne]("names/errortype")
			mp.RegisterErrorType[namesErrorTwo]("names/errortype")
		case "literal":
			mp.Register("", square)
		case "generic":
			mp.Register("", namesGeneric[int])
		case "method":
			mp.Register("", namesJob{}.method)
		case "unnamed type":
			mp.RegisterType[[]int]("")
		}
	}
}

func errNamesTyped(t *testing.T) error {
	t.Helper()
	_, err := testkit.QuietCall(t, namesFail, 5)
	return err
}
