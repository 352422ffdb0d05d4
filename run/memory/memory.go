// Package memory is what the objects of a process will have in memory: windows on
// their files, and copies of what is written before the process exists.
package memory

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/run/place"
)

// Process is the memory of all objects.
type Process struct {
	Layout  *place.Layout
	Objects []Object // as in the layout
}

// Object is the memory of one.
type Object struct {
	*place.Object
	Segments []Segment // its PT_LOADs with memory, in the order of the table
}

// Segment is what a PT_LOAD becomes. Addresses are those of the file, without the
// object's base.
type Segment struct {
	Index   int    // in the program header table
	Start   uint64 // of its first page
	End     uint64 // behind its last page
	FileEnd uint64 // behind the last byte that comes from the file, or a page of it
	FileOff uint64 // where Start is in the file
	Flags   elf.ProgFlag
	Private bool // Bytes are a copy, which goes into the image
	Final   bool // nothing is written to those at the start
	Bytes   []byte
	room    []byte // for the copy
	grown   uint64 // by how much Bytes were made longer than the file's
}

// maxGrown bounds how much of what a segment has beyond its file bytes is kept
// here. Nothing but odd relocations writes there.
const maxGrown = 16 << 20

// New makes the memory of a process: segments that are writable are copied.
func New(l *place.Layout) (*Process, error) {
	p := &Process{Layout: l, Objects: make([]Object, len(l.Objects))}
	for i := range l.Objects {
		o := &p.Objects[i]
		o.Object = &l.Objects[i]
		for x := range o.Progs {
			if g := &o.Progs[x]; g.Type == elf.PT_LOAD && g.Memsz > 0 {
				s, err := o.segment(x, l.Page)
				if err != nil {
					return nil, err
				}
				o.Segments = append(o.Segments, s)
			}
		}
	}
	p.room()
	return p, p.Each(func(i int) {
		for x := range p.Objects[i].Segments {
			if s := &p.Objects[i].Segments[x]; s.writable() {
				b := s.Bytes
				s.Bytes, s.Private = s.room[:len(b):len(b)], true
				copy(s.Bytes, b)
			}
		}
	})
}

// room takes memory for the copies of all writable segments at once.
func (p *Process) room() {
	total := 0
	each := func(fn func(*Segment)) {
		for i := range p.Objects {
			for x := range p.Objects[i].Segments {
				if s := &p.Objects[i].Segments[x]; s.writable() {
					fn(s)
				}
			}
		}
	}
	each(func(s *Segment) { total += len(s.Bytes) })
	b := make([]byte, total)
	populate(b)
	each(func(s *Segment) { s.room, b = b[:len(s.Bytes)], b[len(s.Bytes):] })
}

// segment is program header i, in whole pages as mmap takes them (glibc,
// _dl_map_segments): what is in the file before and behind its bytes is there as
// well, but zeros follow where p_memsz is more than p_filesz.
func (o *Object) segment(i int, page uint64) (Segment, error) {
	g := &o.Progs[i]
	skew := g.Vaddr & (page - 1)
	s := Segment{Index: i, Start: g.Vaddr - skew, End: (g.Vaddr + g.Memsz + page - 1) &^ (page - 1), Flags: g.Flags}
	s.FileEnd = s.Start
	if g.Filesz == 0 {
		return s, nil
	}
	if g.Off < skew { // place.Lay has compared them modulo the page size
		return s, &elffile.Error{File: o.Name, Struct: fmt.Sprintf("program header %d", i), Field: "p_offset", Off: -1, Msg: "there is no page of the file to map"}
	}
	s.FileOff = g.Off - skew
	size := uint64(o.Body.Size())
	end := g.Off + g.Filesz
	if g.Memsz == g.Filesz || g.Flags&elf.PF_W == 0 {
		end = min((end+page-1)&^(page-1), max(size, end))
	}
	s.FileEnd = s.Start + end - s.FileOff
	window := o.Body.Window(int64(s.FileOff), int64(end-s.FileOff))
	b, err := elffile.Bytes(window)
	if err != nil {
		return s, &elffile.Error{File: o.Name, Struct: fmt.Sprintf("program header %d", i), Off: -1, Err: err}
	}
	s.Bytes = b
	return s, nil
}

func (s *Segment) writable() bool { return s.Flags&elf.PF_W != 0 }

