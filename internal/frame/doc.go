// Package frame divides a stream of bytes into messages, called frames. Each has a kind and a
// payload, and on a socket may carry descriptors.
package frame
