package split

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/match"
)

// merge appends to the image what the file with symbols has besides it, section by
// section, as eu-unstrip does. Sections of the program get their bytes by their
// address.
func (j *joiner) merge() (*elffile.Body, error) {
	m := &merger{
		joiner: j, program: programExtents(j.img), placed: make(map[int]uint32),
		was: j.originals(), types: typesByAddress(j.img), dynamic: dynamicOf(j.img),
	}
	m.indexImage()
	if len(m.byName) == 0 {
		m.headers = m.pairHeaders()
	}
	if err := m.cutImage(); err != nil {
		return nil, err
	}
	m.renumber()
	for i := range m.table {
		m.section(i)
	}
	m.imageOnly()
	if err := m.grown(); err != nil {
		return nil, err
	}
	m.cover()
	if err := m.moveSymbols(); err != nil {
		return nil, err
	}
	body, err := m.finish()
	if err != nil {
		return nil, err
	}
	j.report.How, j.report.Sections = Merged, len(m.table)
	return body, nil
}

type merger struct {
	*joiner
	program extents
	body    *elffile.Body
	table   []section
	shstr   int                        // index in table of the section names
	byName  map[string]int             // of the image's sections; -1: not the only one
	placed  map[int]uint32             // the image's sections that are in the table: index there
	was     map[place]elffile.Section  // the program's sections, by the recipe
	types   map[uint64]elf.SectionType // what the image says of an address
	dynamic map[elf.DynTag]uint64      // of the image
	headers []moving                   // of an image without section headers
}

// A section is a section header on its way into the result.
type section struct {
	elffile.Section
	name  string
	was   int          // index in the file with symbols; 0: it has none such
	data  elffile.Data // what is appended; nil: nothing
	moved uint64       // how much higher its address is than in the file with symbols
}

// indexImage finds the image's sections by name.
func (m *merger) indexImage() {
	m.byName = make(map[string]int)
	if checkSections(m.img) != nil {
		m.warn("image-sections-broken", "the image's section headers are broken, and are not used")
		return
	}
	for i := range m.img.Sections() {
		name := m.img.SectionName(i)
		if i == 0 || name == "" {
			continue
		}
		if _, ok := m.byName[name]; ok {
			m.byName[name] = -1
			continue
		}
		m.byName[name] = i
	}
}

// imageSection returns the image's section that is section s of the file with
// symbols: of the same name, and allocated as that is.
func (m *merger) imageSection(s *section) (*elffile.Section, int) {
	i, ok := m.byName[s.name]
	if !ok || i < 0 {
		return nil, -1
	}
	o := &m.img.Sections()[i]
	if o.Has(elf.SHF_ALLOC) != s.Has(elf.SHF_ALLOC) || o.Size != s.Size && s.Type != elf.SHT_NOBITS {
		return nil, -1
	}
	return o, i
}

// cutImage takes the image's own section headers off, and what only they name.
// Where something else follows the program, nothing is taken off.
func (m *merger) cutImage() error {
	m.body = m.img.Body.Clone()
	extra, err := unnamed(m.img, m.program)
	if err != nil {
		return err
	}
	if extra.off < extra.end {
		m.warn("image-rest", "0x%x bytes of the image at 0x%x, which no header names, stay there", extra.end-extra.off, extra.off)
		return nil
	}
	m.body.Truncate(int64(m.program.end()))
	return nil
}

// unnamed finds bytes of an image that are not zero and that neither its program
// headers nor its section headers name.
func unnamed(img *elffile.File, program extents) (extent, error) {
	known := []extent(slices.Clone(program))
	if checkSections(img) == nil {
		secs := img.Sections()
		known = append(known, extent{img.Header.Shoff, img.Header.Shoff + uint64(len(secs)*img.ShdrSize())})
		for i := range secs {
			if s := &secs[i]; s.HasBytes() && !s.Has(elf.SHF_ALLOC) {
				known = append(known, extent{s.Off, s.Off + s.Size})
			}
		}
	}
	for _, e := range union(known).gaps(uint64(img.Body.Size())) {
		if zero, err := isZero(img.Body, e); err != nil || !zero {
			return e, err
		}
	}
	return extent{}, nil
}

