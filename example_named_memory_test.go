//go:build linux

package mp_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

// Memory with a name is found by any program of the same user, one in Python too, and
// stays until Unlink.
func ExampleCreateMemory() {
	name := fmt.Sprintf("mp-example-%d", os.Getpid())
	m, err := mp.CreateMemory(name, 1<<20)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	copy(m.Bytes(), "hello")

	// In another program, say; or in Python: SharedMemory(name).
	other, err := mp.OpenMemory(name)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(other.Bytes()[:5]), other.Size())
	fmt.Println(other.Close(), m.Unlink())

	_, err = mp.OpenMemory(name)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// hello 1048576
	// <nil> <nil>
	// true
}
