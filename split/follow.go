package split

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
)

// An image without section headers can have moved what its program header table
// needed the place of (package phdr, evict). What was moved is found as a loader
// finds it: by a program header, or by an entry of the dynamic section.

// followed are program headers that name sections.
var followed = []elf.ProgType{elf.PT_INTERP, elf.PT_NOTE, elf.PT_GNU_PROPERTY, elf.PT_DYNAMIC, elf.PT_GNU_EH_FRAME}

// The tags of the dynamic section by a section's type, or by its name where that
// does not tell.
var (
	typeTags = map[elf.SectionType]elf.DynTag{
		elf.SHT_DYNSYM: elf.DT_SYMTAB, elf.SHT_HASH: elf.DT_HASH, elf.SHT_GNU_HASH: elf.DT_GNU_HASH, elf.SHT_GNU_VERSYM: elf.DT_VERSYM,
		elf.SHT_GNU_VERNEED: elf.DT_VERNEED, elf.SHT_GNU_VERDEF: elf.DT_VERDEF, shtRelr: dtRelr,
	}
	nameTags = map[string]elf.DynTag{
		".dynstr": elf.DT_STRTAB, ".rela.dyn": elf.DT_RELA, ".rel.dyn": elf.DT_REL, ".rela.plt": elf.DT_JMPREL, ".rel.plt": elf.DT_JMPREL,
	}
)

// follow returns the address that a section has in the image.
func (m *merger) follow(s *section) uint64 {
	if s.Size == 0 || s.Has(elf.SHF_WRITE) { // of what is written to, the address is known to code
		return s.Addr
	}
	for _, h := range m.headers {
		if s.Addr >= h.old.Vaddr && s.Addr-h.old.Vaddr < h.old.Memsz && s.Size <= h.old.Memsz-(s.Addr-h.old.Vaddr) {
			return s.Addr + h.now.Vaddr - h.old.Vaddr
		}
	}
	tag, ok := typeTags[s.Type]
	if !ok {
		tag, ok = nameTags[s.name]
	}
	if v, found := m.dynamic[tag]; ok && found {
		return v
	}
	return s.Addr
}

// A moving is a program header of the file with symbols, and the same in the image.
type moving struct{ old, now elffile.Prog }

// maxHeaders bounds the work on tables that are hostile.
const maxHeaders = 64

// pairHeaders finds the program headers that name sections in both files.
func (m *merger) pairHeaders() []moving {
	var list []moving
	for _, t := range followed {
		old, now := headersOf(m.syms, t), headersOf(m.img, t)
		if len(old) != len(now) || len(old) > maxHeaders {
			continue
		}
		for i := range old {
			if old[i].Memsz == now[i].Memsz {
				list = append(list, moving{old[i], now[i]})
			}
		}
	}
	return list
}

// headersOf are the program headers of a type.
func headersOf(f *elffile.File, t elf.ProgType) []elffile.Prog {
	return slices.DeleteFunc(slices.Clone(f.Progs), func(p elffile.Prog) bool { return p.Type != t })
}
