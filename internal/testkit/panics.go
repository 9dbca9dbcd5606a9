package testkit

import (
	"fmt"
)

// PanicText calls f and returns the text of its panic.
func PanicText(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

// PanicOf calls f and returns the value of its panic.
func PanicOf(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}
