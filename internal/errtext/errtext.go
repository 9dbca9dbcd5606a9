// Package errtext words errors: with one prefix in front, however many layers have added theirs, and
// with the name of the limit that the system has enforced.
package errtext

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// prefix begins the text of an error of this module.
const prefix = "mp: "

// Errorf is fmt.Errorf, but for the text of what it wraps: see One and Limit.
func Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	text := OnePrefix(err.Error())
	if limit := Limit(err); limit != "" && !strings.Contains(text, "ulimit") {
		text += " (" + limit + ")"
	}
	if text == err.Error() {
		return err
	}
	return &reworded{text: text, err: err}
}

// worded is an error with another text.
type reworded struct {
	text string
	err  error
}

func (e *reworded) Error() string { return e.text }
func (e *reworded) Unwrap() error { return e.err }

// One leaves only the first prefix in the text of an error that tells those of others.
func OnePrefix(text string) string {
	if strings.LastIndex(text, prefix) <= 0 {
		return text
	}
	for _, before := range []string{": ", "; ", "(", ", "} {
		text = strings.ReplaceAll(text, before+prefix, before)
	}
	return text
}

// Limit names the limit that the system has enforced, as a shell sets it: "" for other errors.
func Limit(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	return limitOf(errno)
}
