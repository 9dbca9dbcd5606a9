// Package inproc has the carriers in memory of this process: goroutines share what they
// hold, and nothing is copied. Package thread gives them the types of package mp.
//
// All methods may be called by any number of goroutines. In a bubble of testing/synctest a
// goroutine that waits is durably blocked; an object may be used in one bubble after another.
package inproc
