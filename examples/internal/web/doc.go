// Package web is what the examples that read the web have in common: which URLs they
// take, the client, and which failures pass by themselves.
package web
