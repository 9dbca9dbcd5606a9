// Package auth is the beginning of each connection that Python's multiprocessing makes or
// accepts: its framing of messages, and the handshake in which both ends prove that they
// know the same key. It works on any stream and knows neither addresses nor values.
//
// # Frames
//
// A message is a length of 4 bytes, big-endian and signed, and that many bytes; one of
// 2 GiB or more is -1, a length of 8 bytes, and the bytes. See [ReadMessage] and
// [WriteMessage].
//
// # Handshake
//
// Each side in turn, the listening one first, sends a random challenge, and the other
// answers with its HMAC under the key. [Accept] and [Dial] do both. The digest is SHA-256,
// which Python has since 3.12; up to 3.11 it has MD5 only, which is off unless
// Options.MD5 allows it. Before the peer has proved its key it can make this side read at
// most 256 bytes a message, and only until the deadline.
//
// The handshake authenticates the other end. It does not detect a relay that passes all bytes on; over a
// network, use TLS.
package auth
