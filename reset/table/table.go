// Package table is the table by which a program's memory is restored when it
// starts again: what package reset writes, and that of rust-sel4's sel4-reset.
//
// Ours is in a read-only PT_LOAD that a program header of a private type, PT_EW_RESET,
// names. All numbers have the program's byte order; words its class. Addresses
// are relative to the head, so that they hold wherever the program is loaded.
//
//	head    "ewreset\0", u32 version, u32 flags, u32 offset and u32 size of the
//	        code, u32 offset of the table, u32 bytes that the table may have
//	code    behind the head; the new e_entry
//	table   word slot, word offset (from the table) of the first entry that is
//	        for each start, word offset of where the first start begins, word 0
//	        entries of 4 words: destination, its size, source, its size
//	        the last entry: where the program starts, 0, 0, 0
//	        what is left as it is, 4 words each: address, size, why, 0
//	        4 words 0
//	copy    the saved bytes
//
// What of a destination is beyond the size of its source becomes zero. Entries
// in front of the first one for each start are for the first start alone: they
// give persistent memory its value. Where it is certain that the first start finds
// all memory as it is to be, it begins with the last entry, and costs nothing.
//
// Whether a start is the first one tells the first word of the slot: at later ones
// it is that of the head.
package table

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// The program headers that lead to a table.
const (
	ProgType     = elf.ProgType(0x65770020) // PT_EW_RESET
	Sel4ProgType = elf.ProgType(0x64c34001) // PT_SEL4_RESET_REGIONS
)

// Magic begins the head; Version is the one that is written.
const (
	Magic    = "ewreset\x00"
	Version  = 1
	HeadSize = 32
)

// MaxRows is how many rows a table may have.
const MaxRows = 1 << 16

// Flags of the head.
const (
	Deflated = 1 << iota // the writable segments have no bytes of their own
	Code                 // what is restored may be code: caches are made to agree
	Hooked               // the old entry is a jump here until the first start
	Linux                // the code may make system calls of Linux
	Fresh                // the first start finds memory as it is to be, and restores nothing
	allFlags = 1<<iota - 1
)

// An Entry is memory that is restored: the first SrcSize bytes from Src, the
// others are zeros.
type Entry struct {
	Dst, Size    uint64
	Src, SrcSize uint64
}

// Why says why memory is left as it is.
type Why uint64

// The reasons.
const (
	Persistent Why = 1 + iota // asked for
	Copied                    // loaded elsewhere: the program copies it itself
	Own                       // where the code keeps what it saved
	Cleared                   // not the program's: a row clears it
)

// String names the reason.
func (w Why) String() string {
	switch w {
	case Persistent:
		return "persistent"
	case Copied:
		return "copied by the program"
	case Own:
		return "registers of the first start"
	case Cleared:
		return "not the program's, and cleared"
	}
	return fmt.Sprintf("reason %d", uint64(w))
}

// Kept is writable memory that is not restored.
type Kept struct {
	Addr, Size uint64
	Why        Why
}

// A Table is what a reset restores. Addresses are those of the file.
type Table struct {
	Prog  int  // the program header that leads to it
	Sel4  bool // it is sel4-reset's: of the fields below it has Addr and Each alone
	Addr  uint64
	Flags uint32
	Room  uint64 // bytes that the table may have

	Code, CodeSize uint64
	TableOff       uint64 // of the table in the segment

	Slot, Entry uint64
	Once, Each  []Entry
	Kept        []Kept
}

// Find returns the table of a resettable image; nil if it is none. Ours comes
// first.
func Find(f *elffile.File) (*Table, error) {
	for _, t := range []elf.ProgType{ProgType, Sel4ProgType} {
		for i := range f.Progs {
			if f.Progs[i].Type != t {
				continue
			}
			if t == Sel4ProgType {
				return readSel4(f, i)
			}
			return read(f, i)
		}
	}
	return nil, nil
}

// each is the offset of the first row for each start, first that of where the first
// start begins.
func (t *Table) each(word uint64) uint64 { return 4 * word * uint64(1+len(t.Once)) }

func (t *Table) first(word uint64) uint64 {
	if t.Flags&Fresh != 0 {
		return 4 * word * uint64(1+len(t.Once)+len(t.Each))
	}
	return 4 * word
}

// Size is how many bytes the table needs, with room for more entries.
func (t *Table) Size(f elffile.Format, spare int) uint64 {
	rows := 1 + len(t.Once) + len(t.Each) + 1 + len(t.Kept) + 1 + spare
	return uint64(rows) * 4 * uint64(f.AddrSize())
}

// Free is how many more rows the table has room for.
func (t *Table) Free(f elffile.Format) int {
	return int((t.Room - min(t.Room, t.Size(f, 0))) / (4 * uint64(f.AddrSize())))
}

// CopyAlign is what the address of a saved byte agrees with that of its
// destination in: the code copies words where both are aligned.
const CopyAlign = 16

// CopyEnd is the address behind the saved bytes. What the segment has from there
// on is spare.
func (t *Table) CopyEnd() uint64 {
	end := t.Addr + t.TableOff + t.Room
	for _, list := range [][]Entry{t.Once, t.Each} {
		for _, e := range list {
			if e.SrcSize > 0 {
				end = max(end, e.Src+e.SrcSize)
			}
		}
	}
	return end
}

// Head encodes the head.
func (t *Table) Head(f elffile.Format) []byte {
	b := make([]byte, HeadSize)
	copy(b, Magic)
	for i, v := range []uint32{Version, t.Flags, uint32(t.Code - t.Addr), uint32(t.CodeSize), uint32(t.TableOff), uint32(t.Room)} {
		f.PutU32(b[8+4*i:], v)
	}
	return b
}

// Encode encodes the table; what is left of its room is zero. It returns an error
// if the room is too small.
func (t *Table) Encode(f elffile.Format) ([]byte, error) {
	if need := t.Size(f, 0); need > t.Room {
		return nil, fmt.Errorf("the table of what a reset restores would have 0x%x bytes, and there is room for 0x%x", need, t.Room)
	}
	b := make([]byte, 0, t.Room)
	word := uint64(f.AddrSize())
	row := func(v ...uint64) {
		for _, x := range v {
			w := make([]byte, word)
			f.PutAddr(w, x)
			b = append(b, w...)
		}
	}
	row(t.Slot-t.Addr, t.each(word), t.first(word), 0)
	for _, list := range [][]Entry{t.Once, t.Each} {
		for _, e := range list {
			src := uint64(0)
			if e.SrcSize > 0 {
				src = e.Src - t.Addr
			}
			row(e.Dst-t.Addr, e.Size, src, e.SrcSize)
		}
	}
	row(t.Entry-t.Addr, 0, 0, 0)
	for _, k := range t.Kept {
		row(k.Addr-t.Addr, k.Size, uint64(k.Why), 0)
	}
	row(0, 0, 0, 0)
	return b[:t.Room], nil
}
