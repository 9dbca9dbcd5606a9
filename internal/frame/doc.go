// Package frame divides a stream of bytes into messages: frames, each with a kind, a payload and, on a
// socket, descriptors.
package frame
