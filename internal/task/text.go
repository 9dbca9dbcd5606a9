package task

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

// What a task panicked with, and what it returned as an error, have methods of the program's.
// They may panic, end their goroutine, wait for ever or print without end. The task must have
// an outcome all the same, so they are called on a goroutine of their own, for a limited time.

// GuardTime is how long such code may take.
const GuardTime = time.Second

// Errors of Guard, besides that of a panic.
var (
	errExits   = errors.New("calls runtime.Goexit")
	errForever = errors.New("does not return")
)

// runaways are the calls of Guard that have not returned in their time, and not since.
var runaways atomic.Int64

// Runaways says how many goroutines go on that Guard has given up.
func Runaways() int { return int(runaways.Load()) }

// Guard calls f and returns what it returns. The error says that it panics, ends its goroutine, or
// does not return within GuardTime. Then it may still go on: what f changes must be its own.
func Guard[T any](f func() T) (T, error) {
	type ending struct {
		v   T
		err error
	}
	done := make(chan ending, 1)
	var over atomic.Bool // for whichever of the two comes first
	go func() {
		end := ending{err: errExits}
		defer func() {
			if !over.CompareAndSwap(false, true) {
				runaways.Add(-1)
			}
			done <- end
		}()
		returned := false
		defer func() {
			if returned {
				return
			}
			if v := recover(); v != nil {
				end.err = panicked(v)
			}
		}()
		end.v = f()
		returned, end.err = true, nil
	}()
	timer := time.NewTimer(GuardTime)
	defer timer.Stop()
	select {
	case end := <-done:
		return end.v, end.err
	case <-timer.C:
	}
	runaways.Add(1)
	if over.CompareAndSwap(false, true) {
		var none T
		return none, errForever
	}
	runaways.Add(-1)
	end := <-done
	return end.v, end.err
}

// panicked says that code panics, and with what if that can be said without calling more of it.
func panicked(v any) error {
	if s, ok := plainText(v); ok {
		return errors.New("panics: " + s)
	}
	return fmt.Errorf("panics with a %T", v)
}

// Text is a value as fmt prints it, or says what its methods do instead of returning.
func Text(v any) string {
	if s, ok := plainText(v); ok {
		return s
	}
	s, err := Guard(func() string { return textOf(v) })
	if err != nil {
		return fmt.Sprintf("%T, whose text %v", v, err)
	}
	return s
}

// plainText is the text of a value that has no methods, or harmless ones.
func plainText(v any) (s string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "nil", true // as the runtime calls it
	case string:
		return v, true
	case int:
		return strconv.Itoa(v), true
	case bool:
		return strconv.FormatBool(v), true
	case error:
		if IsPlain(v) {
			return v.Error(), true
		}
	}
	return "", false
}

// IsPlain says whether an error, and each that it wraps, is of a type whose methods are harmless.
func IsPlain(err error) bool {
	for range 100 {
		t := reflect.TypeOf(err)
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.PkgPath() {
		case "errors", "runtime":
			if t.Name() == "joinError" {
				return false // of anything
			}
		case "fmt":
			if t.Name() == "wrapErrors" {
				return false
			}
		default:
			return false
		}
		if err = errors.Unwrap(err); err == nil {
			return true
		}
	}
	return false
}

func textOf(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Formatter:
		s := new(state)
		defer func() { s.over = true }()
		v.Format(s, 'v')
		return string(s.text)
	}
	return fmt.Sprint(v)
}

// maxFormatted is how many bytes a Format method may print.
const maxFormatted = 1 << 20

// state is the fmt.State of %v that takes so many bytes. One who prints more ends there.
type state struct {
	text []byte
	over bool
}

// Write implements fmt.State.
func (s *state) Write(b []byte) (int, error) {
	if s.over || len(s.text)+len(b) > maxFormatted {
		runtime.Goexit()
	}
	s.text = append(s.text, b...)
	return len(b), nil
}

// Width implements fmt.State.
func (s *state) Width() (int, bool) { return 0, false }

// Precision implements fmt.State.
func (s *state) Precision() (int, bool) { return 0, false }

// Flag implements fmt.State.
func (s *state) Flag(int) bool { return false }
