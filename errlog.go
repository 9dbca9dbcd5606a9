package mp

import (
	"log/slog"
)

// Package log/slog is imported for the methods LogValue of this package, of errors and of events. Its
// initialisation, with that of encoding/json and others that it brings, takes some 30 us of a worker's
// start; of 3.3 ms on the loaded machine where it was measured, 1,500 starts each in turn, 2 % at the median.

// LogValue logs the task and its error.
func (e *TaskError) LogValue() slog.Value {
	as := []slog.Attr{slog.String("msg", e.Error())}
	as = appendSet(as, slog.String("func", e.Func))
	as = append(as, slog.Int("index", e.Index))
	return slog.GroupValue(append(appendSet(as, slog.Int("attempts", e.Attempts), slog.Int("pid", e.PID)), causeOf(e.Err)...)...)
}

// LogValue logs how many tasks failed, and the text, which shows the first ones.
func (e *MapError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("msg", e.Error()), slog.Int("failed", len(e.Errs)), slog.Int("total", e.Total))
}

// LogValue logs how the worker ended, without its last words.
func (e *WorkerDiedError) LogValue() slog.Value {
	as := []slog.Attr{slog.String("msg", e.Error()), slog.Int("pid", e.PID), slog.Int("exitCode", e.ExitCode)}
	if e.Signal != nil {
		as = append(as, slog.String("signal", e.Signal.String()))
	}
	return slog.GroupValue(appendSet(as, slog.String("reason", e.Reason))...)
}

// LogValue logs how long the task had, and where it was.
func (e *TimeoutError) LogValue() slog.Value {
	as := []slog.Attr{slog.String("msg", e.Error()), slog.Duration("after", e.After)}
	return slog.GroupValue(appendSet(as, slog.String("place", placeIn(e.Stack)), slog.String("stack", programStack(e.Stack)))...)
}

// LogValue logs what it panicked with, where, and the stack of the program.
func (e *PanicError) LogValue() slog.Value {
	as := []slog.Attr{slog.String("msg", e.Error()), slog.String("value", e.Value)}
	return slog.GroupValue(appendSet(as, slog.String("place", placeIn(e.Stack)), slog.String("stack", programStack(e.Stack)))...)
}

// LogValue logs the message and the type over there.
func (e *RemoteError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("msg", e.Message), slog.String("type", e.Type))
}

// LogValue logs how the process ended, without its last words.
func (e *ExitError) LogValue() slog.Value {
	as := []slog.Attr{slog.String("msg", e.Error()), slog.Int("pid", e.PID), slog.Int("code", e.Code)}
	if e.Signal != nil {
		as = append(as, slog.String("signal", e.Signal.String()))
	}
	return slog.GroupValue(append(appendSet(as, slog.String("reason", e.Reason)), causeOf(e.Err)...)...)
}

// LogValue logs the text, and how many wait for each other.
func (e *DeadlockError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("msg", e.Error()), slog.Int("processes", len(e.Circle)))
}

// causeOf is what an error of this package wraps, if it logs more than its text.
func causeOf(err error) []slog.Attr {
	if v, ok := err.(slog.LogValuer); ok {
		return []slog.Attr{slog.Any("cause", v)}
	}
	return nil
}

// appendSet appends those that are not zero.
func appendSet(as []slog.Attr, more ...slog.Attr) []slog.Attr {
	for _, a := range more {
		switch v := a.Value; {
		case v.Kind() == slog.KindString && v.String() == "":
		case v.Kind() == slog.KindInt64 && v.Int64() == 0:
		case v.Kind() == slog.KindUint64 && v.Uint64() == 0:
		case v.Kind() == slog.KindDuration && v.Duration() == 0:
		default:
			as = append(as, a)
		}
	}
	return as
}
