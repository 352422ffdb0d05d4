package image

import (
	"cmp"
	"debug/elf"
	"slices"
	"sort"

	"elfwright/elffile"
)

// Image is a program before its first instruction.
type Image struct {
	Name string // for errors
	elffile.Format
	Type       elf.Type // ET_EXEC, ET_DYN; ET_CORE for a process's memory
	Machine    elf.Machine
	OSABI      elf.OSABI
	ABIVersion uint8
	Flags      uint32 // e_flags
	Entry      Addr

	Segments []Segment // the PT_LOADs, in the order of the table
	Headers  []Header  // all other program headers, in the order of the table

	// Table is where the program header table lies in the file; Body is the
	// whole file. Both are set for an image from a file, and are what Linux
	// looks at besides the segments: pages are mapped whole.
	Table uint64
	Body  elffile.Data

	tableSize uint64 // of the table there, 0 if there is none yet

	Symbols  []Symbol  // where asked for; see ReadSymbols
	Sections []Section // where asked for; see ReadSections
}

// Segment is a PT_LOAD: Memsz bytes at Vaddr, the first Filesz of them from
// Data, the others zero.
type Segment struct {
	Vaddr  Addr
	Paddr  Addr
	Filesz uint64
	Memsz  uint64
	Flags  elf.ProgFlag
	Align  uint64
	Data   elffile.Data // the first Filesz bytes; shorter only where a file is cut off
	Off    int64        // in the file; NoOffset: to be chosen
	Index  int          // in the program header table; NoIndex: after those that have one
}

// NoOffset and NoIndex leave a place in the file, or in the table, to
// [Image.File].
const (
	NoOffset = -1
	NoIndex  = -1
)

// Range is where the segment lies in memory.
func (s *Segment) Range() Range { return Range{s.Vaddr, s.Memsz} }

// FileRange is where its file bytes lie in memory.
func (s *Segment) FileRange() Range { return Range{s.Vaddr, s.Filesz} }

// Header is a program header other than PT_LOAD. It names a range of a segment,
// or has bytes of its own that are not loaded, or nothing at all (PT_GNU_STACK).
type Header struct {
	Type   elf.ProgType
	Flags  elf.ProgFlag
	Vaddr  Addr
	Paddr  Addr
	Filesz uint64
	Memsz  uint64
	Align  uint64

	Segment int          // index in Segments of the one whose file bytes it names, or -1
	Data    elffile.Data // the bytes it names: of the segment, or its own; nil: none
	Off     int64        // in the file; NoOffset: to be chosen
	Index   int          // in the program header table
}

// Range is what the header names in memory.
func (h *Header) Range() Range { return Range{h.Vaddr, h.Memsz} }

// FromFile makes an image of a file's program headers. Sections and symbols are
// not looked at. It does not fail: what is wrong with the headers is in the
// file's ProgErr and found by [Image.Check].
func FromFile(f *elffile.File) *Image {
	img := &Image{
		Name: f.Name, Format: f.Format,
		Type: f.Header.Type, Machine: f.Header.Machine,
		OSABI: f.Header.OSABI(), ABIVersion: f.Header.ABIVersion(), Flags: f.Header.Flags,
		Entry: Addr(f.Header.Entry), Table: f.Header.Phoff, Body: f.Body,
		tableSize: uint64(len(f.Progs) * f.PhdrSize()),
	}
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == elf.PT_LOAD {
			img.Segments = append(img.Segments, Segment{
				Vaddr: Addr(p.Vaddr), Paddr: Addr(p.Paddr), Filesz: p.Filesz, Memsz: p.Memsz,
				Flags: p.Flags, Align: p.Align, Data: window(f, p), Off: int64(p.Off), Index: i,
			})
		}
	}
	holder := img.holders()
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD && p.Type != elf.PT_NULL {
			img.Headers = append(img.Headers, Header{
				Type: p.Type, Flags: p.Flags, Vaddr: Addr(p.Vaddr), Paddr: Addr(p.Paddr),
				Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align,
				Segment: holder(p), Data: window(f, p), Off: int64(p.Off), Index: i,
			})
		}
	}
	return img
}

// window is what the file has of a program header's bytes.
func window(f *elffile.File, p *elffile.Prog) elffile.Data {
	size := uint64(f.Body.Size())
	if p.Filesz == 0 || p.Off >= size {
		return elffile.Zeros(0)
	}
	return f.Body.Window(int64(p.Off), int64(min(p.Filesz, size-p.Off)))
}

// maxHolders bounds the search of a header's segment among segments that lie
// over each other, so that a hostile table cannot make it quadratic.
const maxHolders = 16

// holders returns a function that finds the segment which loads all file bytes
// of p at p's addresses, or -1.
func (img *Image) holders() func(p *elffile.Prog) int {
	byAddr := make([]int, len(img.Segments))
	for i := range byAddr {
		byAddr[i] = i
	}
	slices.SortStableFunc(byAddr, func(a, b int) int {
		return cmp.Compare(img.Segments[a].Vaddr, img.Segments[b].Vaddr)
	})
	return func(p *elffile.Prog) int {
		if p.Filesz == 0 {
			return -1
		}
		n := sort.Search(len(byAddr), func(i int) bool { return uint64(img.Segments[byAddr[i]].Vaddr) > p.Vaddr })
		for i := n - 1; i >= 0 && i >= n-maxHolders; i-- {
			s := &img.Segments[byAddr[i]]
			if s.FileRange().Covers(Range{Addr(p.Vaddr), p.Filesz}) && uint64(s.Off)+(p.Vaddr-uint64(s.Vaddr)) == p.Off {
				return byAddr[i]
			}
		}
		return -1
	}
}

// Header returns the first program header of a type, or nil.
func (img *Image) Header(t elf.ProgType) *Header {
	for i := range img.Headers {
		if img.Headers[i].Type == t {
			return &img.Headers[i]
		}
	}
	return nil
}

// SegmentAt returns the segment that has an address, or nil: the last one in
// the table, because Linux maps it over the others.
func (img *Image) SegmentAt(a Addr) *Segment {
	for i := len(img.Segments) - 1; i >= 0; i-- {
		if img.Segments[i].Range().Contains(a) {
			return &img.Segments[i]
		}
	}
	return nil
}

// Span is the smallest range that has all segments.
func (img *Image) Span() Range {
	var rs Ranges
	for i := range img.Segments {
		rs = append(rs, img.Segments[i].Range())
	}
	rs = Union(rs...)
	if len(rs) == 0 {
		return Range{}
	}
	return Range{rs[0].Start, uint64(rs[len(rs)-1].last()-rs[0].Start) + 1}
}
