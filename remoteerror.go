package mp

import (
	"fmt"
	"reflect"
)

// RemoteError stands for an error of another process whose type or identity did
// not travel: most of those that errors.New and fmt.Errorf make. The errors it wrapped can be
// found by errors.Is and errors.As as far as they are known here.
//
// A sentinel such as
//
//	var ErrNotFound = errors.New("not found")
//
// is another variable in each process. Until it is registered (see RegisterErrors and RegisterErrorType), it
// arrives as a RemoteError with the same text, which errors.Is does not match. Printed with %+v, a RemoteError
// mentions this.
//
// Types of error of os/exec, net, net/url, net/http, encoding/json and other packages of the
// standard library are found by errors.As and errors.AsType with all of their fields, and so are
// the errors in them. (Not by a type assertion: this package does not import those, which
// would make workers start later. An address in a *net.OpError has its network and its text, no more.)
// errors.As finds net.Error in what was one. Sentinels which an error claims to be, by a method Is,
// and that are known here, are found by errors.Is.
type RemoteError struct {
	Type    string // as %T prints it
	Message string

	wrapped  []error
	is       []error // sentinels that it claims to be
	flags    byte
	standard string // the type's name, of the standard library
	value    []byte // and its fields
}

// Error is the message of the error over there.
func (e *RemoteError) Error() string { return e.Message }

// Unwrap returns the errors that it wrapped.
func (e *RemoteError) Unwrap() []error { return e.wrapped }

// Is finds sentinels that the error over there said to be, and those of packages that this one
// does not import, such as net.ErrClosed and exec.ErrNotFound.
func (e *RemoteError) Is(target error) bool {
	if e.flags&flagNetClosed != 0 && isNetClosed(target) {
		return true
	}
	for _, err := range e.is {
		if identical(err, target) {
			return true
		}
	}
	return standardTexts[e.Message] && e.Type == plainErrorType && fmt.Sprintf("%T", target) == plainErrorType && target.Error() == e.Message
}

// plainErrorType is what errors.New makes.
const plainErrorType = "*errors.errorString"

// standardTexts are sentinels of the standard library in packages that this one does not import.
// They are known by their texts, which nobody else uses.
var standardTexts = map[string]bool{
	"executable file not found in $PATH": true, "executable file not found in %PATH%": true, // exec.ErrNotFound
	"cannot run executable found relative to current directory":  true, // exec.ErrDot
	"exec: WaitDelay expired before I/O complete":                true, // exec.ErrWaitDelay
	"sql: no rows in result set":                                 true, // sql.ErrNoRows
	"sql: transaction has already been committed or rolled back": true, // sql.ErrTxDone
	"sql: connection is already closed":                          true, // sql.ErrConnDone
	"http: Server closed":                                        true, // http.ErrServerClosed
	"http: Handler timeout":                                      true, // http.ErrHandlerTimeout
	"net/http: abort Handler":                                    true, // http.ErrAbortHandler
	"http: no such file":                                         true, // http.ErrMissingFile
	"http: named cookie not present":                             true, // http.ErrNoCookie
	"bufio.Scanner: token too long":                              true, // bufio.ErrTooLong
	"zip: not a valid zip file":                                  true, // zip.ErrFormat
	"gzip: invalid header":                                       true, // gzip.ErrHeader
	"gzip: invalid checksum":                                     true, // gzip.ErrChecksum
	"archive/tar: invalid tar header":                            true, // tar.ErrHeader
	"encoding/hex: odd length hex string":                        true, // hex.ErrLength
	"wrong number of fields":                                     true, // csv.ErrFieldCount
	"image: unknown format":                                      true, // image.ErrFormat
}

// What a RemoteError knows of its error.
const (
	flagNetClosed = 1 << iota // it is net.ErrClosed
	flagTimeout               // it has a method Timeout
	isTimeout                 // which says yes
	flagTemporary             // and so on
	isTemporary
	flagStandard // its fields came along
)

// isNetClosed knows net.ErrClosed by its type, so that programs that do not use
// the network need not link it.
func isNetClosed(err error) bool {
	t := reflect.TypeOf(err)
	return t != nil && t.PkgPath() == "internal/poll" && t.Name() == "errNetClosing"
}

// identical is same for two errors of which both may hold such things.
func identical(a, b error) (yes bool) {
	defer func() { _ = recover() }()
	return same(a, b)
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

// same is == for errors that may hold what cannot be compared.
func same(err, sentinel error) bool {
	return reflect.TypeOf(err) == reflect.TypeOf(sentinel) && err == sentinel
}
