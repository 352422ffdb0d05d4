package elffile

import (
	"bytes"
	"debug/elf"
	"errors"
	"runtime"
	"testing"

	"elfwright/internal/elftest"
)

// bounded fails if fn allocates more than some MiB and a multiple of its input.
func bounded(t *testing.T, input int, fn func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20+uint64(input)*2000 {
		t.Errorf("0x%x bytes allocated for an input of 0x%x", used, input)
	}
}

// FuzzParse reads every view: no panic, bounded memory, errors with a place; and
// whatever is accepted encodes to the same bytes.
func FuzzParse(f *testing.F) {
	for _, data := range elftest.Corpus() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("fuzz", data)
		if err != nil {
			if file != nil {
				t.Error("both a file and an error")
			}
			checkPlaced(t, "fuzz", err)
			return
		}
		bounded(t, len(data), func() {
			v := &visitor{limit: 300, contents: 1 << 20}
			v.visit(file)
			for _, err := range v.errs {
				checkPlaced(t, "fuzz", err)
			}
		})
		if err := encoded(file, data); err != nil {
			t.Error(err)
		}
	})
}

// format makes one of the four formats from two bits.
func formatOf(bits byte) Format {
	return Format{elf.ELFCLASS32 + elf.Class(bits&1), elf.ELFDATA2LSB + elf.Data(bits>>1&1)}
}

