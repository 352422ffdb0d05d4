package write

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/link/model"
)

// headers writes the ELF header and the two tables.
func (f *file) headers() {
	e := f.env
	h := elffile.Header{
		Type: elf.ET_EXEC, Machine: e.Target.Machine().ELF, Version: 1,
		Entry: e.Entry, Shoff: uint64(f.shoff), Flags: e.Flags,
		Ehsize: uint16(f.EhdrSize()), Shentsize: uint16(f.ShdrSize()),
	}
	switch {
	case e.Opt.Relocatable:
		h.Type = elf.ET_REL
	case e.PIC():
		h.Type = elf.ET_DYN
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(f.Class), byte(f.Data), 1
	h.Ident[elf.EI_OSABI] = byte(f.osabi())
	var zero elffile.Section
	if n := len(f.segs); n != 0 {
		h.Phoff, h.Phentsize, h.Phnum = uint64(f.EhdrSize()), uint16(f.PhdrSize()), uint16(n)
		if n >= elffile.PnXnum { // gABI: e_phnum's escape
			h.Phnum, zero.Info = elffile.PnXnum, uint32(n)
		}
		f.progs(f.b[h.Phoff:])
	}
	n := f.count()
	h.Shnum, h.Shstrndx = uint16(n), uint16(n-1)
	if n >= elffile.ShnLoReserve { // gABI: the counts are in section header 0
		h.Shnum, zero.Size = 0, uint64(n)
		h.Shstrndx, zero.Link = elffile.ShnXindex, uint32(n-1)
	}
	copy(f.b, h.Encode(f.Format))
	f.sections(zero)
}

func (f *file) progs(b []byte) {
	for _, s := range f.segs {
		p := elffile.Prog{Type: s.Type, Flags: s.Flags, Off: s.Off, Vaddr: s.Vaddr, Paddr: s.Paddr,
			Filesz: s.Filesz, Memsz: s.Memsz, Align: s.Align}
		b = b[copy(b, p.Encode(f.Format)):]
	}
}

func (f *file) sections(zero elffile.Section) {
	b := f.b[f.shoff:]
	put := func(s *elffile.Section) { b = b[copy(b, s.Encode(f.Format)):] }
	put(&zero)
	names := f.names
	for _, g := range f.groups {
		g.Name = names.at(".group")
		put(&g.Section)
	}
	for _, out := range f.env.Outputs {
		s := elffile.Section{
			Name: names.at(out.Name), Type: out.Type, Flags: uint64(out.Flags), Addr: out.Addr,
			Off: uint64(out.FileOff), Size: out.Size, Addralign: out.Align, Entsize: out.Entsize, Info: out.Info,
		}
		s.Link, s.Info = links(out)
		if s.Link == 0 && f.syms != nil && (s.Type == elf.SHT_RELA || s.Type == elf.SHT_REL) {
			s.Link = uint32(f.regular) // of a static program: .symtab, which no entry uses
		}
		if m := f.made[out]; m.compressed {
			s.Flags |= uint64(elf.SHF_COMPRESSED)
			s.Size, s.Addralign = uint64(len(m.b)), uint64(f.AddrSize())
		}
		if f.inGroup[out] {
			s.Flags |= uint64(elf.SHF_GROUP)
		}
		put(&s)
		if r := f.relOf[out]; r != nil {
			r.Name = names.at(r.name)
			put(&r.Section)
		}
	}
	for i := range f.extra {
		s := f.extra[i].Section
		s.Name = names.at(f.extra[i].name)
		put(&s)
	}
}

// links gives sh_link and sh_info. A section of the linker names its table by
// LinkTo; a section with SHF_LINK_ORDER goes where that of its first part goes.
func links(out *model.Output) (link, info uint32) {
	info = out.Info
	if out.LinkTo != nil {
		link = uint32(out.LinkTo.Index)
	}
	for i := range out.Items {
		s := out.Items[i].Section
		if s == nil {
			continue
		}
		if t := s.LinkTo; t != nil && link == 0 && t.Out != nil {
			link = uint32(t.Out.Index)
		}
		if s.Obj.Linker && info == 0 {
			info = s.Info
			if t := s.InfoTo; t != nil && t.Out != nil {
				info = uint32(t.Out.Index)
			}
		}
		if link != 0 {
			break
		}
	}
	return link, info
}

// osabi is EI_OSABI: GNU's where the file has what only GNU systems know.
func (f *file) osabi() elf.OSABI {
	if f.env.GnuABI.Get() {
		return elf.ELFOSABI_LINUX
	}
	for _, o := range f.env.Objects {
		if o.OSABI == elf.ELFOSABI_LINUX && !f.env.Opt.Relocatable || o.Linker {
			continue
		}
		if o.OSABI != elf.ELFOSABI_NONE {
			return o.OSABI
		}
	}
	return elf.ELFOSABI_NONE
}