// renumber takes over the table of the file with symbols, without the recipe:
// nothing but string and symbol tables follows it, to which no symbol belongs.
func (m *merger) renumber() {
	drop := m.syms.SectionByName(match.RecipeSection)
	secs := m.syms.Sections()
	for i := drop + 1; drop >= 0 && i < len(secs); i++ {
		switch secs[i].Type {
		case elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_SYMTAB_SHNDX:
		default:
			drop = -1
		}
	}
	at := func(x uint32) uint32 {
		switch {
		case drop < 0 || x < uint32(drop):
			return x
		case x == uint32(drop):
			return 0
		}
		return x - 1
	}
	for i := range secs {
		if i == drop && i > 0 {
			continue
		}
		s := section{Section: secs[i], name: m.syms.SectionName(i), was: i}
		if i > 0 {
			s.Link = at(s.Link)
			if infoLink(&s.Section) {
				s.Info = at(s.Info)
			}
		}
		m.table = append(m.table, s)
	}
	if x := m.syms.Shstrndx(); uint64(x) < uint64(len(secs)) && secs[x].HasBytes() {
		m.shstr = int(at(x))
	}
}

// section decides where the bytes of a section come from.
func (m *merger) section(i int) {
	s := &m.table[i]
	if s.was == 0 {
		return
	}
	o, at := m.imageSection(s)
	if o != nil {
		m.placed[at] = uint32(i)
	}
	switch {
	case s.Has(elf.SHF_ALLOC):
		m.allocated(s, o)
	case s.HasBytes():
		s.data = m.syms.Body.Window(int64(s.Off), int64(s.Size))
	case o != nil && o.HasBytes() && s.Type == elf.SHT_NOBITS:
		// eu-strip leaves .comment and the like in the program alone.
		s.Type, s.Flags, s.Size, s.Entsize = o.Type, o.Flags, o.Size, o.Entsize
		s.data = m.img.Body.Window(int64(o.Off), int64(o.Size))
	case s.Type == elf.SHT_NOBITS && s.Size > 0:
		m.warn("no-bytes", "section %s, 0x%x bytes that are not loaded, has its bytes in neither file", s.name, s.Size)
	}
}

// allocated gives a section of the program back its type, and finds its bytes in
// the image, of which o is the same section, or nil.
func (m *merger) allocated(s *section, o *elffile.Section) {
	own := s.HasBytes()
	from, size := s.Off, s.Size
	if o != nil {
		m.move(s, o.Addr)
		s.Type, s.Size, s.Off = o.Type, o.Size, o.Off
		s.Flags |= o.Flags // eu-strip drops SHF_INFO_LINK here, GNU strip SHF_GNU_RETAIN there
		return
	}
	if o, ok := m.was[placeOf(&s.Section)]; ok {
		s.Type, s.Flags = o.Type, o.Flags
	} else if s.Type == elf.SHT_NOBITS {
		s.Type = m.guess(s)
		if infoLink(&s.Section) && s.Info != 0 { // objcopy drops the flag
			s.Flags |= uint64(elf.SHF_INFO_LINK)
		}
	}
	if to := m.follow(s); to != s.Addr && len(m.byName) == 0 {
		m.move(s, to)
	}
	off, backed := m.offset(s)
	switch {
	case s.Type == elf.SHT_NOBITS || backed:
		s.Off = off
	case own: // it is in no segment, and was never in the image
		s.data = m.syms.Body.Window(int64(from), int64(size))
	default:
		s.Type, s.Off = elf.SHT_NOBITS, off
		m.warn("no-bytes", "section %s, 0x%x bytes at 0x%x, has no bytes in the image", s.name, s.Size, s.Addr)
	}
}