// FuzzNotes: notes are in order, inside the input, and apart from padding they
// are all of it or there is an error.
func FuzzNotes(f *testing.F) {
	for _, data := range elftest.WellFormed() {
		file, err := Parse("", data)
		if err != nil {
			f.Fatal(err)
		}
		for i, p := range file.Progs {
			if b, _ := file.ProgData(i); p.Type == elf.PT_NOTE {
				f.Add(byte(file.Class-1)|byte(file.Data-1)<<1, uint64(p.Align), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, bits byte, align uint64, data []byte) {
		bounded(t, len(data), func() {
			notes, err := ParseNotes(formatOf(bits), data, 0, align)
			end := int64(0)
			for _, n := range notes {
				if n.Off < end || n.Off+12+int64(len(n.Desc)) > int64(len(data)) {
					t.Fatalf("note at 0x%x with 0x%x bytes, the one before ends at 0x%x of 0x%x", n.Off, len(n.Desc), end, len(data))
				}
				if len(n.Desc) > 0 && !bytes.Contains(data[n.Off:], n.Desc) {
					t.Fatal("a descriptor that is not in the input")
				}
				end = n.Off + 12 + int64(len(n.Desc))
			}
			if err == nil && len(data) >= 12 && len(notes) == 0 {
				t.Error("neither notes nor an error")
			}
			if _, ok := errors.AsType[*Error](err); err != nil && !ok {
				t.Errorf("not an *Error: %v", err)
			}
		})
	})
}

// hostileDynamic is a file whose one PT_LOAD has the input at address 0x1000, and
// a dynamic section with the given tags.
func hostileDynamic(bits byte, data []byte, tags ...elf.DynTag) *File {
	f := &File{Name: "fuzz", Format: formatOf(bits)}
	dyn := make([]byte, 0, 64)
	add := func(tag elf.DynTag, v uint64) {
		e := make([]byte, f.DynSize())
		f.PutAddr(e, uint64(tag))
		f.PutAddr(e[f.AddrSize():], v)
		dyn = append(dyn, e...)
	}
	for _, tag := range tags {
		add(tag, 0x1000)
	}
	add(elf.DT_STRTAB, 0x1000)
	add(elf.DT_STRSZ, uint64(len(data)))
	add(elf.DT_SYMTAB, 0x1000)
	add(elf.DT_VERNEEDNUM, 1<<20)
	add(elf.DT_VERDEFNUM, 1<<20)
	add(elf.DT_NULL, 0)
	f.Body = NewBody(Buffer(append(bytes.Clone(dyn), data...)))
	f.sectionsRead = true
	f.Progs = []Prog{
		{Type: elf.PT_LOAD, Off: uint64(len(dyn)), Vaddr: 0x1000, Filesz: uint64(len(data)), Memsz: uint64(len(data))},
		{Type: elf.PT_DYNAMIC, Filesz: uint64(len(dyn))},
	}
	return f
}

// sectionSeeds adds the bytes of the sections of good files.
func sectionSeeds(f *testing.F, types ...elf.SectionType) {
	for _, data := range elftest.WellFormed() {
		file, err := Parse("", data)
		if err != nil {
			f.Fatal(err)
		}
		for _, typ := range types {
			if i := file.SectionByType(typ); i >= 0 {
				b, _ := file.SectionData(i)
				f.Add(byte(file.Class-1)|byte(file.Data-1)<<1, b)
			}
		}
	}
}

// FuzzVersions takes the input as version needs, definitions, indices and names.
func FuzzVersions(f *testing.F) {
	sectionSeeds(f, elf.SHT_GNU_VERDEF, elf.SHT_GNU_VERNEED, elf.SHT_GNU_VERSYM)
	f.Fuzz(func(t *testing.T, bits byte, data []byte) {
		bounded(t, len(data), func() {
			for _, tag := range []elf.DynTag{elf.DT_VERNEED, elf.DT_VERDEF, elf.DT_VERSYM} {
				v, _ := hostileDynamic(bits, data, tag).Versions()
				v.Check()
				n := 0
				for i := range v.Needs {
					n += 1 + len(v.Needs[i].Aux)
				}
				for i := range v.Defs {
					n += 1 + len(v.Defs[i].Names)
				}
				if n > len(data)/verdauxSize+len(data)/verneedSize {
					t.Errorf("%d entries in 0x%x bytes", n, len(data))
				}
				for i := range min(v.Len(), 100) {
					x, _ := v.Symbol(i)
					v.Name(x)
				}
			}
		})
	})
}

// FuzzHash takes the input as a hash table of either kind, and as the symbols and
// names that it leads to.
func FuzzHash(f *testing.F) {
	sectionSeeds(f, elf.SHT_HASH, elf.SHT_GNU_HASH)
	f.Fuzz(func(t *testing.T, bits byte, data []byte) {
		bounded(t, len(data), func() {
			file := hostileDynamic(bits, data, elf.DT_HASH)
			if bits&4 != 0 {
				file.Header.Machine = elf.EM_S390
			}
			if h, _ := file.SysvHash(); h != nil {
				h.Lookup("printf")
				for b := range min(h.Buckets.Len(), 100) {
					chain, _ := h.Chain(b)
					n := 0
					for range chain {
						n++
					}
					if n > h.Chains.Len() {
						t.Errorf("a chain of %d in a table of %d", n, h.Chains.Len())
					}
				}
			}
			file = hostileDynamic(bits, data, elf.DT_GNU_HASH)
			if h, _ := file.GnuHash(); h != nil {
				h.Lookup("printf")
				for b := range min(h.Buckets.Len(), 100) {
					for x := range h.Chain(b) {
						if x >= h.Count() {
							t.Errorf("symbol %d of %d in a chain", x, h.Count())
						}
					}
				}
			}
		})
	})
}

// FuzzRelocs takes the input as packed relocations of each kind: Len, At and All
// agree.
func FuzzRelocs(f *testing.F) {
	for bits := range byte(4) {
		file := &File{Format: formatOf(bits)}
		f.Add(bits, encodeCrel(sampleRelocs(file, true)[:50], true, 0))
		f.Add(bits, encodeAndroid(file, sampleRelocs(file, true)[:50], androidAddend|androidByInfo))
	}
	sectionSeeds(f, shtRelr)
	f.Fuzz(func(t *testing.T, bits byte, data []byte) {
		bounded(t, len(data), func() {
			file := &File{Format: formatOf(bits)}
			for _, form := range []relocForm{formRelr, formCrel, formAndroidRel} {
				tab := &RelocTable{format: file.Format, Name: "fuzz"}
				size := max(1, file.relocSize(form))
				tab.set(file, form, data, size, len(data)/size, func(string, ...any) *Error { return &Error{} })
				(&visitor{limit: 3000}).relocs(tab)
			}
		})
	})
}

// FuzzArchive reads archives and their members.
func FuzzArchive(f *testing.F) {
	for _, data := range elftest.ArchiveCorpus() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, len(data), func() { visitArchive(t, "fuzz", data) })
	})
}

// FuzzUncompress takes the input as a compressed section with its header.
func FuzzUncompress(f *testing.F) {
	sectionSeedsNamed(f, ".debug_info", ".debug_str")
	f.Fuzz(func(t *testing.T, bits byte, data []byte) {
		file := &File{Name: "fuzz", Format: formatOf(bits), Body: NewBody(Buffer(data))}
		file.SetSections([]Section{{}, {Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_COMPRESSED), Size: uint64(len(data))}})
		bounded(t, len(data), func() {
			const limit = 1 << 20
			b, h, err := file.Uncompress(1, limit)
			if len(b) > limit+1 {
				t.Errorf("%d bytes, the limit is %d", len(b), limit)
			}
			if err == nil && len(data) > 0 && uint64(len(b)) != h.Size {
				t.Errorf("%d bytes, announced are %d, no error", len(b), h.Size)
			}
			if err != nil {
				checkPlaced(t, "fuzz", err)
			}
		})
	})
}

func sectionSeedsNamed(f *testing.F, names ...string) {
	for _, data := range elftest.WellFormed() {
		file, err := Parse("", data)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			if i := file.SectionByName(name); i >= 0 {
				b, _ := file.SectionData(i)
				f.Add(byte(file.Class-1)|byte(file.Data-1)<<1, b)
			}
		}
	}
}
