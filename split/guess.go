package split

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// Types that debug/elf does not name.
const (
	shtRelr     = elf.SectionType(19)
	shtARMExidx = elf.SectionType(0x70000001)
	dtRelr      = elf.DynTag(36)
)

// tagTypes are the sections that the dynamic section gives the address of.
var tagTypes = map[elf.DynTag]elf.SectionType{
	elf.DT_SYMTAB: elf.SHT_DYNSYM, elf.DT_STRTAB: elf.SHT_STRTAB, elf.DT_HASH: elf.SHT_HASH, elf.DT_GNU_HASH: elf.SHT_GNU_HASH,
	elf.DT_VERSYM: elf.SHT_GNU_VERSYM, elf.DT_VERNEED: elf.SHT_GNU_VERNEED, elf.DT_VERDEF: elf.SHT_GNU_VERDEF,
	elf.DT_RELA: elf.SHT_RELA, elf.DT_REL: elf.SHT_REL, dtRelr: shtRelr,
	elf.DT_INIT_ARRAY: elf.SHT_INIT_ARRAY, elf.DT_FINI_ARRAY: elf.SHT_FINI_ARRAY, elf.DT_PREINIT_ARRAY: elf.SHT_PREINIT_ARRAY,
}

// typesByAddress are types of sections, by what program headers and the dynamic
// section say of an address.
func typesByAddress(f *elffile.File) map[uint64]elf.SectionType {
	types := make(map[uint64]elf.SectionType)
	dyn, _ := f.Dynamic()
	for _, e := range dyn.Entries {
		if t, ok := tagTypes[e.Tag]; ok {
			types[e.Val] = t
		}
		if e.Tag == elf.DT_JMPREL {
			types[e.Val] = elf.SHT_RELA
			if kind, ok := dyn.Value(elf.DT_PLTREL); ok && elf.DynTag(kind) == elf.DT_REL {
				types[e.Val] = elf.SHT_REL
			}
		}
	}
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_DYNAMIC {
			types[p.Vaddr] = elf.SHT_DYNAMIC
		}
	}
	return types
}

// dynamicOf are the entries of the dynamic section, the first of each tag.
func dynamicOf(f *elffile.File) map[elf.DynTag]uint64 {
	dyn, _ := f.Dynamic()
	tags := make(map[elf.DynTag]uint64)
	for _, e := range dyn.Entries {
		if _, ok := tags[e.Tag]; !ok {
			tags[e.Tag] = e.Val
		}
	}
	return tags
}

// nameTypes are types by the beginning of a name, for what has no dynamic section.
var nameTypes = []struct {
	prefix string
	t      elf.SectionType
}{
	{".init_array", elf.SHT_INIT_ARRAY}, {".fini_array", elf.SHT_FINI_ARRAY}, {".preinit_array", elf.SHT_PREINIT_ARRAY},
	{".rela.", elf.SHT_RELA}, {".rel.", elf.SHT_REL}, {".relr.dyn", shtRelr}, {".note", elf.SHT_NOTE},
}

// guess says what type a section had before its bytes were taken out: none, if
// the image has no bytes there; else what the image says of its address; else what
// its name says.
func (m *merger) guess(s *section) elf.SectionType {
	if _, backed := m.offset(s); !backed || m.zeroTLS(s) || s.Size == 0 && strings.Contains(s.name, "bss") {
		return elf.SHT_NOBITS
	}
	if t, ok := m.types[s.Addr]; ok && s.Size > 0 {
		return t
	}
	if strings.HasPrefix(s.name, ".ARM.exidx") && m.img.Header.Machine == elf.EM_ARM {
		return shtARMExidx
	}
	for _, n := range nameTypes {
		if strings.HasPrefix(s.name, n.prefix) {
			return n.t
		}
	}
	return elf.SHT_PROGBITS
}

// zeroTLS says whether a section is the part of PT_TLS that has no bytes: it
// takes no addresses, and others begin where it does.
func (m *merger) zeroTLS(s *section) bool {
	if !s.Has(elf.SHF_TLS) {
		return false
	}
	for i := range m.img.Progs {
		if p := &m.img.Progs[i]; p.Type == elf.PT_TLS && s.Addr >= p.Vaddr+p.Filesz {
			return true
		}
	}
	return false
}
