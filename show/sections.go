package show

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// sectionRow is one section header.
type sectionRow struct {
	*elffile.Section
	m         elf.Machine
	index     int
	name, typ string
	flags     string // as letters
	wide      int    // digits of an address
	nameWidth int
}

// maxNameWidth is how wide a column of section names grows; what is longer
// moves its own line only.
const maxNameWidth = 32

// showSections prints the section headers.
func showSections(p *printer) {
	f := p.f
	p.warn(f.SectionErr())
	sections := f.Sections()
	if len(sections) == 0 {
		p.remark("There are no sections in this file.")
		return
	}
	r := &sectionRow{m: f.Header.Machine, wide: p.addrDigits(), nameWidth: 17}
	for i := range sections {
		r.nameWidth = max(r.nameWidth, min(len(p.sectionName(i)), maxNameWidth))
	}
	p.heading(func(t *text) { sectionsTitle(p, t, r.nameWidth) })
	for i := range sections {
		s := &sections[i]
		r.Section, r.index, r.name = s, i, p.sectionName(i)
		r.typ = elffile.SectionTypeName(f.Header.Machine, s.Type)
		r.flags = elffile.SectionFlagLetters(f.Header.Machine, s.Flags)
		p.row(r)
		p.checkSection(i)
	}
	p.print(func(t *text) { t.str(flagKey) })
}

// checkSection notes what is wrong with a section as a part of the file.
func (p *printer) checkSection(i int) {
	s := &p.f.Sections()[i]
	if i == 0 || !s.HasBytes() {
		return
	}
	size := uint64(p.f.Body.Size())
	if s.Off > size || s.Size > size-s.Off {
		p.warn(p.f.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, size))
	}
	if s.Link != 0 && uint64(s.Link) >= uint64(len(p.f.Sections())) {
		p.warn(p.f.SectionError(i, "sh_link", "%d is not the index of a section (there are %d)", s.Link, len(p.f.Sections())))
	}
}

func sectionsTitle(p *printer, t *text, nameWidth int) {
	if p.opt.views()&(FileHeader|Summary) == 0 {
		t.str("There are ")
		t.dec(uint64(len(p.f.Sections())), 0)
		t.str(" section headers, starting at offset ")
		t.zx(p.f.Header.Shoff)
		t.str(":")
		t.nl()
		t.nl()
	}
	t.title("Section Headers:", "")
	t.nl()
	address := "Address          "
	if !p.f.Is64() {
		address = "Address  "
	}
	t.heads("  [Nr] Name" + strings.Repeat(" ", nameWidth-4) + " Type            " + address + "Off    Size   ES Flg Lk Inf Al")
}

func (r *sectionRow) text(t *text) {
	t.str("  [")
	t.dec(uint64(r.index), 2)
	t.str("] ")
	at := len(t.b)
	t.names(r.name)
	t.space(r.nameWidth - (len(t.b) - at))
	t.str(" ")
	t.left(r.typ, 15)
	t.str(" ")
	t.hex(r.Addr, r.wide)
	for _, v := range [...]uint64{r.Off, r.Size} {
		t.str(" ")
		t.hex(v, 6)
	}
	t.str(" ")
	t.hex(r.Entsize, 2)
	t.str(" ")
	t.right(r.flags, 3)
	t.str(" ")
	t.dec(uint64(r.Link), 2)
	t.str(" ")
	t.dec(uint64(r.Info), 3)
	t.str(" ")
	t.dec(r.Addralign, 2)
	t.nl()
}

func (r *sectionRow) json(o *object) {
	o.num("index", uint64(r.index))
	o.names("name", r.name)
	o.num("name_offset", uint64(r.Name))
	o.hex("type", uint64(r.Type))
	o.str("type_name", r.typ)
	o.hex("flags", r.Flags)
	o.str("flag_letters", r.flags)
	o.strs("flag_names", elffile.SectionFlagNames(r.m, r.Flags))
	o.hex("addr", r.Addr)
	o.hex("offset", r.Off)
	o.num("size", r.Size)
	o.num("link", uint64(r.Link))
	o.num("info", uint64(r.Info))
	o.num("addralign", r.Addralign)
	o.num("entsize", r.Entsize)
}

// flagKey explains the letters that every machine has.
const flagKey = `Key to Flags:
  W (write), A (alloc), X (execute), M (merge), S (strings), I (info is a section), L (link order),
  O (needs the OS), G (group member), T (TLS), C (compressed), E (exclude), R (retain), D (mbind),
  l (large), y (pure code), v (VLE), o (the OS's own), p (the processor's own), x (unknown)
`
