package testkit

import (
	"bytes"
	"fmt"
	"os"
)

// ProcessState is the state of a process as ps shows it, such as 'T' for a stopped one; 0: it does not exist.
func ProcessState(pid int) byte {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	at := bytes.LastIndexByte(stat, ')') // its name may have one, too
	if err != nil || at < 0 || at+2 >= len(stat) {
		return 0
	}
	return stat[at+2]
}
