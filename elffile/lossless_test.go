package elffile

import (
	"bytes"
	"os"
)

// sweep says whether tests run over the whole system.
func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") != "" }

// clobber overwrites the tables in the body, so that Encode cannot pass by
// having left them alone.
func clobber(f *File) {
	bad := func(off uint64, n int) {
		if n > 0 {
			f.Body.Put(int64(off), Buffer(bytes.Repeat([]byte{0xa5}, n)))
		}
	}
	bad(0, f.EhdrSize())
	if int(f.Header.Phentsize) == f.PhdrSize() {
		bad(f.Header.Phoff, len(f.Progs)*f.PhdrSize())
	}
	if int(f.Header.Shentsize) == f.ShdrSize() {
		bad(f.Header.Shoff, len(f.Sections())*f.ShdrSize())
	}
}