// own makes the segment's bytes a copy.
func (s *Segment) own() {
	if !s.Private {
		s.Bytes = append([]byte(nil), s.Bytes...)
		s.Private = true
	}
}

// Find is the segment that has an address of the file, or nil. The last one in the
// table is mapped over the others.
func (o *Object) Find(vaddr uint64) *Segment {
	for i := len(o.Segments) - 1; i >= 0; i-- {
		if s := &o.Segments[i]; vaddr >= s.Start && vaddr < s.End {
			return s
		}
	}
	return nil
}

// Read gives n bytes at an address of the file; nil where they are not in one
// segment. Beyond the file's bytes they are zeros, and at most 64 KiB.
func (o *Object) Read(vaddr, n uint64) []byte {
	s := o.Find(vaddr)
	if s == nil || n > s.End-vaddr {
		return nil
	}
	off := vaddr - s.Start
	if off+n <= uint64(len(s.Bytes)) {
		return s.Bytes[off : off+n]
	}
	if n > 1<<16 {
		return nil
	}
	b := make([]byte, n)
	if off < uint64(len(s.Bytes)) {
		copy(b, s.Bytes[off:])
	}
	return b
}

// A PlaceError tells why an address cannot be written.
type PlaceError struct {
	Addr uint64
	Size uint64
	Msg  string
}

func (e *PlaceError) Error() string { return fmt.Sprintf("0x%x %s", e.Addr, e.Msg) }

// Write gives n bytes at an address of the file to be written.
func (o *Object) Write(vaddr, n uint64) ([]byte, *PlaceError) {
	s := o.Find(vaddr)
	if s == nil {
		return nil, &PlaceError{vaddr, n, "is in no segment"}
	}
	return o.WriteIn(s, vaddr, n)
}

// WriteIn is Write where the segment is known.
func (o *Object) WriteIn(s *Segment, vaddr, n uint64) ([]byte, *PlaceError) {
	off := vaddr - s.Start
	if s.Private && off+n <= uint64(len(s.Bytes)) {
		return s.Bytes[off : off+n], nil
	}
	if n > s.End-vaddr {
		return nil, &PlaceError{vaddr, n, fmt.Sprintf("+ %d is past the end of its segment (0x%x)", n, s.End)}
	}
	if s.Flags&elf.PF_W == 0 && !o.Textrel {
		return nil, &PlaceError{vaddr, n, fmt.Sprintf("is in a segment without PF_W (program header %d), and there is no DT_TEXTREL", s.Index)}
	}
	s.own()
	if more := off + n; more > uint64(len(s.Bytes)) {
		add := more - uint64(len(s.Bytes))
		if s.grown += add; s.grown > maxGrown {
			return nil, &PlaceError{vaddr, n, fmt.Sprintf("is 0x%x bytes beyond the file bytes of program header %d, more than 0x%x", more-(s.FileEnd-s.Start), s.Index, maxGrown)}
		}
		s.Bytes = append(s.Bytes, make([]byte, add)...)
	}
	return s.Bytes[off : off+n], nil
}

// At is the address in the process of an address of the file.
func (o *Object) At(vaddr uint64) uint64 { return vaddr + o.Base }

// Word reads an address-sized word at an address of the file.
func (o *Object) Word(vaddr uint64) (uint64, bool) {
	b := o.Read(vaddr, uint64(o.AddrSize()))
	if b == nil {
		return 0, false
	}
	return o.Addr(b), true
}

// SetWord writes one.
func (o *Object) SetWord(vaddr, v uint64) error {
	b, err := o.Write(vaddr, uint64(o.AddrSize()))
	if err != nil {
		return err
	}
	o.PutAddr(b, v)
	return nil
}

// Relro is the range that is made read-only after relocation, in whole pages at
// addresses of the process (glibc, _dl_protect_relro).
func (o *Object) Relro(page uint64) (image.Range, bool) {
	for i := range o.Progs {
		g := &o.Progs[i]
		if g.Type != elf.PT_GNU_RELRO || g.Memsz == 0 || g.Vaddr+g.Memsz < g.Vaddr {
			continue
		}
		start, end := (o.At(g.Vaddr))&^(page-1), o.At(g.Vaddr+g.Memsz)&^(page-1)
		if end > start && o.Hull.Covers(image.Range{Start: image.Addr(start), Size: end - start}) {
			return image.Range{Start: image.Addr(start), Size: end - start}, true
		}
	}
	return image.Range{}, false
}
