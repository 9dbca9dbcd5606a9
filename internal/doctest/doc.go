// Package doctest has no code of its own: its test compiles and runs every Go
// block of README.md and docs/*.md, so that a page cannot promise what does not
// work.
//
// A block that begins with a package clause is a whole file. Any other block is a
// fragment, and an HTML comment above it, which readers do not see, names the
// file of testdata/wrap that completes it; its line "BLOCK" is where the fragment goes:
//
//	<!-- go: wrap=pool -->
//
// Imports need not be shown: those that a fragment and its wrapper use are added,
// as far as the test knows them. Nor need every variable be used. More words may
// stand in the comment:
//
//	compile      the block is compiled and not run
//	alone        the block has a program of its own, because its package
//	             initialisation does more than register functions
//	package=NAME blocks of one page with the same NAME are files of one package;
//	             other blocks of the page import it as "example.com/NAME"
//
// A block that imports testing is run by go test. Every other one is run as a
// program that has to exit with 0.
//
// What a page promises is compared. A comment behind a call of fmt.Print, Printf
// or Println is the line that it prints:
//
//	fmt.Println(squares, err) // [1 4 9] <nil>
//
// When all such calls in a block have a comment, these lines are all that the
// program may print. Or a block of text below it, with the comment
//
//	<!-- output -->
//
// above it, is what the program prints.
package doctest
