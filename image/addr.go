package image

import "strconv"

// Addr is an address in the memory of the program, virtual or physical.
type Addr uint64

// String prints 0x1000.
func (a Addr) String() string { return "0x" + strconv.FormatUint(uint64(a), 16) }

// Add returns a+n, and false if that is beyond 64 bits.
func (a Addr) Add(n uint64) (Addr, bool) { return a + Addr(n), a+Addr(n) >= a }

// Down rounds down to a multiple of align, a power of two.
func (a Addr) Down(align uint64) Addr { return a &^ Addr(align-1) }

// Up rounds up to a multiple of align, a power of two, and returns false if
// that is beyond 64 bits.
func (a Addr) Up(align uint64) (Addr, bool) {
	u := (a + Addr(align-1)) &^ Addr(align-1)
	return u, u >= a
}