// move notes that a section has another address in the image.
func (m *merger) move(s *section, to uint64) {
	if s.moved = to - s.Addr; s.moved != 0 {
		m.change("section %s is at 0x%x in the image, 0x%x in the file with symbols", s.name, to, s.Addr)
	}
	s.Addr = to
}

// offset is where a section's address is in the image, and whether all of its
// bytes are.
func (m *merger) offset(s *section) (off uint64, backed bool) {
	if off, n, ok := m.img.OffsetOf(s.Addr); ok {
		return off, s.Size <= n
	}
	for i := range m.img.Progs {
		// A section without bytes, at the end of a segment or in its .bss.
		if p := &m.img.Progs[i]; p.Type == elf.PT_LOAD && s.Addr >= p.Vaddr && s.Addr-p.Vaddr <= p.Memsz {
			return p.Off + (s.Addr - p.Vaddr), s.Size == 0
		}
	}
	return m.program.end(), s.Size == 0
}

// imageOnly adds the image's sections that the file with symbols does not know:
// those of headers that were added since.
func (m *merger) imageOnly() {
	if len(m.byName) == 0 {
		return
	}
	secs := m.img.Sections()
	first := len(m.table)
	symbols := slices.ContainsFunc(m.table, func(s section) bool { return s.Type == elf.SHT_SYMTAB && s.data != nil })
	for i := 1; i < len(secs); i++ {
		o, name := secs[i], m.img.SectionName(i)
		if _, ok := m.placed[i]; ok || o.Type == elf.SHT_NULL || name == match.LinkSection || i == int(m.img.Shstrndx()) {
			continue
		}
		if symbols && (o.Type == elf.SHT_SYMTAB || o.Type == elf.SHT_STRTAB && !o.Has(elf.SHF_ALLOC)) {
			continue // fewer than those of the file with symbols
		}
		s := section{Section: o, name: name}
		if !o.Has(elf.SHF_ALLOC) && o.HasBytes() {
			s.data = m.img.Body.Window(int64(o.Off), int64(o.Size))
		}
		m.placed[i] = uint32(len(m.table))
		m.table = append(m.table, s)
		m.change("section %s is the image's alone", name)
	}
	for i := first; i < len(m.table); i++ {
		s := &m.table[i]
		s.Link = m.placed[int(s.Link)]
		if infoLink(&s.Section) {
			s.Info = m.placed[int(s.Info)]
		}
	}
}

// filledSection covers what was .bss and has bytes in the file now.
const filledSection = ".ewbss"

// grown finds sections without bytes to which the image has given bytes, as it
// must to set a variable there. Zeros make no difference.
func (m *merger) grown() error {
	looked := uint64(0)
	for i := 1; i < len(m.table); i++ {
		s := &m.table[i]
		if s.Type != elf.SHT_NOBITS || !s.Has(elf.SHF_ALLOC) || s.Has(elf.SHF_TLS) || s.Size == 0 {
			continue
		}
		off, n, ok := m.img.OffsetOf(s.Addr)
		if !ok {
			continue
		}
		n = min(n, s.Size)
		if looked += n; looked > uint64(m.img.Body.Size()) {
			return m.syms.SectionError(s.was, "sh_size", "0x%x: sections without bytes lie over each other", s.Size)
		}
		zero, err := isZero(m.img.Body, extent{off, min(off+n, uint64(m.img.Body.Size()))})
		if err != nil {
			return err
		}
		if zero {
			continue
		}
		m.change("the first 0x%x of 0x%x bytes of section %s have bytes in the image's file", n, s.Size, s.name)
		if n == s.Size {
			s.Type, s.Off = elf.SHT_PROGBITS, off
			continue
		}
		filled := *s
		filled.name, filled.was = filledSection, 0
		filled.Type, filled.Off, filled.Size = elf.SHT_PROGBITS, off, n
		s.Addr, s.Off, s.Size = s.Addr+n, off+n, s.Size-n
		m.table = append(m.table, filled)
	}
	return nil
}
