package shm

import "time"

// Now is the time on the shared clock in nanoseconds. All processes of the machine read the
// same clock.
func Now() int64 { return clockStart + int64(time.Since(clockBase)) }

// Time converts a time on the shared clock.
func Time(ns int64) time.Time { return clockBase.Add(time.Duration(ns - clockStart)) }
