package elffile

import (
	"bytes"
	"fmt"
	"strconv"
)

// maxString bounds a string. The longest names that compilers make are some
// ten KiB; without a bound, a million symbols that all name one string of 100 MB
// would cost a million times 100 MB.
const maxString = 128 << 10

// cstring returns the bytes at off up to a NUL. Without one it returns the rest
// of the table, but no more than maxString, and false; beyond the table it
// returns nil, and false.
func cstring(tab []byte, off uint64) ([]byte, bool) {
	if off >= uint64(len(tab)) {
		return nil, false
	}
	b := tab[off:]
	b = b[:min(len(b), maxString)]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i], true
	}
	return b, false
}

// CString returns the string at an offset of a string table (gABI, "String
// Table"), without its NUL, and whether it ends inside the table. The bytes are
// a window on the table, and never more than 128 KiB.
func CString(table []byte, off uint64) ([]byte, bool) { return cstring(table, off) }

func quoteBytes(b []byte) string { return strconv.QuoteToASCII(string(b)) }

func sizeMsg(have, want int) string {
	return fmt.Sprintf("needs 0x%x bytes, the file has 0x%x", want, have)
}
