package shm

import "time"

// Now is the time in nanoseconds on a clock that all processes of the machine read
// alike.
func Now() int64 { return clockStart + int64(time.Since(clockBase)) }

// Time is a time on the shared clock as a time of this process.
func Time(ns int64) time.Time { return clockBase.Add(time.Duration(ns - clockStart)) }
