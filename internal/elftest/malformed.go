package elftest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"iter"
)

// badFile is a good file with some fields set, or changed as a whole.
type badFile struct {
	name   string
	from   func(Kind) File
	set    map[string]uint64
	change func(*File)
}

// badFiles are faults met in the wild or known to have broken readers, one each.
// Values wider than a field are cut to it, so "largest" is ^0 in every class.
func badFiles() []badFile {
	const all = ^uint64(0)
	const odd = all &^ 7
	return []badFile{
		// ELF header
		{name: "class-0", from: Exec, set: map[string]uint64{"ei_class": 0}},
		{name: "class-3", from: Exec, set: map[string]uint64{"ei_class": 3}},
		{name: "data-0", from: Exec, set: map[string]uint64{"ei_data": 0}},
		{name: "version-0", from: Exec, set: map[string]uint64{"ei_version": 0, "e_version": 0}},
		{name: "ehsize-0", from: Exec, set: map[string]uint64{"e_ehsize": 0}},
		{name: "phoff-past-end", from: Exec, set: map[string]uint64{"e_phoff": 0x10000000}},
		{name: "phoff-wraps", from: Exec, set: map[string]uint64{"e_phoff": odd}},
		{name: "phoff-on-header", from: Exec, set: map[string]uint64{"e_phoff": 0}},
		{name: "phnum-huge", from: Exec, set: map[string]uint64{"e_phnum": 0xfffe}},
		{name: "phnum-extended-without-sections", from: Exec, set: map[string]uint64{"e_phnum": pnXNum}},
		{name: "phentsize-1", from: Exec, set: map[string]uint64{"e_phentsize": 1}},
		{name: "phentsize-0", from: Exec, set: map[string]uint64{"e_phentsize": 0}},
		{name: "phentsize-large", from: Exec, set: map[string]uint64{"e_phentsize": 0xffff}},
		{name: "shoff-past-end", from: ExecSections, set: map[string]uint64{"e_shoff": 0x10000000}},
		{name: "shoff-wraps", from: ExecSections, set: map[string]uint64{"e_shoff": odd}},
		{name: "shoff-on-header", from: ExecSections, set: map[string]uint64{"e_shoff": 8}},
		{name: "shoff-0", from: ExecSections, set: map[string]uint64{"e_shoff": 0}},
		{name: "shnum-huge", from: ExecSections, set: map[string]uint64{"e_shnum": 0xfeff}},
		{name: "shnum-0-size-huge", from: ExecSections, set: map[string]uint64{"e_shnum": 0, "shdr[0].sh_size": all}},
		{name: "shnum-0-size-0", from: ExecSections, set: map[string]uint64{"e_shnum": 0}},
		{name: "shentsize-0", from: ExecSections, set: map[string]uint64{"e_shentsize": 0}},
		{name: "shentsize-large", from: ExecSections, set: map[string]uint64{"e_shentsize": 0xffff}},
		{name: "shstrndx-past-last", from: ExecSections, set: map[string]uint64{"e_shstrndx": 0xfe}},
		{name: "shstrndx-extended-huge", from: ExecSections, set: map[string]uint64{"e_shstrndx": shnXIndex, "shdr[0].sh_link": all}},
		{name: "shstrndx-no-strings", from: ExecSections, set: map[string]uint64{"e_shstrndx": 2}},
		{name: "shstrndx-nobits", from: ExecSections, set: map[string]uint64{"e_shstrndx": 4}},
		{name: "tables-on-each-other", from: ExecSections, set: map[string]uint64{"e_shoff": 64}},

		// program headers
		{name: "load-past-end", from: ExecSections, set: map[string]uint64{"phdr[2].p_offset": 0x7ffff000}},
		{name: "load-offset-wraps", from: ExecSections, set: map[string]uint64{"phdr[2].p_offset": all - 4}},
		{name: "load-filesz-huge", from: ExecSections, set: map[string]uint64{"phdr[2].p_filesz": all, "phdr[2].p_memsz": all}},
		{name: "load-filesz-above-memsz", from: ExecSections, set: map[string]uint64{"phdr[1].p_memsz": 1}},
		{name: "load-vaddr-wraps", from: ExecSections, set: map[string]uint64{"phdr[2].p_vaddr": all - 0xfff}},
		{name: "load-memsz-huge", from: ExecSections, set: map[string]uint64{"phdr[2].p_memsz": all >> 1}},
		{name: "loads-overlap", from: ExecSections, set: map[string]uint64{"phdr[2].p_vaddr": 0x400000}},
		{name: "loads-descend", from: ExecSections, set: map[string]uint64{"phdr[2].p_vaddr": 0x10000}},
		{name: "load-not-congruent", from: ExecSections, set: map[string]uint64{"phdr[2].p_vaddr": 0x600123}},
		{name: "load-align-3", from: ExecSections, set: map[string]uint64{"phdr[1].p_align": 3}},
		{name: "load-align-huge", from: ExecSections, set: map[string]uint64{"phdr[1].p_align": all}},
		{name: "load-empty", from: ExecSections, set: map[string]uint64{"phdr[2].p_filesz": 0, "phdr[2].p_memsz": 0}},
		{name: "phdr-elsewhere", from: ExecSections, set: map[string]uint64{"phdr[0].p_offset": 0x1000, "phdr[0].p_vaddr": 0}},
		{name: "phdr-twice", from: ExecSections, set: map[string]uint64{"phdr[3].p_type": uint64(elf.PT_PHDR)}},
		{name: "interp-without-end", from: ExecSections, set: map[string]uint64{"phdr[3].p_type": uint64(elf.PT_INTERP)}},
		{name: "interp-empty", from: ExecSections, set: map[string]uint64{"phdr[3].p_type": uint64(elf.PT_INTERP), "phdr[3].p_filesz": 0}},
		{name: "note-past-end", from: ExecSections, set: map[string]uint64{"phdr[3].p_filesz": 0x40000000}},
		{name: "tls-odd", from: Shared, set: map[string]uint64{"phdr[6].p_align": 7, "phdr[6].p_memsz": all}},
		{name: "dynamic-past-end", from: Shared, set: map[string]uint64{"phdr[2].p_offset": 0x7fffff00}},
		{name: "dynamic-odd-size", from: Shared, set: map[string]uint64{"phdr[2].p_filesz": 13}},

		// section headers
		{name: "section-past-end", from: ExecSections, set: map[string]uint64{"shdr[2].sh_offset": 0x7fffffff}},
		{name: "section-size-huge", from: ExecSections, set: map[string]uint64{"shdr[2].sh_size": all}},
		{name: "section-wraps", from: ExecSections, set: map[string]uint64{"shdr[2].sh_offset": all - 1, "shdr[2].sh_size": 16}},
		{name: "section-name-past-end", from: ExecSections, set: map[string]uint64{"shdr[2].sh_name": all}},
		{name: "section-entsize-0", from: ExecSections, set: map[string]uint64{"shdr[6].sh_entsize": 0}},
		{name: "section-entsize-1", from: ExecSections, set: map[string]uint64{"shdr[6].sh_entsize": 1}},
		{name: "section-align-3", from: ExecSections, set: map[string]uint64{"shdr[2].sh_addralign": 3}},
		{name: "symtab-links-itself", from: ExecSections, set: map[string]uint64{"shdr[6].sh_link": 6}},
		{name: "symtab-links-past-last", from: ExecSections, set: map[string]uint64{"shdr[6].sh_link": 0xffffff}},
		{name: "symtab-info-huge", from: ExecSections, set: map[string]uint64{"shdr[6].sh_info": all}},
		{name: "symtab-size-odd", from: ExecSections, set: map[string]uint64{"shdr[6].sh_size": 25}},
		{name: "sections-overlap", from: ExecSections, set: map[string]uint64{"shdr[3].sh_offset": 0x40, "shdr[2].sh_offset": 0x40}},
		{name: "strtab-without-end", from: ExecSections, set: map[string]uint64{"shdr[7].sh_size": 3}},

		// symbols and relocations
		{name: "symbol-name-past-end", from: ExecSections, set: map[string]uint64{".symtab[3].st_name": all}},
		{name: "symbol-section-past-last", from: ExecSections, set: map[string]uint64{".symtab[3].st_shndx": 0xfe00}},
		{name: "symbol-xindex-without-table", from: ExecSections, set: map[string]uint64{".symtab[3].st_shndx": shnXIndex}},
		{name: "symbol-xindex-past-last", from: Object, set: map[string]uint64{".symtab_shndx[6]": all}},
		{name: "symbol-xindex-short", from: Object, set: map[string]uint64{"shdr[12].sh_size": 4}},
		{name: "symbol-value-huge", from: ExecSections, set: map[string]uint64{".symtab[3].st_value": all, ".symtab[3].st_size": all}},
		{name: "reloc-symbol-past-last", from: Object, set: map[string]uint64{"shdr[5].sh_link": 11, "shdr[11].sh_size": 24}},
		{name: "reloc-target-past-last", from: Object, set: map[string]uint64{"shdr[5].sh_info": 0x1000}},
		{name: "reloc-target-itself", from: Object, set: map[string]uint64{"shdr[5].sh_info": 5}},
		{name: "relr-bitmap-first", from: Shared, set: map[string]uint64{".relr.dyn[0]": all}},

		// groups and compression
		{name: "group-contains-itself", from: Object, set: map[string]uint64{".group[1]": 1}},
		{name: "groups-contain-each-other", from: Object, set: map[string]uint64{".group[1]": 2, "section[2][1]": 1}},
		{name: "group-member-past-last", from: Object, set: map[string]uint64{".group[1]": all}},
		{name: "group-empty", from: Object, set: map[string]uint64{"shdr[1].sh_size": 0}},
		{name: "group-signature-past-last", from: Object, set: map[string]uint64{"shdr[1].sh_info": all}},
		{name: "compressed-size-huge", from: Object, set: map[string]uint64{".debug_info.ch_size": all >> 1}},
		{name: "compressed-size-small", from: Object, set: map[string]uint64{".debug_info.ch_size": 7}},
		{name: "compressed-size-large", from: Object, set: map[string]uint64{".debug_str.ch_size": 0x10000000}},
		{name: "compressed-type-unknown", from: Object, set: map[string]uint64{".debug_info.ch_type": 0x60000000}},
		{name: "compressed-align-3", from: Object, set: map[string]uint64{".debug_info.ch_addralign": 3}},
		{name: "compressed-header-cut", from: Object, set: map[string]uint64{"shdr[8].sh_size": 5}},
		{name: "compressed-stream-cut", from: Object, set: map[string]uint64{"shdr[8].sh_size": 30}},
		{name: "compressed-zstd-as-zlib", from: Object, set: map[string]uint64{".debug_str.ch_type": uint64(elf.COMPRESS_ZLIB)}},

		// dynamic section, versions, hash tables, notes
		{name: "dynamic-without-end", from: Shared, set: map[string]uint64{".dynamic[23].d_tag": 0x1d}},
		{name: "dynamic-strtab-nowhere", from: Shared, set: map[string]uint64{".dynamic[10].d_val": all - 8}},
		{name: "dynamic-strsz-huge", from: Shared, set: map[string]uint64{".dynamic[12].d_val": all}},
		{name: "dynamic-name-past-end", from: Shared, set: map[string]uint64{".dynamic[3].d_val": all}},
		{name: "verdef-next-0-loop", from: Shared, set: map[string]uint64{".gnu.version_d[1].vd_next": 0xffffffff - verdefSize - verdauxSize + 1}},
		{name: "verdef-next-past-end", from: Shared, set: map[string]uint64{".gnu.version_d[0].vd_next": 0x7fffffff}},
		{name: "verdef-aux-loop", from: Shared, set: map[string]uint64{".gnu.version_d[2].aux[0].vda_next": 0xfffffff8, ".gnu.version_d[2].vd_cnt": 0xffff}},
		{name: "verdef-count-huge", from: Shared, set: map[string]uint64{"shdr[10].sh_info": all}},
		{name: "verneed-next-itself", from: Shared, set: map[string]uint64{".gnu.version_r[0].vn_next": 1, "shdr[11].sh_info": all}},
		{name: "verneed-aux-past-end", from: Shared, set: map[string]uint64{".gnu.version_r[0].vn_aux": 0xfffffff0}},
		{name: "versym-index-unknown", from: Shared, set: map[string]uint64{".gnu.version[2]": 0x7ffe}},
		{name: "hash-no-buckets", from: Shared, set: map[string]uint64{".hash.nbucket": 0}},
		{name: "hash-buckets-huge", from: Shared, set: map[string]uint64{".hash.nbucket": all, ".hash.nchain": all}},
		{name: "hash-chain-loop", from: Shared, set: map[string]uint64{".hash.chain[1]": 1, ".hash.bucket[0]": 1}},
		{name: "gnu-hash-no-buckets", from: Shared, set: map[string]uint64{".gnu.hash.nbucket": 0}},
		{name: "gnu-hash-buckets-huge", from: Shared, set: map[string]uint64{".gnu.hash.nbucket": all}},
		{name: "gnu-hash-bloom-0", from: Shared, set: map[string]uint64{".gnu.hash.bloomsize": 0}},
		{name: "gnu-hash-bloom-huge", from: Shared, set: map[string]uint64{".gnu.hash.bloomsize": all}},
		{name: "gnu-hash-offset-past-last", from: Shared, set: map[string]uint64{".gnu.hash.symoffset": all}},
		{name: "gnu-hash-bucket-below-offset", from: Shared, set: map[string]uint64{".gnu.hash.bucket[0]": 0, ".gnu.hash.bucket[1]": 1}},
		{name: "gnu-hash-chains-without-end", from: Shared, set: map[string]uint64{
			".gnu.hash.chain[0]": 2, ".gnu.hash.chain[1]": 2, ".gnu.hash.chain[2]": 2, ".gnu.hash.chain[3]": 2}},
		{name: "note-name-huge", from: Shared, set: map[string]uint64{".note.ABI-tag[0].n_namesz": 0xffffffff}},
		{name: "note-desc-huge", from: Shared, set: map[string]uint64{".note.ABI-tag[0].n_descsz": 0xfffffffd}},
		{name: "note-sizes-wrap", from: Shared, set: map[string]uint64{".note.ABI-tag[0].n_namesz": 0xfffffffc, ".note.ABI-tag[0].n_descsz": 0xfffffffc}},
		{name: "property-size-huge", from: Shared, change: func(f *File) {
			f.Sections[0].Content = Notes{{Name: "GNU", Type: NT_GNU_PROPERTY, Desc: Words{PropertyX86Feature1, 0xffffffff, 3, 0}}}
		}},
		{name: "package-no-json", from: Shared, change: func(f *File) { f.Sections[2].Content = Notes{Packaging(`{"type":`)} }},
		{name: "core-files-count-huge", from: Core, change: func(f *File) { f.Segments[0].Data = hugeFiles(f) }},

		// whole file
		{name: "cut-in-section-headers", from: ExecSections, change: func(f *File) { f.Overlay = nil; f.Truncate = -70 }},
		{name: "cut-in-first-load", from: ExecSections, change: func(f *File) { f.Truncate = 0x200 }},
		{name: "cut-in-program-headers", from: ExecSections, change: func(f *File) { f.Truncate = 100 }},
		{name: "cut-in-header", from: ExecSections, change: func(f *File) { f.Truncate = 40 }},
		{name: "cut-in-ident", from: ExecSections, change: func(f *File) { f.Truncate = 9 }},
	}
}

