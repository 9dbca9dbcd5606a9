package web

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// Parse reads a whole URL of http or https, and escapes its query. The error says what is
// wrong with it, in a few words and without the URL.
func Parse(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, fmt.Errorf("not a URL: %w", cause(err))
	}
	EscapeQuery(u)
	return u, Check(u)
}

// EscapeQuery escapes white space, and what is no ASCII, in a query, as browsers do. net/url
// does it for all other parts; as it came it would break a request's first line.
func EscapeQuery(u *url.URL) {
	var b strings.Builder
	for _, c := range []byte(u.RawQuery) {
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	u.RawQuery = b.String()
}

// Check says why a URL cannot be asked for: its scheme, its host or its port.
func Check(u *url.URL) error {
	switch {
	case u.Scheme == "":
		return errors.New("not a whole URL: it must begin with http:// or https://")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("scheme %s: only http and https can be read", show.Text(u.Scheme))
	case u.Hostname() == "":
		return errors.New("not a whole URL: there is no host in it")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("port %s: must be 1 to 65535", show.Text(port))
		}
	}
	return nil
}

// cause is what an error of net/url or net/http says, less the URL that it is about:
// that is told elsewhere, and may hold a password.
func cause(err error) error {
	var about *url.Error
	for errors.As(err, &about) {
		err = about.Err
	}
	return err
}
