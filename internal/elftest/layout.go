package elftest

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// Sizes of the headers (gABI, chapters ELF Header, Section Header Table,
// Program Header).
const (
	ehsize32, phentsize32, shentsize32 = 52, 32, 40
	ehsize64, phentsize64, shentsize64 = 64, 56, 64
)

const shstrtab = ".shstrtab"

// builder is a File on its way to bytes.
type builder struct {
	Env
	f        File
	segments []Segment
	ehsize   uint64
	phent    uint64
	shent    uint64
	phoff    uint64
	shoff    uint64
	end      uint64 // of what is placed so far
	memDelta uint64 // address minus offset minus Base: grows behind SHT_NOBITS
}

func newBuilder(f File) *builder {
	if f.Class == elf.ELFCLASSNONE {
		f.Class = elf.ELFCLASS64
	}
	if f.Order == nil {
		f.Order = binary.LittleEndian
	}
	if f.PageSize == 0 {
		f.PageSize = 4096
	}
	b := &builder{f: f, ehsize: ehsize64, phent: phentsize64, shent: shentsize64}
	if f.Class == elf.ELFCLASS32 {
		b.ehsize, b.phent, b.shent = ehsize32, phentsize32, shentsize32
	}
	b.Env = Env{Class: f.Class, Order: f.Order, Type: f.Type, byKey: map[string]*section{}}
	b.segments = append(b.segments, f.Segments...)
	b.collect()
	return b
}

// collect lists the sections, adds missing string tables, and encodes all
// contents once so that sizes are known and every string is in its table.
func (b *builder) collect() {
	if len(b.f.Sections) > 0 {
		b.add(Section{})
	}
	for _, s := range b.f.Sections {
		b.add(s)
	}
	for _, s := range b.sections {
		b.defaults(s)
	}
	if len(b.sections) > 0 && !b.f.NoSectionHeaders {
		b.need(shstrtab)
		for _, s := range b.sections {
			s.name = b.str(shstrtab, s.Name)
		}
	}
	for _, s := range b.sections {
		if s.strings == nil {
			b.encode(s)
		}
	}
	// A string table is complete once all others are encoded.
	for _, s := range b.sections {
		if s.strings != nil {
			b.encode(s)
		}
	}
}

func (b *builder) add(s Section) *section {
	p := &section{Section: s, index: uint32(len(b.sections))}
	if len(b.sections) > 0 && p.Type == elf.SHT_NULL && p.Content == nil {
		p.Type = elf.SHT_PROGBITS
	}
	if l, ok := s.Content.(Strings); ok {
		p.strings = newStringTable()
		for _, str := range l {
			p.strings.add(str)
		}
	}
	b.sections = append(b.sections, p)
	if p.index > 0 {
		if _, taken := b.byKey[p.key()]; !taken {
			b.byKey[p.key()] = p
		}
	}
	return p
}

// need adds a string table if there is none of this name.
func (b *builder) need(table string) {
	if _, ok := b.byKey[table]; ok {
		return
	}
	s := b.add(Section{Name: table, Content: Strings{}})
	b.defaults(s)
}

// defaults fills in what the description leaves open and the content knows.
func (b *builder) defaults(s *section) {
	w, ok := s.Content.(wanter)
	if !ok {
		if s.index > 0 && s.Align == 0 {
			s.Align = 1
		}
		return
	}
	b.Self, b.Link = s.key(), s.Link
	d := w.wants(&b.Env)
	if s.Type == elf.SHT_NULL {
		s.Type = d.typ
	}
	if s.Type == elf.SHT_NULL {
		s.Type = elf.SHT_PROGBITS
	}
	if s.Link == "" && d.link != "" {
		s.Link = d.link
		if _, ok := b.byKey[d.link]; !ok && (d.link == ".strtab" || d.link == ".dynstr") {
			b.need(d.link)
		}
	}
	if s.Align == 0 {
		s.Align = max(d.align, 1)
	}
	if s.Entsize == 0 {
		s.Entsize = d.entsize
	}
	if s.InfoValue == 0 && s.Info == "" {
		s.InfoValue = d.info
	}
	s.Flags |= d.flags
}

// encode sets a section's bytes and size from its content.
func (b *builder) encode(s *section) {
	b.Self, b.Link = s.key(), s.Link
	switch {
	case s.strings != nil:
		s.data = s.strings.b
	case s.Content != nil:
		s.data = s.Content.Encode(&b.Env)
	default:
		s.data = s.Data
	}
	s.size = uint64(len(s.data))
	if s.Size != 0 {
		s.size = s.Size
	}
}

// place gives everything its offset and address.
func (b *builder) place() {
	b.end = b.ehsize
	if n := len(b.segments); n > 0 {
		b.phoff = b.f.Phoff
		size := uint64(n) * b.phent
		if b.phoff == 0 {
			b.phoff = b.ehsize
			b.end = b.phoff + size
		}
	}
	for i := range b.segments {
		b.placeData(&b.segments[i])
	}
	for _, s := range b.sections {
		if s.index > 0 {
			b.placeSection(s)
		}
	}
	for i := range b.segments {
		b.placeSegment(&b.segments[i])
	}
	if len(b.sections) > 0 && !b.f.NoSectionHeaders {
		b.shoff = b.f.Shoff
		if b.shoff == 0 {
			b.shoff = alignUp(b.end, b.Word())
			b.end = b.shoff + uint64(len(b.sections))*b.shent
		}
	}
}

