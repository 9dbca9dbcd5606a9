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

// loader are the words before the program's own on the command line of a program that was run by an
// explicit dynamic loader, as in "ld.so --library-path lib ./program": the kernel knows that loader as the
// executable. They begin with the loader's name and end with the program's; none for all other programs.
// A child is told by its mark, for what the kernel shows as its command line is its title.
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
			return nil, nil // a shared library of Go code, in a program that knows how it is started
		}
		return nil, fmt.Errorf("the program was run by %s, and its file %s is gone: a child could not be started from it", exe, path)
	}
	b, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		return nil, err
	}
	words := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	n := len(words) - len(mainArgs)
	if n < 1 || !slices.Equal(words[n+1:], mainArgs[1:]) || filepath.Base(words[n]) != filepath.Base(path) {
		return nil, fmt.Errorf("the program %s was run by %s in a way that is not understood (%q): run it directly", path, exe, words)
	}
	return append(slices.Clone(words[:n]), path), nil
})

// childLoader is what loader is in a child.
var inheritedLoader []string

// codeFile is the file from which this code is mapped; "" when it is not known.
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

// errELF is for a file that is no program.
var errELF = errors.New("not an ELF file")

// hasInterpreter says whether a file is a program that a loader loads, and no shared library.
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