// hugeFiles is a CORE file note that claims more mappings than it has.
func hugeFiles(f *File) []byte {
	env := Env{Class: f.Class, Order: f.Order}
	return Notes{{Name: "CORE", Type: NT_CORE_FILE, Desc: Addrs{^uint64(0) >> 1, 4096, 1, 2, 3}}}.Encode(&env)
}

// Malformed yields files with one fault each, of every kind, and some that are
// no ELF file at all.
func Malformed() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, b := range badFiles() {
			for _, k := range Kinds() {
				f := b.from(k)
				f.Set = b.set
				if b.change != nil {
					b.change(&f)
				}
				if !yield(fmt.Sprintf("%s-%s", b.name, k.Name), f.Bytes()) {
					return
				}
			}
		}
		for _, n := range notELF() {
			if !yield(n.name, n.data) {
				return
			}
		}
	}
}

type blob struct {
	name string
	data []byte
}

func notELF() []blob {
	return []blob{
		{"empty", nil},
		{"text", []byte("#!/bin/sh\necho hello\n")},
		{"zeros", make([]byte, 4096)},
		{"magic-and-ones", append([]byte(elf.ELFMAG), bytes.Repeat([]byte{0xff}, 200)...)},
		{"magic-and-zeros", append([]byte(elf.ELFMAG), make([]byte, 200)...)},
		{"magic-only", []byte(elf.ELFMAG)},
		{"magic-later", append(make([]byte, 64), elf.ELFMAG...)},
	}
}

