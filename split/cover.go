package split

import (
	"debug/elf"

	"elfwright/elffile"
)

// coverSection covers bytes or memory of a PT_LOAD that was added to the image.
const coverSection = ".ewload"

// cover gives sections to what was added to the image's PT_LOADs: GNU strip clears
// what no section covers, and eu-strip cuts it off.
func (m *merger) cover() {
	var known []extent // addresses of sections
	for i := range m.table {
		s := &m.table[i]
		if s.Has(elf.SHF_ALLOC) && !(s.Has(elf.SHF_TLS) && s.Type == elf.SHT_NOBITS) {
			known = append(known, extent{s.Addr, s.Addr + s.Size})
		}
	}
	sections := union(known)
	heads := m.img.Header.Phoff + uint64(len(m.img.Progs)*m.img.PhdrSize())
	loads := headersOf(m.img, elf.PT_LOAD)
	if len(loads) > maxHeaders {
		m.warn("not-covered", "the image has %d PT_LOADs; what was added to them gets no sections", len(loads))
		return
	}
	for i := range loads {
		p := &loads[i]
		from := m.oldEnd(p)
		if p.Vaddr+p.Memsz < p.Vaddr || from == p.Vaddr+p.Memsz {
			continue
		}
		if p.Off < heads && heads <= p.Off+p.Filesz {
			from = max(from, p.Vaddr+heads-p.Off)
		}
		for _, gap := range sections.within(extent{from, p.Vaddr + p.Memsz}) {
			m.coverGap(p, gap)
		}
	}
}

// oldEnd is where a PT_LOAD of the image ended in the program, or where it begins
// if that had none there.
func (m *merger) oldEnd(p *elffile.Prog) uint64 {
	end := p.Vaddr
	for i := range m.syms.Progs {
		o := &m.syms.Progs[i]
		if o.Type == elf.PT_LOAD && o.Vaddr >= p.Vaddr && o.Vaddr+o.Memsz <= p.Vaddr+p.Memsz {
			end = max(end, o.Vaddr+o.Memsz)
		}
	}
	return end
}

// coverGap adds the sections of a gap: one with bytes, one without.
func (m *merger) coverGap(p *elffile.Prog, gap extent) {
	flags := uint64(elf.SHF_ALLOC)
	if p.Flags&elf.PF_W != 0 {
		flags |= uint64(elf.SHF_WRITE)
	}
	if p.Flags&elf.PF_X != 0 {
		flags |= uint64(elf.SHF_EXECINSTR)
	}
	add := func(t elf.SectionType, from, to uint64) {
		m.table = append(m.table, section{name: coverSection, Section: elffile.Section{
			Type: t, Flags: flags, Addr: from, Off: p.Off + min(from-p.Vaddr, p.Filesz), Size: to - from, Addralign: 1,
		}})
	}
	m.change("section %s covers 0x%x bytes at 0x%x that were added to the image", coverSection, gap.end-gap.off, gap.off)
	edge := p.Vaddr + p.Filesz
	if gap.off < edge {
		add(elf.SHT_PROGBITS, gap.off, min(gap.end, edge))
	} else if p.Filesz == 0 { // eu-elflint looks for a section with bytes in what is writable
		add(elf.SHT_PROGBITS, gap.off, gap.off)
	}
	if edge < gap.end {
		add(elf.SHT_NOBITS, max(gap.off, edge), gap.end)
	}
}

// within are the parts of e that are not in the extents.
func (x extents) within(e extent) []extent {
	var out []extent
	for _, g := range x.gaps(e.end) {
		if from := max(g.off, e.off); from < g.end {
			out = append(out, extent{from, g.end})
		}
	}
	return out
}
