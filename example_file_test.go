//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"github.com/gomultiprocessing/mp"
)

// greet accepts one connection of a listener that another process has opened.
var greet = mp.Register("greet", func(ctx context.Context, f *os.File) (bool, error) {
	l, err := net.FileListener(f)
	f.Close() // l has a descriptor of its own
	if err != nil {
		return false, err
	}
	defer l.Close()
	c, err := l.Accept()
	if err != nil {
		return false, err
	}
	defer c.Close()
	_, err = fmt.Fprint(c, "hello from ", mp.Current().Name)
	return true, err
})

// A listener is handed to another process, which serves its connections. Python's
// multiprocessing.reduction does so with a socket.
func ExampleRegister_file() {
	ctx := context.Background()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		log.Fatal(err)
	}
	p, err := mp.Start(ctx, greet, f, mp.ProcessConfig{Name: "greeter"})
	if err != nil {
		log.Fatal(err)
	}
	f.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	fmt.Println(string(text), err, p.Join(ctx))
	// Output: hello from greeter <nil> <nil>
}
