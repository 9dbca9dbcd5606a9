package spawn

import "os"

// CheckMemoryWatch returns an error if the memory of processes that are started now cannot be
// watched.
func CheckMemoryWatch() error {
	f, err := os.Open("/proc/self/statm")
	if err != nil {
		return err
	}
	return f.Close()
}
