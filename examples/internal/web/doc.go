// Package web is what the examples that read the web have in common: which URLs they
// take, the client, which failures pass by themselves, and how to show what came from
// outside.
package web
