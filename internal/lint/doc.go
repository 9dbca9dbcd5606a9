// Package lint holds the rules of the house as tests: what may import what, how
// long a file may be, what has to be documented. Each rule says why it is one.
package lint
