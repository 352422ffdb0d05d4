package elftest

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"iter"
)

// Kind is one combination of class and byte order, with a machine that uses it.
type Kind struct {
	Name    string
	Class   elf.Class
	Order   binary.ByteOrder
	Machine elf.Machine
}

// Kinds returns the four combinations.
func Kinds() []Kind {
	return []Kind{
		{"64le", elf.ELFCLASS64, binary.LittleEndian, elf.EM_X86_64},
		{"32le", elf.ELFCLASS32, binary.LittleEndian, elf.EM_386},
		{"64be", elf.ELFCLASS64, binary.BigEndian, elf.EM_AARCH64},
		{"32be", elf.ELFCLASS32, binary.BigEndian, elf.EM_ARM},
	}
}

// file is a File of this kind.
func (k Kind) file(t elf.Type) File {
	f := File{Class: k.Class, Order: k.Order, Machine: k.Machine, Type: t}
	if k.Machine == elf.EM_ARM {
		f.Flags = 0x05800000 // EF_ARM_EABI_VER5, EF_ARM_BE8 (BE-8 code)
	}
	if t == elf.ET_EXEC {
		f.Base = 0x400000
	}
	return f
}

// exit42 is a program for Linux that exits with status 42.
func (k Kind) exit42() []byte {
	switch k.Machine {
	case elf.EM_X86_64:
		return []byte{
			0xb8, 0x3c, 0, 0, 0, // mov eax, 60
			0xbf, 42, 0, 0, 0, // mov edi, 42
			0x0f, 0x05, // syscall
		}
	case elf.EM_386:
		return []byte{
			0xb8, 1, 0, 0, 0, // mov eax, 1
			0xbb, 42, 0, 0, 0, // mov ebx, 42
			0xcd, 0x80, // int 0x80
		}
	case elf.EM_AARCH64: // instructions are little endian in both byte orders
		return []byte{
			0x40, 0x05, 0x80, 0xd2, // mov x0, #42
			0xa8, 0x0b, 0x80, 0xd2, // mov x8, #93
			0x01, 0x00, 0x00, 0xd4, // svc #0
		}
	default: // Arm BE-8: instructions are little endian
		return []byte{
			0x2a, 0x00, 0xa0, 0xe3, // mov r0, #42
			0x01, 0x70, 0xa0, 0xe3, // mov r7, #1
			0x00, 0x00, 0x00, 0xef, // svc #0
		}
	}
}

// Exec returns a static program of one LOAD segment, without sections, that
// exits with status 42.
func Exec(k Kind) File {
	f := k.file(elf.ET_EXEC)
	code := k.exit42()
	head := uint64(ehsize64 + phentsize64)
	if k.Class == elf.ELFCLASS32 {
		head = ehsize32 + phentsize32
	}
	f.Entry = f.Base + head
	f.Segments = []Segment{{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Vaddr: f.Base,
		Filesz: head + uint64(len(code)), Memsz: head + uint64(len(code))}}
	f.Patch = []Patch{{head, code}}
	return f
}

// ExecSections returns the same program with sections, symbols, a build-id, a
// .bss and an overlay.
func ExecSections(k Kind) File {
	f := k.file(elf.ET_EXEC)
	f.EntryIn = ".text"
	f.Segments = []Segment{
		{Type: elf.PT_PHDR, Flags: elf.PF_R, Table: true},
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Whole: true},
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".data", ".bss"}},
		{Type: elf.PT_NOTE, Flags: elf.PF_R, Sections: []string{".note.gnu.build-id"}},
		{Type: elf.PT_GNU_STACK, Flags: elf.PF_R | elf.PF_W, Align: 16},
	}
	f.Sections = []Section{
		{Name: ".note.gnu.build-id", Flags: elf.SHF_ALLOC, Content: Notes{BuildID(1, 2, 3, 4, 5, 6, 7, 8)}},
		{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Align: 4, Data: k.exit42()},
		{Name: ".data", Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addr: f.Base + 0x200000, Align: 8, Data: []byte("data....")},
		{Name: ".bss", Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addr: f.Base + 0x200008, Align: 8, Size: 0x2000},
		{Name: ".comment", Flags: elf.SHF_MERGE | elf.SHF_STRINGS, Entsize: 1, Data: []byte("elftest\x00")},
		{Name: ".symtab", Content: Symbols{
			{Name: "start.s", Type: elf.STT_FILE, Index: elf.SHN_ABS},
			{Section: ".text", Type: elf.STT_SECTION},
			{Name: "_start", Section: ".text", Size: 12, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC},
			{Name: "buffer", Section: ".bss", Size: 0x2000, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT},
		}},
	}
	f.endFirstLoad(k)
	f.Overlay = []byte("an appended archive would be here")
	return f
}

