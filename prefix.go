package mp

import "strings"

// prefixed is err with some words in front, as fmt.Errorf("...: %w", err) makes it, but without
// a second "mp: ".
func prefixed(what string, err error) error {
	return &prefixedError{text: what + ": " + unprefixed(err), err: err}
}

// unprefixed is the text of an error that stands inside another one's.
func unprefixed(err error) string { return strings.TrimPrefix(err.Error(), "mp: ") }

// prefixedError is what fmt.Errorf would return.
type prefixedError struct {
	text string
	err  error
}

func (e *prefixedError) Error() string { return e.text }
func (e *prefixedError) Unwrap() error { return e.err }
