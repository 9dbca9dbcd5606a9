// Package pipe is one end of a pipe between processes: a socket of a pair that carries
// whole messages with their descriptors.
//
// A message is one or more chunks, so that one that is given up halfway costs at most
// the rest of a chunk:
//
//	byte 0      kind of the message: 1 a value, 2 bytes
//	byte 1      number of descriptors that come with this chunk, at most 253
//	byte 2, 3   "mp"
//	byte 4-7    size of this chunk's payload, little-endian, at most 64 KiB
//	byte 8-15   size of the whole message
//	            payload
//	last byte   0x55 the message goes on, 0xaa it is complete, 0x0f it was given up
//
// The last byte of the last chunk commits the message: before it is in the socket the
// message has not been sent, and a sender that dies or gives up leaves nothing. The descriptors
// travel with the first byte of the last chunk.
//
// What is read ahead stays in the End and moves with it to another process.
package pipe
