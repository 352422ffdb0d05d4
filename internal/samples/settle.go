package samples

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Settle waits until nobody has a file that this process wrote open for writing. A
// test beside this one that starts
// a program just when the file is written hands its descriptor to a child, which
// has it until its own exec, and so long Linux does not execute the file (ETXTBSY).
// A lease for reading is what the kernel refuses as long as there is a writer
// (fcntl_setlease, check_conflicting_open in fs/locks.c).
func Settle(t testing.TB, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
		if !errors.Is(err, unix.EAGAIN) || time.Now().After(end) {
			if err != nil {
				t.Fatalf("%s: is it still written? %v", path, err)
			}
			unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
			return
		}
	}
}