// endFirstLoad ends the LOAD that begins with the headers behind .text; a Whole
// segment would run to the last allocated section.
func (f *File) endFirstLoad(k Kind) {
	n := f.offsetOf(".text") + uint64(len(k.exit42()))
	f.Segments[1].Filesz, f.Segments[1].Memsz = n, n
}

// offsetOf is where a section lands.
func (f File) offsetOf(key string) uint64 {
	b := newBuilder(f)
	b.place()
	return b.Off(key)
}

// Object returns a relocatable file with relocations, groups, both kinds of
// compressed sections, every special section index and an extended one.
func Object(k Kind) File {
	f := k.file(elf.ET_REL)
	_, absolute := k.relocTypes()
	name, rel := k.relocs([]Reloc{{Off: 0, Type: absolute, Sym: "foo"}, {Off: 8, Type: absolute, Sym: "bar", Addend: -4}})
	debug := make([]byte, 4096)
	copy(debug, "compressible")
	f.Sections = []Section{
		{Name: ".group", Content: Group{Flags: 1, Members: []string{".text.foo", name + ".text.foo"}, Signature: "foo"}},
		{Name: ".group", Key: "group 2", Content: Group{Flags: 1, Members: []string{".data.bar"}, Signature: "bar"}},
		{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Align: 4},
		{Name: ".text.foo", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR | elf.SHF_GROUP, Align: 4, Data: make([]byte, 16)},
		{Name: name + ".text.foo", Flags: elf.SHF_INFO_LINK | elf.SHF_GROUP, Info: ".text.foo", Content: rel},
		{Name: ".data.bar", Flags: elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_GROUP, Align: 8, Data: []byte("bar data")},
		{Name: ".bss", Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Align: 32, Size: 0x40},
		{Name: ".debug_info", Content: Compressed{Type: elf.COMPRESS_ZLIB, Of: Bytes(debug)}},
		{Name: ".debug_str", Flags: elf.SHF_MERGE | elf.SHF_STRINGS, Entsize: 1,
			Content: Compressed{Type: elf.COMPRESS_ZSTD, Of: Bytes(debug)}},
		{Name: ".note.GNU-stack"},
		{Name: ".symtab", Content: Symbols{
			{Name: "object.c", Type: elf.STT_FILE, Index: elf.SHN_ABS},
			{Section: ".text.foo", Type: elf.STT_SECTION},
			{Name: "local", Section: ".bss", Type: elf.STT_OBJECT, Size: 4},
			{Name: "foo", Section: ".text.foo", Bind: elf.STB_WEAK, Type: elf.STT_FUNC, Size: 16},
			{Name: "bar", Section: ".data.bar", Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Size: 8, Other: uint8(elf.STV_HIDDEN)},
			{Name: "far", Section: ".data.bar", Value: 4, Bind: elf.STB_GLOBAL, XIndex: true},
			{Name: "shared", Value: 16, Size: 64, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT, Index: elf.SHN_COMMON},
			{Name: "undefined", Bind: elf.STB_GLOBAL},
			{Name: "_ZN3foo3barEi", Section: ".text.foo", Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC},
		}},
		{Name: ".symtab_shndx", Content: SymbolIndexes{}},
	}
	return f
}

