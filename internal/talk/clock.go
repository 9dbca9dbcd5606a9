package talk

import "time"

// now is the time on the clock that parent and child share, in nanoseconds.
func now() int64 { return clockStart + int64(time.Since(clockBase)) }

// at is a time on the shared clock as a time of this process.
func at(ns int64) time.Time { return clockBase.Add(time.Duration(ns - clockStart)) }
