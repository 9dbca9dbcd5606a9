// Package readiness tells when descriptors that are not mp's can be read without blocking. It reads nothing
// from them and takes none of their locks, so that whoever owns them can use them meanwhile.
package readiness
