// Package paging makes the page tables that Microkit's loader starts the kernel
// with. Microkit's tool writes them into variables of the loader: the loader has
// only room for them, and does not know where the kernel will be.
//
// They map two things. The loader stays where it is, for it runs while the MMU is
// turned on. The kernel gets what follows its first address up to the next
// multiple of 1 GiB, in blocks of 2 MiB, whether it needs all of that or not.
package paging

import (
	"encoding/binary"
	"fmt"
)

// Size is that of a table, and of the variable it goes to.
const Size = 4096

// Loader is what is known of the loader.
type Loader struct {
	Start, End uint64 // of its memory; for RISC-V only Start
	// Tables are the addresses of the variables, by name.
	Tables map[string]uint64
	UART   *uint64 // registers of the port that it prints to; nil: it prints nothing
	Low    bool    // AArch64: map the first 2 MiB too, where other cores wait (BCM2711)
}

// Kernel is where the kernel starts.
type Kernel struct{ Virt, Phys uint64 }

// A Table is the contents of a variable.
type Table struct {
	Name  string
	Bytes []byte
}

const (
	entrySize = 8
	giga      = 1 << 30
	mega2     = 2 << 20
	page      = 4096
)

// index returns which entry of a table is that of an address.
func index(addr uint64, shift uint) int { return int(addr >> shift & 511) }

// tables are contents in the making.
type tables struct {
	names []string
	bytes map[string][]byte
	at    map[string]uint64
}

// newTables checks the addresses of all tables.
func newTables(l *Loader, names []string) (*tables, error) {
	t := &tables{names: names, bytes: map[string][]byte{}, at: l.Tables}
	for _, n := range names {
		at, ok := l.Tables[n]
		if !ok {
			return nil, fmt.Errorf("the address of %s is missing", n)
		}
		if at%page != 0 || at>>48 != 0 {
			return nil, fmt.Errorf("%s is at %#x, and a page table lies at a multiple of %#x below 2^48", n, at, page)
		}
		t.bytes[n] = make([]byte, Size)
	}
	return t, nil
}

func (t *tables) put(name string, i int, entry uint64) {
	binary.LittleEndian.PutUint64(t.bytes[name][i*entrySize:], entry)
}

func (t *tables) list() (out []Table) {
	for _, n := range t.names {
		out = append(out, Table{n, t.bytes[n]})
	}
	return out
}
