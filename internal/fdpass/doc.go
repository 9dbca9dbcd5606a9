// Package fdpass sends and receives descriptors over Unix domain sockets. Frames, queues and pipes
// all use it.
//
// Descriptors travel beside the bytes of a message, at most Max with one. The kernel keeps those in
// flight when their sender dies. A receiver that cannot open more files loses them and gets an
// error.
//
// Sendmsg and Recvmsg are single system calls. Socket and Send are the two ends of a stream of
// bytes on top of them.
package fdpass
