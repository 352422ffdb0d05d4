package phdr

import (
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
)

// giveBytes makes the part of a PT_LOAD's sections below an address ones with
// bytes. had is where its file bytes ended.
func (d *draft) giveBytes(p *elffile.Prog, had, to uint64) error {
	for i := range len(d.secs) {
		s := &d.secs[i]
		if s.Type != elf.SHT_NOBITS || !loaded(s) || s.Addr < p.Vaddr || s.Addr-p.Vaddr > p.Memsz {
			continue
		}
		if s.Addr >= to { // its offset must not be among the bytes that are there now
			if p.Filesz > 0 && s.Off < p.Off+p.Filesz {
				s.Off, d.dirty = p.Off+(s.Addr-p.Vaddr), true
			}
			continue
		}
		if s.Size == 0 {
			continue
		}
		if s.Size > p.Memsz-(s.Addr-p.Vaddr) {
			return refusef(d.old, "section %s: [0x%x, 0x%x) is not within the PT_LOAD at 0x%x", s.name, s.Addr, s.Addr+s.Size, p.Vaddr)
		}
		d.dirty = true
		d.split(i, p, min(to, s.Addr+s.Size), d.paddingBefore(s.Addr, had))
	}
	if len(d.secs) > 0 && had < to {
		d.coverRest(p, image.MakeRange(image.Addr(had), image.Addr(to)))
	}
	return nil
}

// loaded says whether a section has addresses of the image.
func loaded(s *section) bool { return s.Has(elf.SHF_ALLOC) && !s.Has(elf.SHF_TLS) }

// paddingBefore is where the bytes that belong to no section begin in front of
// an address, not below floor.
func (d *draft) paddingBefore(addr, floor uint64) uint64 {
	if addr <= floor {
		return addr
	}
	for i := range d.secs {
		if s := &d.secs[i]; loaded(s) && s.Addr < addr && s.Size > 0 {
			floor = max(floor, min(addr, s.Addr+s.Size))
		}
	}
	return floor
}

// coverRest adds sections for bytes that no section has.
func (d *draft) coverRest(p *elffile.Prog, r image.Range) {
	var covered []image.Range
	for i := range d.secs {
		if s := &d.secs[i]; loaded(s) {
			covered = append(covered, image.Range{Start: image.Addr(s.Addr), Size: s.Size})
		}
	}
	for _, x := range (image.Ranges{r}).Minus(covered...) {
		d.addSection(".ew.zeros", elffile.Section{
			Type: elf.SHT_PROGBITS, Flags: sectionFlags(p.Flags), Addr: uint64(x.Start), Off: p.Off + uint64(x.Start) - p.Vaddr,
			Size: x.Size, Addralign: lowBit(uint64(x.Start), 16),
		})
	}
}

// split gives the part of section i below an address bytes, and the padding in
// front of it, from start on. It goes to the section in front that an earlier
// growth has made, or becomes one.
func (d *draft) split(i int, p *elffile.Prog, at, start uint64) {
	s := &d.secs[i]
	rest := s.Section
	rest.Addr, rest.Size, rest.Off = at, s.Addr+s.Size-at, p.Off+(at-p.Vaddr)
	rest.Addralign = dividing(at, rest.Addralign)
	s.cut = true
	before := slices.IndexFunc(d.secs, func(b section) bool {
		return b.name == ".ew"+s.name && b.Type == elf.SHT_PROGBITS && b.Addr+b.Size == start && b.Flags == s.Flags
	})
	if before >= 0 && rest.Size > 0 {
		d.secs[before].Size += at - start
		d.secs[before].longer = true
		s.Section = rest
		return
	}
	name := s.name
	s.Type, s.Addr, s.Size, s.Off = elf.SHT_PROGBITS, start, at-start, p.Off+(start-p.Vaddr)
	s.Addralign = dividing(start, s.Addralign)
	s.name, s.renamed = d.uniqueName(".ew"+name), true
	if rest.Size > 0 {
		d.addSection(name, rest)
	}
}

// dividing is an alignment that an address has, the given one if it can be.
func dividing(addr, align uint64) uint64 {
	if align == 0 || addr&(align-1) == 0 {
		return align
	}
	return lowBit(addr, align)
}

// holder returns the section that has an address among those that cut sections
// have become; beyond the end of all of them (_end), the last.
func (d *draft) holder(addr uint64) (int, bool) {
	found := -1
	for i := range d.secs {
		s := &d.secs[i]
		part := s.cut || s.was < 0 || strings.HasPrefix(s.name, ".ew.")
		if part && loaded(s) && s.Addr <= addr && (found < 0 || s.Addr >= d.secs[found].Addr) {
			found = i
		}
	}
	return found, found >= 0
}
