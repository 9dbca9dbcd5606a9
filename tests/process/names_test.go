//go:build unix

package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// namesAsked makes this program register things before Main, and misuse what is named.
const namesAsked = "MP_TEST_NAMES"

// TestRegistrationSaysWhereANameWasTaken: each misuse panics before Main, in a program of its own,
// and names the place of the first registration.
func TestRegistrationSaysWhereANameWasTaken(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"Register":            {`mp: Register("names/first"): the name is taken, at `, `names_misuse_test.go:`},
		"RegisterRunner":      {`mp: Register("names/runner"): the name is taken, at `, `names_misuse_test.go:`},
		"RegisterType":        {`mp: RegisterType("names/type")`, "namesPlace", ", at ", `names_misuse_test.go:`},
		"RegisterTypeTwice":   {`mp: RegisterType("names/other")`, `as "names/type", at `, `names_misuse_test.go:`},
		"RegisterError":       {`mp: RegisterError("names/error")`, `another error is registered as "names/error" already, at `, `names_misuse_test.go:`},
		"RegisterErrors":      {`mp: RegisterErrors("names: one")`, `another error is registered as "github.com/gomultiprocessing/mp/tests/process_test: names: one" already, at `, `names_misuse_test.go:`, "by RegisterError"},
		"RegisterErrorTwice":  {`the error is registered as "github.com/gomultiprocessing/mp/tests/process_test: names: one" already, at `, `names_misuse_test.go:`},
		"RegisterErrorsKnown": {`the error is registered as "io.EOF" already`, "RegisterErrors("},
		"RegisterErrorsNil":   {`mp: RegisterErrors: <nil> is not an error`},
		"RegisterErrorType":   {`mp: RegisterErrorType("names/errortype")`, "the name is taken by the type ", ", at ", `names_misuse_test.go:`},
		"literal":             {"mp: Register: the name is empty, and cannot be derived: ", "give it one"},
		"generic":             {"mp: Register: the name is empty, and cannot be derived: ", "generic", "give it one"},
		"method":              {"mp: Register: the name is empty, and cannot be derived: ", "method", "give it one"},
		"unnamed type":        {"mp: RegisterType: the name is empty, and cannot be derived: the type []int has no name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), namesAsked+"="+name)
			cmd.WaitDelay = testkit.Within(10 * time.Second)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if _, failed := errors.AsType[*exec.ExitError](cmd.Run()); !failed {
				t.Fatalf("no panic: %s", out.String())
			}
			for _, part := range want {
				if !strings.Contains(out.String(), part) {
					t.Errorf("%q does not say %q", firstLine(out.String()), part)
				}
			}
		})
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// TestDerivedNames: they are those of the function and of the type, with their package.
func TestDerivedNames(t *testing.T) {
	t.Parallel()
	const pkg = "github.com/gomultiprocessing/mp/tests/process_test."
	if namesSquare.Name() != pkg+"namesSquareIt" || namesRunner.Name() != pkg+"namesJob" || namesPointer.Name() != "*"+pkg+"namesPointerJob" {
		t.Errorf("%q, %q, %q", namesSquare.Name(), namesRunner.Name(), namesPointer.Name())
	}
	if n, err := testkit.QuietCall(t, namesSquare, 7); n != 49 || err != nil {
		t.Error(n, err)
	}
	testkit.Same(t, namesEcho, any([]namesDerived{{1}}))
}

// TestRegisteredErrorsAreFound: sentinels whose names are made of package and text.
func TestRegisteredErrorsAreFound(t *testing.T) {
	t.Parallel()
	_, err := testkit.QuietCall(t, namesFail, 1)
	if !errors.Is(err, errNamesOne) || errors.Is(err, errNamesTwo) || errors.Is(err, errNamesThree) {
		t.Error(err)
	}
	_, err = testkit.QuietCall(t, namesFail, 3)
	if !errors.Is(err, errNamesThree) {
		t.Error(err)
	}
	if e, ok := errors.AsType[namesError](fmt.Errorf("%w", errNamesTyped(t))); !ok || e.N != 5 {
		t.Error(e)
	}
}
