package inproc

import "golang.org/x/sys/windows"

// checkMemory returns an error if the system would not give size bytes at once. Go's own memory
// comes the same way, but when that is refused the program ends.
func checkMemory(size int) error {
	at, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return err
	}
	return windows.VirtualFree(at, 0, windows.MEM_RELEASE)
}