// placeData places a segment that brings its own bytes.
func (b *builder) placeData(s *Segment) {
	if len(s.Data) == 0 {
		return
	}
	if s.Off == 0 {
		s.Off = alignUp(b.end, min(max(s.Align, 1), b.Word()))
		if s.Vaddr != 0 {
			s.Off = congruent(b.end, s.Vaddr, b.segmentAlign(s))
		}
	}
	if s.Vaddr == 0 {
		s.Vaddr = b.addrAt(s.Off)
	}
	s.setSize(uint64(len(s.Data)))
	b.end = max(b.end, s.Off+uint64(len(s.Data)))
}

func (b *builder) segmentAlign(s *Segment) uint64 {
	if s.Type == elf.PT_LOAD && s.Align == 0 {
		return b.f.PageSize
	}
	return s.Align
}

// addrAt is the address of a file offset; in objects and core files it has none.
func (b *builder) addrAt(off uint64) uint64 {
	if b.Type == elf.ET_REL || b.Type == elf.ET_CORE {
		return 0
	}
	return b.f.Base + off + b.memDelta
}

func (b *builder) placeSection(s *section) {
	b.end += uint64(len(s.Before))
	alloc := s.Flags&elf.SHF_ALLOC != 0 && b.Type != elf.ET_REL
	if s.Off == 0 {
		s.Off = alignUp(b.end, s.Align)
		if alloc && s.Addr != 0 {
			s.Off = congruent(b.end, s.Addr, max(b.f.PageSize, s.Align))
		}
	}
	if alloc && s.Addr == 0 {
		s.Addr = b.addrAt(s.Off)
	}
	if s.Type == elf.SHT_NOBITS {
		if alloc {
			b.memDelta += alignUp(s.size, b.f.PageSize)
		}
		return
	}
	b.end = max(b.end, s.Off+uint64(len(s.data)))
}

// placeSegment works out a segment that covers something already placed.
func (b *builder) placeSegment(s *Segment) {
	switch {
	case s.Table:
		s.setPlace(b.phoff, b.f.Base+b.phoff)
		s.setSize(uint64(len(b.segments)) * b.phent)
		s.setAlign(b.Word())
	case s.Whole:
		var alloc []*section
		for _, c := range b.sections {
			if c.Flags&elf.SHF_ALLOC != 0 {
				alloc = append(alloc, c)
			}
		}
		s.setPlace(0, b.f.Base)
		file, mem := span(0, b.f.Base, alloc)
		file = max(file, b.phoff+uint64(len(b.segments))*b.phent)
		s.setFileMem(file, max(mem, file))
		s.setAlign(b.f.PageSize)
	case len(s.Sections) > 0:
		b.placeOver(s)
	}
	if s.Paddr == 0 {
		s.Paddr = s.Vaddr
	}
	if s.Align == 0 && s.Type == elf.PT_LOAD {
		s.Align = b.f.PageSize
	}
	if s.Align == 0 {
		s.Align = 1
	}
}

// placeOver lets a segment cover the sections it names.
func (b *builder) placeOver(s *Segment) {
	var list []*section
	var align uint64 = 1
	for _, key := range s.Sections {
		c := b.section(key)
		list = append(list, c)
		align = max(align, c.Align)
	}
	first := list[0]
	for _, c := range list {
		if c.Off < first.Off {
			first = c
		}
	}
	s.setPlace(first.Off, first.Addr)
	s.setFileMem(span(first.Off, first.Addr, list))
	if s.Type == elf.PT_LOAD {
		align = b.f.PageSize
	}
	s.setAlign(align)
}

// span measures the sections in file and memory from an offset and address on.
func span(off, addr uint64, list []*section) (file, mem uint64) {
	for _, c := range list {
		if c.Addr >= addr {
			mem = max(mem, c.Addr+c.size-addr)
		}
		if c.Type != elf.SHT_NOBITS {
			file = max(file, c.Off+c.size-off)
		}
	}
	return file, max(mem, file)
}

func (s *Segment) setPlace(off, addr uint64) {
	if s.Off == 0 {
		s.Off = off
	}
	if s.Vaddr == 0 {
		s.Vaddr = addr
	}
}

func (s *Segment) setSize(n uint64) { s.setFileMem(n, n) }

func (s *Segment) setFileMem(file, mem uint64) {
	if s.Filesz == 0 {
		s.Filesz = file
	}
	if s.Memsz == 0 {
		s.Memsz = mem
	}
}

func (s *Segment) setAlign(a uint64) {
	if s.Align == 0 {
		s.Align = a
	}
}

// write encodes everything at its place.
func (b *builder) write() []byte {
	out := grow(nil, b.end, b.f.Fill)
	put := func(off uint64, p []byte) {
		out = grow(out, off+uint64(len(p)), b.f.Fill)
		copy(out[off:], p)
	}
	for _, s := range b.segments {
		put(s.Off, s.Data)
	}
	for _, s := range b.sections {
		if s.index == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		before := len(s.data)
		size := s.size
		b.encode(s)
		if len(s.data) != before || s.size != size {
			panic(fmt.Sprintf("elftest: section %q has %d bytes, had %d before layout", s.Name, len(s.data), before))
		}
		put(s.Off-uint64(len(s.Before)), s.Before)
		put(s.Off, s.data)
	}
	if len(b.segments) > 0 {
		put(b.phoff, b.programHeaders())
	}
	if b.shoff != 0 {
		put(b.shoff, b.sectionHeaders())
	}
	put(0, b.header())
	return append(out, b.f.Overlay...)
}
