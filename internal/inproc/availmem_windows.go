package inproc

import "golang.org/x/sys/windows"

// hasRoom says whether the system would give so many bytes at once. Go's own memory comes
// the same way, but there it is the end of the program when it does not.
func checkMemory(size int) error {
	at, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return err
	}
	return windows.VirtualFree(at, 0, windows.MEM_RELEASE)
}
