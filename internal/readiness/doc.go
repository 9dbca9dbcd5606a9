// Package readiness reports when descriptors that do not belong to mp can be read without
// blocking. It reads nothing from them and takes none of their locks, so their owners can keep
// using them.
package readiness
