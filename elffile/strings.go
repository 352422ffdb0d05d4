package elffile

import (
	"bytes"
	"fmt"
	"strconv"
)

// cstring returns the bytes at off up to a NUL. Without one it returns the rest
// of the table, and false; beyond the table it returns nil, and false.
func cstring(tab []byte, off uint64) ([]byte, bool) {
	if off >= uint64(len(tab)) {
		return nil, false
	}
	b := tab[off:]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i], true
	}
	return b, false
}

// CString returns the string at an offset of a string table (gABI, "String
// Table"), without its NUL, and whether it ends inside the table. The bytes are
// a window on the table.
func CString(table []byte, off uint64) ([]byte, bool) { return cstring(table, off) }

func quoteBytes(b []byte) string { return strconv.QuoteToASCII(string(b)) }

func sizeMsg(have, want int) string {
	return fmt.Sprintf("needs 0x%x bytes, the file has 0x%x", want, have)
}
