//go:build linux

package testkit

import (
	"testing"

	"github.com/gomultiprocessing/mp"
)

// LocksParcel has one of each, at some depth.
type LocksParcel struct {
	Lock      *mp.Lock
	RLock     map[string]*mp.RLock
	Semaphore []*mp.Semaphore
	Condition *mp.Condition
	Event     *mp.Event
	Barrier   *mp.Barrier
	None      *mp.Lock
}

// Must returns the value of a constructor, and fails the test if it returned an error.
func Must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// ErrorOf drops the value of a call.
func ErrorOf[T any](_ T, err error) error { return err }
