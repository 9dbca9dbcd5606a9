package mp

import (
	"errors"
	"fmt"
	"reflect"
	"syscall"

	"github.com/gomultiprocessing/mp/internal/readiness"
)

// Readable is what Select waits for at something that is not of this package: a net.Conn, a net.Listener, an
// *os.File such as a pipe's end, a terminal or os.Stdin. It is ready when a Read, or an Accept, would not block: there is
// something, or the end, or it was closed. Nothing is read from it, its deadlines stay as they are, and any number of
// goroutines may use it meanwhile. multiprocessing.connection.wait takes sockets likewise.
//
// What has been read ahead is not seen: give what is below a bufio.Reader only after its Buffered is zero. A
// connection of crypto/tls holds such bytes where nobody sees them; Select refuses it, as it refuses all that has no
// descriptor (no method SyscallConn), and names it.
//
// A Select with such things takes a descriptor more while it waits, and looks at them again ten times a second, since
// the kernel does not tell that one was closed. Elsewhere than on Linux it returns errors.ErrUnsupported.
func Readable(r any) Selectable { return readable{r} }

type readable struct{ r any }

func (r readable) selectable() source {
	if v := reflect.ValueOf(r.r); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return source{err: errors.New("Readable(nil)")}
	}
	c, ok := r.r.(syscall.Conn)
	if !ok {
		return source{err: fmt.Errorf("Readable of a %T, which has no descriptor to wait for", r.r)}
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return source{err: fmt.Errorf("Readable of a %T: %w", r.r, err)}
	}
	return source{raw: raw, ready: func() bool { return readiness.Ready(raw) }}
}
