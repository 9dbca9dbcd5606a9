package spawn

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// loader returns the words before the program's own on the command line of a program that was
// started through an explicit dynamic loader, as in "ld.so --library-path lib ./program". The
// kernel reports that loader as the executable. The words begin with the loader's name and end
// with the program's. For all other programs there are none. A child gets them in its bootstrap,
// because its command line shows its title.
var loader = sync.OnceValues(func() ([]string, error) {
	if child != nil {
		return inheritedLoader, nil
	}
	exe, err := os.Readlink(selfExe)
	code := codeFile()
	if err != nil || code == "" || code == exe || sameFile(code, selfExe) {
		return nil, nil
	}
	path := strings.TrimSuffix(code, " (deleted)")
	if !hasInterpreter(path) {
		if path == code {
			return nil, nil // Go code in a shared library: the program knows how it was started
		}
		return nil, fmt.Errorf("the program was started by the loader %s, and its file %s no longer exists: restore the file, or start the program directly", exe, path)
	}
	b, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		return nil, err
	}
	words := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	n := len(words) - len(mainArgs)
	if n < 1 || !slices.Equal(words[n+1:], mainArgs[1:]) || filepath.Base(words[n]) != filepath.Base(path) {
		return nil, fmt.Errorf("the program %s was started by the loader %s with the command line %q, which mp cannot repeat: start the program directly", path, exe, words)
	}
	return append(slices.Clone(words[:n]), path), nil
})

// inheritedLoader is the result of loader in a child.
var inheritedLoader []string

// codeFile returns the file from which this code is mapped, or "" if that is unknown.
func codeFile() string {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return ""
	}
	defer f.Close()
	at := uint64(reflect.ValueOf(codeFile).Pointer())
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // from-to perms offset device inode path
		from, to, _ := strings.Cut(fields[0], "-")
		first, err := strconv.ParseUint(from, 16, 64)
		last, err2 := strconv.ParseUint(to, 16, 64)
		if err == nil && err2 == nil && first <= at && at < last {
			if i := strings.IndexByte(lines.Text(), '/'); i >= 0 && len(fields) > 5 && !strings.HasPrefix(fields[5], "/memfd:") {
				return lines.Text()[i:]
			}
			return ""
		}
	}
	return ""
}

// errELF is returned for a file that is not a program.
var errELF = errors.New("not an ELF file")

// hasInterpreter reports whether a file is a dynamically linked program, as opposed to a shared
// library.
func hasInterpreter(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	types, err := segmentTypes(f)
	const interpreter = 3 // PT_INTERP
	return err == nil && slices.Contains(types, interpreter)
}
