//go:build linux

package mp_test

import (
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// A list that a Python program opens by ShareableList(name=...).
func ExampleCreateShareableList() {
	l, err := mp.CreateShareableList("", "howdy", 42, 2.5, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Memory().Unlink()
	defer l.Memory().Close()

	other, err := mp.OpenShareableList(l.Memory().Name())
	if err != nil {
		log.Fatal(err)
	}
	defer other.Memory().Close()
	fmt.Println(other.Set(0, "bye"), other.Set(1, "too long for it"))
	for i, v := range l.All() {
		fmt.Println(i, v)
	}
	// Output:
	// <nil> mp: ShareableList.Set(1): invalid argument: 15 bytes, and there is room for 8
	// 0 bye
	// 1 42
	// 2 2.5
	// 3 <nil>
}
