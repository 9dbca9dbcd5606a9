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
