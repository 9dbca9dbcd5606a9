// Package errtext formats error texts: with one "mp: " prefix, however many layers have added
// theirs, and with the name of the system limit that was reached.
package errtext

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// prefix begins the text of this module's errors.
const prefix = "mp: "

// Errorf is fmt.Errorf with a cleaned-up text: it applies OnePrefix and adds Limit.
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

// reworded is an error with another text.
type reworded struct {
	text string
	err  error
}

func (e *reworded) Error() string { return e.text }
func (e *reworded) Unwrap() error { return e.err }

// OnePrefix removes all prefixes but the first from the text of an error that quotes others.
func OnePrefix(text string) string {
	if strings.LastIndex(text, prefix) <= 0 {
		return text
	}
	for _, before := range []string{": ", "; ", "(", ", "} {
		text = strings.ReplaceAll(text, before+prefix, before)
	}
	return text
}

// Limit describes the system limit behind an error by its ulimit name. It returns "" for other
// errors.
func Limit(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	return limitOf(errno)
}
