// Prog starts a child of itself and prints what that child says. Its first argument says
// what to do to the binary's file before.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func main() {
	if self := spawn.Child(); self != nil {
		fmt.Fprintf(self.Conn, "%q", os.Args)
		return
	}
	exe, _ := os.Executable()
	switch os.Args[1] {
	case "delete":
		must(os.Remove(exe))
	case "replace":
		must(os.Remove(exe))
		must(os.WriteFile(exe, []byte("#!/bin/false\n"), 0o755))
	case "chdir":
		must(os.Chdir("/"))
	}
	p, err := spawn.Start(spawn.Spec{Title: "prog: child"})
	must(err)
	said, err := io.ReadAll(p.Conn())
	must(err)
	<-p.Done()
	if string(said) != fmt.Sprintf("%q", os.Args) {
		must(fmt.Errorf("child has %s, main %q", said, os.Args))
	}
	fmt.Println("ok", p.Exit().Code)
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
