// Package fdpass sends and receives descriptors over Unix domain sockets.
//
// Descriptors travel beside the bytes of a message, at most Max with one. The kernel keeps those that
// are in flight when their sender dies. A receiver that cannot open more files loses them, and
// learns that.
package fdpass
