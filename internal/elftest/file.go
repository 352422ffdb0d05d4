// Package elftest builds ELF files and archives from Go values, without any
// tool, so that a test can show in a few lines the exact file it speaks of: any
// class, byte order, type and machine, well formed or broken on purpose.
//
// A [File] is a description; [File.Bytes] lays it out. Whatever the description
// leaves at zero is worked out: offsets, addresses, string offsets, links,
// counts. Afterwards any header or table field can be overwritten by its name
// (File.Set, see [Fields] for the names) or any bytes by their offset
// (File.Patch), which is how malformed files are made.
//
// [Corpus] is a list of such files for fuzz seeds, [Mutate] makes broken
// neighbours of any file, and [Archive] builds ar archives.
//
// The package shares no code with the project's own ELF reader and writer: it is
// a second opinion, and both are checked against each other in tests. It panics
// if a description contradicts itself (a link to a section that is not there),
// because that is a mistake in the test.
package elftest

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// File describes an ELF file. The zero value is a 64-bit little-endian ET_NONE
// file without tables.
type File struct {
	Class      elf.Class        // ELFCLASSNONE means ELFCLASS64
	Order      binary.ByteOrder // nil means little endian
	OSABI      elf.OSABI
	ABIVersion byte
	Type       elf.Type
	Machine    elf.Machine
	Entry      uint64 // used if EntryIn is empty, else added to that section's address
	EntryIn    string
	Flags      uint32

	// Base is added to file offsets to make the addresses of allocated sections
	// and of segments that name none, except in ET_REL and ET_CORE files.
	Base uint64
	// PageSize is what file offsets and addresses agree by; 0 means 4096.
	PageSize uint64

	Segments []Segment
	// Sections are laid out in this order. The null section comes by itself, and
	// so do string tables that are linked to and not listed, at the end.
	Sections []Section

	// NoSectionHeaders leaves out the section header table and the section names;
	// the sections' contents stay.
	NoSectionHeaders bool
	// Phoff and Shoff place the tables; 0 means behind the ELF header and behind
	// the last section.
	Phoff, Shoff uint64
	// Extended says which counts use extended numbering though they are small.
	// Counts that do not fit always use it.
	Extended Extended

	// Overlay is put behind everything else.
	Overlay []byte
	// Fill is the value of bytes that nothing describes.
	Fill byte

	// Set overwrites fields by their name in [Fields] once the file is laid out.
	Set map[string]uint64
	// Patch overwrites bytes after Set. A patch may make the file longer.
	Patch []Patch
	// Truncate cuts the finished file if it is not zero; a negative value cuts
	// so many bytes off the end.
	Truncate int
}

// Extended says which numbers of the ELF header live in section 0 (gABI, ELF
// header: e_phnum, e_shnum, e_shstrndx).
type Extended struct{ Phnum, Shnum, Shstrndx bool }

// Patch is bytes to write at a file offset.
type Patch struct {
	Off   uint64
	Bytes []byte
}

// Segment describes a program header. What it covers is said by one of Data,
// Sections, Whole and Table, or by the numbers alone. A number that is not zero
// replaces the one that was worked out.
type Segment struct {
	Type  elf.ProgType
	Flags elf.ProgFlag

	Data     []byte   // bytes of its own, placed in front of the sections
	Sections []string // from the first to the last of these
	Whole    bool     // from offset 0 to the end of the last allocated section
	Table    bool     // the program header table: PT_PHDR

	Off, Vaddr, Paddr, Filesz, Memsz, Align uint64
}

// Section describes a section header and its content.
type Section struct {
	Name string
	// Key names the section inside the description where Name is not unique.
	Key   string
	Type  elf.SectionType // 0: as the content wants, else SHT_PROGBITS
	Flags elf.SectionFlag
	// Addr is worked out if 0 and SHF_ALLOC is set.
	Addr uint64
	// Off is worked out if 0.
	Off uint64
	// Size replaces the content's size in the header; it is the size of a
	// SHT_NOBITS section.
	Size uint64
	// Link and Info are keys of sections; InfoValue is used if Info is empty.
	Link      string
	Info      string
	InfoValue uint32
	Align     uint64
	Entsize   uint64

	// Before is bytes in front of the section that no header names.
	Before []byte
	// Data is the content if Content is nil.
	Data    []byte
	Content Content
}

func (s *Section) key() string {
	if s.Key != "" {
		return s.Key
	}
	return s.Name
}

// Bytes lays the file out and returns it.
func (f File) Bytes() []byte {
	b := newBuilder(f)
	b.place()
	out := b.write()
	if len(f.Set) > 0 {
		all := Fields(out)
		done := make([]setting, 0, len(f.Set))
		for name, v := range f.Set {
			done = append(done, setting{mustField(all, name), v})
		}
		for _, s := range done {
			s.field.Put(out, b.Order, s.value)
		}
	}
	for _, p := range f.Patch {
		out = grow(out, p.Off+uint64(len(p.Bytes)), f.Fill)
		copy(out[p.Off:], p.Bytes)
	}
	switch {
	case f.Truncate > 0 && f.Truncate < len(out):
		out = out[:f.Truncate]
	case f.Truncate < 0:
		out = out[:len(out)+f.Truncate]
	}
	return out
}

type setting struct {
	field Field
	value uint64
}

func mustField(all []Field, name string) Field {
	for _, f := range all {
		if f.Name == name {
			return f
		}
	}
	panic(fmt.Sprintf("elftest: no field %q", name))
}

// Set overwrites the named field (see [Fields]) of a finished file.
func Set(data []byte, name string, v uint64) {
	mustField(Fields(data), name).Put(data, orderOf(data), v)
}

// grow returns b with at least n bytes.
func grow(b []byte, n uint64, fill byte) []byte {
	for uint64(len(b)) < n {
		b = append(b, fill)
	}
	return b
}

// alignUp rounds n up to a multiple of a; 0 and 1 mean no alignment.
func alignUp(n, a uint64) uint64 {
	if a < 2 {
		return n
	}
	return (n + a - 1) / a * a
}

// congruent returns the smallest m >= n with m ≡ want (mod a).
func congruent(n, want, a uint64) uint64 {
	if a < 2 {
		return n
	}
	return n + (want%a+a-n%a)%a
}
