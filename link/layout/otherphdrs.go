package layout

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// others gives the segments that are not PT_LOAD their fields.
func (f *filer) others() {
	for _, g := range f.s.segments {
		p := f.result[g]
		switch {
		case g.typ == elf.PT_LOAD:
		case g.typ == elf.PT_GNU_RELRO && g.extra == nil:
			f.relro(p)
		case g.typ == elf.PT_GNU_STACK && len(g.sections) == 0:
			p.Memsz = g.memsz
			if p.Align == 0 {
				p.Align = uint64(f.s.class) / 8
			}
		case g.extra != nil:
			f.extra(g, p)
		default:
			f.other(g, p)
		}
	}
}

func (s *Script) userPhdrs() bool { return len(s.phdrs) > 0 && !s.layered }

func (f *filer) other(g *segment, p *model.Segment) {
	if len(g.sections) == 0 {
		p.Align = max(p.Align, uint64(f.s.class)/8)
		if g.typ == elf.PT_NULL && !f.s.userPhdrs() {
			p.Align = 0
		}
	} else {
		p.Vaddr, p.Paddr = g.sections[0].out.Addr, g.sections[0].out.LMA
		p.Off = uint64(g.sections[0].out.FileOff)
		if g.typ == elf.PT_GNU_STACK {
			p.Off = 0 // it is about the stack, whatever the script puts there
		}
	}
	if g.paddr != nil {
		p.Paddr = *g.paddr
	}
	f.headersOf(g, p)
	if g.typ == elf.PT_PHDR {
		if f.table == nil {
			f.s.rep.Error(fmt.Errorf("PHDR segment not covered by a PT_LOAD: none has the program header table"))
		}
		p.Align = max(p.Align, uint64(f.s.class)/8)
		return
	}
	for _, o := range g.sections {
		f.otherSection(g, p, o)
	}
}

func (f *filer) otherSection(g *segment, p *model.Segment, o *section) {
	out := o.out
	if g.typ == elf.PT_NOTE {
		out.Type = elf.SHT_NOTE
	}
	allocated := out.Flags&elf.SHF_ALLOC != 0
	if out.Type != elf.SHT_NOBITS {
		p.Filesz = uint64(out.FileOff-g.sections[0].out.FileOff) + out.Size
	}
	switch {
	case g.typ == elf.PT_TLS:
		if end := p.Paddr + p.Memsz; allocated && out.LMA >= end {
			p.Memsz += out.LMA - end
		}
		p.Memsz += out.Size
	case g.typ == elf.PT_NOTE && allocated:
		p.Memsz = p.Filesz
	case out.Type != elf.SHT_NOBITS && allocated, allocated && out.Flags&elf.SHF_TLS == 0:
		p.Memsz += out.Size
	}
	if g.align == 0 {
		p.Align = max(p.Align, o.align1())
	}
	f.flags(g, p, o)
	p.Sections = append(p.Sections, out)
}

// headersOf is for PT_PHDR, and others with FILEHDR or PHDRS.
func (f *filer) headersOf(g *segment, p *model.Segment) {
	if !g.filehdr && !g.phdrs {
		return
	}
	p.Filehdr, p.Phdrs = g.filehdr, g.phdrs
	if !g.flagsSet {
		p.Flags |= elf.PF_R
	}
	p.Off = 0
	var size uint64
	if g.filehdr {
		size = f.s.ehdrSize()
	} else {
		p.Off = f.tableOff()
	}
	if g.phdrs {
		size += f.size
	}
	p.Filesz, p.Memsz = size, size
	if f.table == nil {
		return
	}
	l := f.result[f.table]
	p.Vaddr = l.Vaddr + p.Off - l.Off
	if g.paddr == nil {
		p.Paddr = l.Paddr + p.Off - l.Off
	}
}

// tableOff is where the program header table is in the file.
func (f *filer) tableOff() uint64 {
	if f.table != nil && !f.table.filehdr {
		return f.result[f.table].Off
	}
	return f.s.ehdrSize()
}

// relro covers what is protected after relocation, from its first section on.
func (f *filer) relro(p *model.Segment) {
	d := &f.s.seg
	for _, g := range f.s.segments {
		l := f.result[g]
		if g.typ != elf.PT_LOAD || len(g.sections) == 0 || g.sections[0].out.Addr >= d.relroEnd || g.end() <= d.relroBase {
			continue
		}
		for _, o := range g.sections {
			out := o.out
			if out.Addr < d.relroBase || out.Addr >= d.relroEnd || out.Size == 0 {
				continue
			}
			p.Vaddr, p.Paddr, p.Off = out.Addr, out.LMA, uint64(out.FileOff)
			p.Memsz = d.relroEnd - p.Vaddr
			p.Filesz = min(p.Memsz, l.Vaddr+l.Filesz-p.Vaddr)
			for _, o := range g.sections {
				if o.out.Addr >= p.Vaddr && o.out.Addr < d.relroEnd {
					p.Sections = append(p.Sections, o.out)
				}
			}
			return
		}
	}
	f.s.rep.Warn(fmt.Errorf("PT_GNU_RELRO: no section lies in it"))
	*p = model.Segment{}
}

func (g *segment) end() uint64 {
	o := g.sections[len(g.sections)-1]
	if o.traits.tbss() {
		return o.out.Addr
	}
	return o.out.Addr + o.out.Size
}
