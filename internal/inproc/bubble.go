package inproc

import "time"

// outside says whether a time is one of the world and not of a testing/synctest bubble, whose
// clock begins in the year 2000.
func outside(since time.Time) bool { return since.Unix() > 1_600_000_000 } // in the year 2020

// Bubbled says whether the goroutine that asks is in a bubble of testing/synctest.
func Bubbled() bool { return !outside(time.Now()) }
