package layout

import (
	"debug/elf"
	"strings"

	"elfwright/link/model"
)

// traits are what placement looks at in a section. They are a little more than
// sh_flags, and a little less: whether it has bytes in the file counts, which
// type it has does not.
type traits uint32

const (
	alloc    traits = 1 << iota
	load            // has bytes that are loaded
	contents        // has bytes in the file
	readonly        // not SHF_WRITE
	code
	writable // used in the attributes of regions only
	tls
	mergeable
	textual // SHF_STRINGS
	debugging
	kept
	neverLoad
)

// kindMask is what has to be equal for a perfect place for an orphan.
const kindMask = contents | alloc | load | readonly | code | tls

// traitsOf are those of an input section.
func traitsOf(s *model.Section) traits {
	t := flagTraits(s.Type, s.Flags)
	if t&alloc == 0 && isDebug(s.Name) {
		t |= debugging
	}
	if s.Keep {
		t |= kept
	}
	return t
}

func flagTraits(typ elf.SectionType, flags elf.SectionFlag) traits {
	var t traits
	if typ != elf.SHT_NOBITS {
		t |= contents
	}
	if flags&elf.SHF_ALLOC != 0 {
		t |= alloc
		if typ != elf.SHT_NOBITS {
			t |= load
		}
	}
	if flags&elf.SHF_WRITE == 0 {
		t |= readonly
	}
	if flags&elf.SHF_EXECINSTR != 0 {
		t |= code
	}
	if flags&elf.SHF_TLS != 0 {
		t |= tls
	}
	if flags&elf.SHF_MERGE != 0 {
		t |= mergeable
	}
	if flags&elf.SHF_STRINGS != 0 {
		t |= textual
	}
	return t
}

func isDebug(name string) bool {
	for _, p := range [...]string{".debug", ".zdebug", ".gnu.debuglto_.debug_", ".gnu.linkonce.wi.", ".line", ".stab"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return name == ".gdb_index"
}

// tbss says whether a section takes addresses only in the TLS image.
func (t traits) tbss() bool { return t&(load|tls) == tls }

// counts says whether a section takes part in checks of addresses.
func (t traits) counts() bool { return t&alloc != 0 && !t.tbss() }

// wellKnown gives type and flags of output sections that nothing but data of the
// script is in, by name (gABI, "Special Sections", and those of GNU). A name
// with a star stands for it and for names with a dot behind.
var wellKnown = []struct {
	name  string
	typ   elf.SectionType
	flags elf.SectionFlag
}{
	{".bss*", elf.SHT_NOBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".comment", elf.SHT_PROGBITS, 0},
	{".ctf", elf.SHT_PROGBITS, 0},
	{".data*", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".data1", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".debug", elf.SHT_PROGBITS, 0},
	{".debug_line", elf.SHT_PROGBITS, 0},
	{".debug_info", elf.SHT_PROGBITS, 0},
	{".debug_abbrev", elf.SHT_PROGBITS, 0},
	{".debug_aranges", elf.SHT_PROGBITS, 0},
	{".dynamic", elf.SHT_DYNAMIC, elf.SHF_ALLOC},
	{".dynstr", elf.SHT_STRTAB, elf.SHF_ALLOC},
	{".dynsym", elf.SHT_DYNSYM, elf.SHF_ALLOC},
	{".fini", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR},
	{".fini_array*", elf.SHT_FINI_ARRAY, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".gnu.linkonce.b*", elf.SHT_NOBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".gnu.linkonce.n*", elf.SHT_NOBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".gnu.linkonce.p*", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".noinit*", elf.SHT_NOBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".persistent*", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".got", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".gnu.version", elf.SHT_GNU_VERSYM, 0},
	{".gnu.version_d", elf.SHT_GNU_VERDEF, 0},
	{".gnu.version_r", elf.SHT_GNU_VERNEED, 0},
	{".gnu.liblist", elf.SHT_GNU_LIBLIST, elf.SHF_ALLOC},
	{".gnu.hash", elf.SHT_GNU_HASH, elf.SHF_ALLOC},
	{".hash", elf.SHT_HASH, elf.SHF_ALLOC},
	{".init", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR},
	{".init_array*", elf.SHT_INIT_ARRAY, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".interp", elf.SHT_PROGBITS, 0},
	{".line", elf.SHT_PROGBITS, 0},
	{".plt", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR},
	{".preinit_array*", elf.SHT_PREINIT_ARRAY, elf.SHF_ALLOC | elf.SHF_WRITE},
	{".rodata*", elf.SHT_PROGBITS, elf.SHF_ALLOC},
	{".rodata1", elf.SHT_PROGBITS, elf.SHF_ALLOC},
	{".shstrtab", elf.SHT_STRTAB, 0},
	{".strtab", elf.SHT_STRTAB, 0},
	{".symtab", elf.SHT_SYMTAB, 0},
	{".stabstr", elf.SHT_STRTAB, 0},
	{".tbss*", elf.SHT_NOBITS, elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_TLS},
	{".tdata*", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_TLS},
	{".text*", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR},
	{".note.GNU-stack", elf.SHT_PROGBITS, 0},
}

// nameType finds type and flags of a well known name.
func (s *Script) nameType(name string) (elf.SectionType, elf.SectionFlag) {
	rel := s.machine.machine == elf.EM_386 || s.machine.machine == elf.EM_ARM
	switch {
	case strings.HasPrefix(name, ".rela"):
		return elf.SHT_RELA, 0
	case rel && strings.HasPrefix(name, ".rel"):
		return elf.SHT_REL, 0
	}
	for _, k := range wellKnown {
		stem, family := strings.CutSuffix(k.name, "*")
		if name == stem || family && strings.HasPrefix(name, stem+".") {
			return k.typ, k.flags
		}
	}
	if strings.HasPrefix(name, ".note") {
		return elf.SHT_NOTE, 0
	}
	return elf.SHT_NULL, 0
}