// Core returns a core file: notes of a thread and its process, memory, a
// mapping of which nothing was written. Its counts use extended numbering.
func Core(k Kind) File {
	f := k.file(elf.ET_CORE)
	f.Extended.Phnum = true
	regs := make([]uint64, map[elf.Machine]int{elf.EM_X86_64: 27, elf.EM_386: 17, elf.EM_AARCH64: 34, elf.EM_ARM: 18}[k.Machine])
	for i := range regs {
		regs[i] = 0x1000 + uint64(i)
	}
	env := Env{Class: k.Class, Order: k.Order}
	notes := Notes{
		Prstatus(4711, 11, regs...),
		Prpsinfo(4711, "victim", "./victim --now"),
		{Name: "CORE", Type: NT_CORE_SIGINFO, Desc: Bytes(make([]byte, 128))},
		Auxv(6, 4096, 9, 0x401000, 3, 0x400040),
		Files(4096, MappedFile{0x400000, 0x401000, 0, "/usr/bin/victim"}, MappedFile{0x500000, 0x502000, 1, "/usr/lib/libc.so.6"}),
		{Name: "LINUX", Type: NT_CORE_X86_XSTATE, Desc: Bytes(make([]byte, 64))},
		Prstatus(4712, 0, regs...),
	}.Encode(&env)
	page := make([]byte, 4096)
	copy(page, elf.ELFMAG)
	f.Segments = []Segment{
		{Type: elf.PT_NOTE, Data: notes, Align: 4},
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Vaddr: 0x400000, Data: page, Align: 4096},
		{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: 0x500000, Memsz: 0x2000, Align: 4096},
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Vaddr: 0x600000, Data: []byte("stack"), Memsz: 0x1000, Align: 4096},
	}
	f.Sections = []Section{{Name: "note0", Type: elf.SHT_NOTE, Off: ehsizeOf(k.Class) + 4*phentsizeOf(k.Class), Data: notes}}
	return f
}

func ehsizeOf(c elf.Class) uint64 {
	if c == elf.ELFCLASS32 {
		return ehsize32
	}
	return ehsize64
}

func phentsizeOf(c elf.Class) uint64 {
	if c == elf.ELFCLASS32 {
		return phentsize32
	}
	return phentsize64
}

// WellFormed yields good files of every kind.
func WellFormed() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, k := range Kinds() {
			for _, g := range goodFiles() {
				if !yield(fmt.Sprintf("%s-%s", g.name, k.Name), g.make(k).Bytes()) {
					return
				}
			}
		}
	}
}

type goodFile struct {
	name string
	make func(Kind) File
}

func goodFiles() []goodFile {
	return []goodFile{
		{"exec", Exec},
		{"sections", ExecSections},
		{"shared", Shared},
		{"object", Object},
		{"core", Core},
		{"no-section-headers", func(k Kind) File {
			f := Shared(k)
			f.NoSectionHeaders = true
			return f
		}},
		{"extended", func(k Kind) File {
			f := ExecSections(k)
			f.Extended = Extended{true, true, true}
			return f
		}},
		{"tables-at-end", func(k Kind) File {
			f := ExecSections(k)
			// In no LOAD, so there is no PT_PHDR: it may name mapped tables only.
			f.Segments[0] = Segment{}
			f.Phoff = 0x3000
			return f
		}},
		{"header-only", func(k Kind) File { return k.file(elf.ET_NONE) }},
		{"spare-headers", func(k Kind) File {
			f := ExecSections(k)
			f.Segments = append(f.Segments, make([]Segment, 4)...)
			f.endFirstLoad(k)
			return f
		}},
		{"vendor-types", func(k Kind) File {
			f := Exec(k)
			code := f.Patch[0].Bytes
			for _, t := range []elf.ProgType{0x65041580, 0x64c34001, 0x65770001, 0x70000001, 0x6ffffff0, 0x60000000} {
				f.Segments = append(f.Segments, Segment{Type: t, Data: []byte("vendor"), Align: 1})
			}
			end := ehsizeOf(k.Class) + uint64(len(f.Segments))*phentsizeOf(k.Class) + 6*8 + 8
			f.Patch[0] = Patch{end, code}
			f.Entry = f.Base + end
			f.Segments[0].Filesz, f.Segments[0].Memsz = end+uint64(len(code)), end+uint64(len(code))
			return f
		}},
	}
}

// Corpus yields good and malformed files of every kind, for fuzz seeds and for
// tests that run over all bad input.
func Corpus() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for name, data := range WellFormed() {
			if !yield(name, data) {
				return
			}
		}
		for name, data := range Malformed() {
			if !yield(name, data) {
				return
			}
		}
	}
}