// ArchiveCorpus yields good and malformed archives. The members of the good ones
// are [Object] files.
func ArchiveCorpus() iter.Seq2[string, []byte] {
	obj := Object(Kinds()[0]).Bytes()
	odd := append(bytes.Clone(obj), 0)
	good := Archive{Index: Index32, Members: []Member{
		{Name: "a.o", Data: obj, Symbols: []string{"foo", "bar"}},
		{Name: "a-very-long-member-name.o", Data: odd, Symbols: []string{"baz"}},
		{Name: "empty"},
	}}
	with := func(change func(*Archive)) []byte {
		a := good
		change(&a)
		return a.Bytes()
	}
	patch := func(off uint64, s string) []byte {
		return with(func(a *Archive) { a.Patch = []Patch{{off, []byte(s)}} })
	}
	// Offsets in the first header, which is the index's.
	const nameAt, sizeAt, endAt, indexAt = 8, 8 + 48, 8 + 58, 8 + 60
	list := []blob{
		{"ar-gnu", good.Bytes()},
		{"ar-sym64", with(func(a *Archive) { a.Index = Index64 })},
		{"ar-bsd", with(func(a *Archive) { a.Names, a.Index = BSDNames, IndexBSD })},
		{"ar-thin", with(func(a *Archive) { a.Thin = true })},
		{"ar-no-index", with(func(a *Archive) { a.Index = NoIndex })},
		{"ar-empty", Archive{}.Bytes()},
		{"ar-nested", Archive{Members: []Member{{Name: "inner.a", Data: good.Bytes()}}}.Bytes()},
		{"ar-magic-cut", []byte(arMagic[:5])},
		{"ar-header-cut", with(func(a *Archive) { a.Truncate = 8 + 30 })},
		{"ar-member-cut", with(func(a *Archive) { a.Truncate = -500 })},
		{"ar-size-not-a-number", patch(sizeAt, "abc       ")},
		{"ar-size-negative", patch(sizeAt, "-1        ")},
		{"ar-size-huge", patch(sizeAt, "9999999999")},
		{"ar-size-blank", patch(sizeAt, "          ")},
		{"ar-header-end-wrong", patch(endAt, "xx")},
		{"ar-index-count-huge", patch(indexAt, "\xff\xff\xff\xff")},
		{"ar-index-offset-past-end", patch(indexAt+4, "\x7f\xff\xff\xff")},
		{"ar-name-past-table", bytes.Replace(good.Bytes(), []byte("/0              "), []byte("/99999          "), 1)},
		{"ar-name-negative", bytes.Replace(good.Bytes(), []byte("/0              "), []byte("/-5             "), 1)},
		{"ar-name-without-table", bytes.Replace(good.Bytes(), []byte("//              "), []byte("other/          "), 1)},
		{"ar-bsd-name-longer-than-member", patch(nameAt, "#1/99999999     ")},
		{"ar-two-indexes", append(good.Bytes(), good.Bytes()[8:]...)},
		{"ar-junk-behind", append(good.Bytes(), "junk"...)},
	}
	return func(yield func(string, []byte) bool) {
		for _, b := range list {
			if !yield(b.name, b.data) {
				return
			}
		}
	}
}
