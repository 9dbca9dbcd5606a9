package main

import (
	"errors"
	"fmt"

	"github.com/gomultiprocessing/mp"
)

// forgetShared makes one of everything that processes share, without Main, and says what came
// of it.
func forgetShared() {
	for _, made := range []struct {
		what string
		err  error
	}{
		{"Lock", alone(mp.NewLock())},
		{"RLock", alone(mp.NewRLock())},
		{"Semaphore", alone(mp.NewSemaphore(1))},
		{"Semaphore of -1", alone(mp.NewSemaphore(-1))},
		{"BoundedSemaphore", alone(mp.NewBoundedSemaphore(1))},
		{"Condition", alone(mp.NewCondition(nil))},
		{"Condition of a Lock", alone(mp.NewCondition(new(mp.Lock)))},
		{"Event", alone(mp.NewEvent())},
		{"Barrier", alone(mp.NewBarrier(1))},
		{"Barrier of none", alone(mp.NewBarrier(0))},
		{"Value", alone(mp.NewValue(1))},
		{"Value of strings", alone(mp.NewValue(""))},
		{"Counter", alone(mp.NewCounter(1))},
		{"Queue", alone(mp.NewQueue[int](1))},
		{"Array", alone(mp.NewArray[int](1))},
		{"Memory", alone(mp.NewMemory(1))},
	} {
		fmt.Println(made.what, errors.Is(made.err, mp.ErrNoMain), made.err)
	}
}

// alone is an error that came without a thing.
func alone[T any](v *T, err error) error {
	if v != nil && err != nil {
		return errors.New("there is one, and an error")
	}
	return err
}
