package elftest

import (
	"debug/elf"
	"slices"
)

// Shared returns a shared library with everything that dynamic linking knows:
// both hash tables, versions defined and needed, relocations of all forms, an
// init array, notes, a thread-local segment.
func Shared(k Kind) File {
	f := k.file(elf.ET_DYN)
	f.Segments = []Segment{
		{Type: elf.PT_PHDR, Flags: elf.PF_R, Table: true},
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W | elf.PF_X, Whole: true},
		{Type: elf.PT_DYNAMIC, Flags: elf.PF_R | elf.PF_W, Sections: []string{".dynamic"}},
		{Type: elf.PT_NOTE, Flags: elf.PF_R, Sections: []string{".note.gnu.property"}},
		{Type: elf.PT_NOTE, Flags: elf.PF_R, Sections: []string{".note.ABI-tag", ".note.stapsdt"}},
		{Type: elf.PT_GNU_PROPERTY, Flags: elf.PF_R, Sections: []string{".note.gnu.property"}},
		{Type: elf.PT_TLS, Flags: elf.PF_R, Sections: []string{".tdata"}},
		{Type: elf.PT_GNU_STACK, Flags: elf.PF_R | elf.PF_W, Align: 16},
		{Type: elf.PT_GNU_RELRO, Flags: elf.PF_R, Sections: []string{".init_array", ".dynamic"}},
	}
	f.Sections = slices.Concat(k.sharedNotes(), k.sharedTables(), k.sharedData())
	return f
}

const (
	flagA  = elf.SHF_ALLOC
	flagWA = elf.SHF_ALLOC | elf.SHF_WRITE
	flagAX = elf.SHF_ALLOC | elf.SHF_EXECINSTR
)

func (k Kind) sharedNotes() []Section {
	feature := Property{PropertyX86Feature1, Words{3}}
	if k.Machine == elf.EM_AARCH64 || k.Machine == elf.EM_ARM {
		feature.Type = PropertyA64Feature1
	}
	return []Section{
		{Name: ".note.gnu.property", Flags: flagA, Content: Notes{GNUProperty(feature)}},
		{Name: ".note.ABI-tag", Flags: flagA, Content: Notes{ABITag(0, 3, 2, 0), BuildID(0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4)}},
		{Name: ".note.package", Flags: flagA, Content: Notes{Packaging(`{"type":"deb","os":"debian","name":"elftest","version":"1"}`)}},
		{Name: ".note.stapsdt", Flags: flagA, Content: Notes{Probe(0x1000, 0x2000, 0, "elftest", "probe", "4@%edi")}},
	}
}

// sharedTables are the tables that the dynamic section points to.
func (k Kind) sharedTables() []Section {
	const buckets = 3
	w := k.word()
	relative, absolute := k.relocTypes()
	name, rel := k.relocs([]Reloc{
		{Section: ".data", Off: 0, Type: relative, AddendIn: ".text"},
		{Section: ".data", Off: w, Type: absolute, Sym: "puts"},
	})
	return []Section{
		{Name: ".gnu.hash", Flags: flagA, Content: GNUHash{Buckets: buckets, Bloom: 2, Shift: 6}},
		{Name: ".hash", Flags: flagA, Content: SysVHash{Buckets: buckets}},
		{Name: ".dynsym", Flags: flagA, Content: SortGNU(buckets, Symbols{
			{Name: "puts", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC},
			{Name: "answer", Section: ".text", Size: 4, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC},
			{Name: "question", Section: ".data", Size: w, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT},
			// The value of a thread-local symbol is an offset in PT_TLS, so the
			// section, .tdata, is given by its index.
			{Name: "counter", Index: 14, Size: 4, Bind: elf.STB_GLOBAL, Type: elf.STT_TLS},
			{Name: "ELFTEST_1", Index: elf.SHN_ABS, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT},
		})},
		{Name: ".dynstr", Flags: flagA, Content: Strings{}},
		{Name: ".gnu.version", Flags: flagA, Content: Versym{0, 4, 2, 2, 3, 2}},
		{Name: ".gnu.version_d", Flags: flagA, Content: Verdef{
			{Index: 1, Flags: 1, Names: []string{"libelftest.so.1"}},
			{Index: 2, Names: []string{"ELFTEST_1"}},
			{Index: 3, Names: []string{"ELFTEST_2", "ELFTEST_1"}},
		}},
		{Name: ".gnu.version_r", Flags: flagA, Content: Verneed{{"libc.so.6", []NeededVersion{
			{"GLIBC_2.2.5", 0, 4}, {"GLIBC_2.34", 0, 5}}}}},
		{Name: name + ".dyn", Flags: flagA, Content: rel},
		{Name: ".relr.dyn", Flags: flagA, Content: Relr{".data", []uint64{2 * w, 3 * w, 5 * w, 40 * w}}},
	}
}

