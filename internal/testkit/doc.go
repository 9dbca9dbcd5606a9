// Package testkit has what the tests from outside share: those in the folders of tests, and the root's. Main is their
// TestMain, which looks for leaks; Carriers and QueueKinds are what a conformance test runs over; Build builds the programs in
// tests/testdata.
package testkit
