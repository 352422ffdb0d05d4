package write

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/link/model"
)

// place gives file offsets to the sections that are not loaded, behind all that
// are, and returns where they end. Layout has placed the loaded ones.
func (f *file) place() int64 {
	end := int64(f.EhdrSize() + len(f.segs)*f.PhdrSize())
	for _, out := range f.env.Outputs {
		if f.loaded(out) && hasBytes(out) {
			end = max(end, out.FileOff+int64(out.Size))
		}
	}
	for _, s := range f.segs {
		if s.Type == elf.PT_LOAD {
			end = max(end, int64(s.Off+s.Filesz))
		}
	}
	for _, out := range f.env.Outputs {
		if f.loaded(out) {
			continue
		}
		if !hasBytes(out) {
			out.FileOff = end
			continue
		}
		n, align := int64(out.Size), out.Align
		if m := f.made[out]; m.compressed {
			n, align = int64(len(m.b)), uint64(f.AddrSize())
		}
		out.FileOff = alignUp(end, align)
		end = out.FileOff + n
	}
	f.follow()
	return end
}

// loaded says whether layout has placed the section in the file.
func (f *file) loaded(out *model.Output) bool {
	return out.Flags&elf.SHF_ALLOC != 0 && !f.env.Opt.Relocatable
}

// follow moves the program headers of sections that are not loaded, such as
// PT_RISCV_ATTRIBUTES, to where they are now.
func (f *file) follow() {
	for _, s := range f.segs {
		if s.Type == elf.PT_LOAD || len(s.Sections) == 0 || f.loaded(s.Sections[0]) {
			continue
		}
		first, last := s.Sections[0], s.Sections[len(s.Sections)-1]
		s.Off = uint64(first.FileOff)
		s.Filesz = uint64(last.FileOff) + last.Size - s.Off
	}
}

// tables places the symbol table, the strings, and the section headers.
func (f *file) tables(end int64) {
	add := func(name string, s elffile.Section) {
		end = alignUp(end, s.Addralign)
		s.Off = uint64(end)
		end += int64(s.Size)
		f.names.add(name)
		f.extra = append(f.extra, extra{s, name})
	}
	put := func(s *elffile.Section) {
		end = alignUp(end, s.Addralign)
		s.Off, s.Link = uint64(end), uint32(f.regular)
		end += int64(s.Size)
	}
	for _, g := range f.groups {
		f.names.add(".group")
		f.describeGroup(g)
		put(&g.Section)
	}
	for _, out := range f.env.Outputs {
		f.names.add(out.Name)
		if r := f.relOf[out]; r != nil {
			f.names.add(r.name)
			r.Info = uint32(out.Index)
			if f.inGroup[out] {
				r.Flags |= uint64(elf.SHF_GROUP)
			}
			put(&r.Section)
		}
	}
	if f.hasSymtab() {
		f.syms = newSymtab(f)
		word, n := uint64(f.AddrSize()), uint64(f.syms.count)
		at := uint32(f.regular)
		strings := at + 1
		if f.syms.xindex {
			strings++
		}
		add(".symtab", elffile.Section{Type: elf.SHT_SYMTAB, Size: n * uint64(f.SymSize()), Link: strings,
			Info: uint32(f.syms.local), Addralign: word, Entsize: uint64(f.SymSize())})
		if f.syms.xindex {
			add(".symtab_shndx", elffile.Section{Type: elf.SHT_SYMTAB_SHNDX, Size: 4 * n, Link: at, Addralign: 4, Entsize: 4})
		}
		add(".strtab", elffile.Section{Type: elf.SHT_STRTAB, Size: uint64(f.syms.names), Addralign: 1})
	}
	f.names.add(".shstrtab")
	add(".shstrtab", elffile.Section{Type: elf.SHT_STRTAB, Size: uint64(len(f.names.b)), Addralign: 1})
	f.shoff = alignUp(end, uint64(f.AddrSize()))
	f.size = f.shoff + int64(f.count()*f.ShdrSize())
}

func alignUp(x int64, align uint64) int64 {
	if align <= 1 {
		return x
	}
	a := int64(align)
	return (x + a - 1) &^ (a - 1)
}