func (k Kind) sharedData() []Section {
	w := k.word()
	return []Section{
		{Name: ".tdata", Flags: flagWA | elf.SHF_TLS, Align: 4, Data: []byte{1, 2, 3, 4}},
		{Name: ".text", Flags: flagAX, Align: 16, Data: k.exit42()},
		{Name: ".init_array", Type: elf.SHT_INIT_ARRAY, Flags: flagWA, Align: w, Entsize: w, Content: Pointers{".text"}},
		{Name: ".dynamic", Flags: flagWA, Content: k.sharedDynamic()},
		{Name: ".data", Flags: flagWA, Align: w, Data: make([]byte, 41*w)},
		{Name: ".bss", Type: elf.SHT_NOBITS, Flags: flagWA, Align: w, Size: 0x100},
	}
}

func (k Kind) sharedDynamic() Dynamic {
	tags := Dynamic{{Tag: elf.DT_RELA, Addr: ".rela.dyn"}, {Tag: elf.DT_RELASZ, Size: ".rela.dyn"}, {Tag: elf.DT_RELAENT, Val: 24}}
	if !k.rela() {
		tags = Dynamic{{Tag: elf.DT_REL, Addr: ".rel.dyn"}, {Tag: elf.DT_RELSZ, Size: ".rel.dyn"}, {Tag: elf.DT_RELENT, Val: 8}}
	}
	return append(tags,
		Dyn{Tag: elf.DT_NEEDED, Str: "libc.so.6"},
		Dyn{Tag: elf.DT_SONAME, Str: "libelftest.so.1"},
		Dyn{Tag: elf.DT_RUNPATH, Str: "$ORIGIN/../lib"},
		Dyn{Tag: elf.DT_INIT_ARRAY, Addr: ".init_array"},
		Dyn{Tag: elf.DT_INIT_ARRAYSZ, Size: ".init_array"},
		Dyn{Tag: elf.DT_HASH, Addr: ".hash"},
		Dyn{Tag: elf.DT_GNU_HASH, Addr: ".gnu.hash"},
		Dyn{Tag: elf.DT_STRTAB, Addr: ".dynstr"},
		Dyn{Tag: elf.DT_SYMTAB, Addr: ".dynsym"},
		Dyn{Tag: elf.DT_STRSZ, Size: ".dynstr"},
		Dyn{Tag: elf.DT_SYMENT, Val: symSize(k.Class == elf.ELFCLASS64)},
		Dyn{Tag: DT_RELR, Addr: ".relr.dyn"},
		Dyn{Tag: DT_RELRSZ, Size: ".relr.dyn"},
		Dyn{Tag: DT_RELRENT, Val: k.word()},
		Dyn{Tag: elf.DT_VERSYM, Addr: ".gnu.version"},
		Dyn{Tag: elf.DT_VERDEF, Addr: ".gnu.version_d"},
		Dyn{Tag: elf.DT_VERDEFNUM, Val: 3},
		Dyn{Tag: elf.DT_VERNEED, Addr: ".gnu.version_r"},
		Dyn{Tag: elf.DT_VERNEEDNUM, Val: 1},
		Dyn{Tag: elf.DT_FLAGS_1, Val: 1}) // DF_1_NOW
}

// word is the size of an address.
func (k Kind) word() uint64 {
	if k.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

// relocTypes returns the machine's relative and absolute relocation types.
func (k Kind) relocTypes() (relative, absolute uint32) {
	switch k.Machine {
	case elf.EM_X86_64:
		return uint32(elf.R_X86_64_RELATIVE), uint32(elf.R_X86_64_64)
	case elf.EM_386:
		return uint32(elf.R_386_RELATIVE), uint32(elf.R_386_32)
	case elf.EM_AARCH64:
		return uint32(elf.R_AARCH64_RELATIVE), uint32(elf.R_AARCH64_ABS64)
	}
	return uint32(elf.R_ARM_RELATIVE), uint32(elf.R_ARM_ABS32)
}

// rela says whether the machine keeps addends in the table.
func (k Kind) rela() bool { return k.Class == elf.ELFCLASS64 }

// relocs is a relocation table in the machine's form.
func (k Kind) relocs(list []Reloc) (string, Content) {
	if k.rela() {
		return ".rela", Rela(list)
	}
	return ".rel", Rel(list)
}
