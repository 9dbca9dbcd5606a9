// Package carrier is the contract between the types of package mp that are shared, such as
// Queue and Lock, and what holds them: memory of this process, memory shared by processes,
// a server, a cluster. Each primitive has one interface.
//
// An operation that waits takes a ctx and returns its error when it ends; it has had no
// effect then. An operation that does not wait, but may leave the process, returns an error,
// unless the method of package mp that it serves has none.
//
// The errors of a carrier are the errors of the methods of package mp: nothing translates
// them. So their texts begin with "mp: " where they are not those of the ctx, and they wrap
// the sentinels of this package.
package carrier
