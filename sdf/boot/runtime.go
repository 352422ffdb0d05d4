package boot

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/sdf"
	"elfwright/sdf/desc"
)

// A runtime is a program of one segment, entered at its first byte, as
// Microkit's loader is.
type runtime struct {
	name   string
	format elffile.Format
	arch   elf.Machine
	load   image.Addr // physical
	size   uint64     // with its zeros
	bytes  elffile.Data
}

// endSymbol is where Microkit's loader, and a runtime, looks for the header.
const endSymbol = "_bss_end"

func readRuntime(f *elffile.File, arch desc.Arch) (*runtime, error) {
	fail := func(format string, args ...any) (*runtime, error) {
		return nil, fmt.Errorf("%s: "+format, append([]any{f.Name}, args...)...)
	}
	switch {
	case f.Class != elf.ELFCLASS64 || f.Big() || f.Header.Machine != sdf.ELFMachine(arch):
		return fail("it is no runtime for this board: e_machine is %s, and the board is %s", elffile.MachineName(f.Header.Machine), arch)
	case f.Header.Type != elf.ET_EXEC:
		return fail("e_type %s is no program that can be a runtime", elffile.TypeName(f.Header.Type))
	case f.ProgErr != nil:
		return nil, f.ProgErr
	}
	img := image.FromFile(f)
	if n := len(img.Segments); n != 1 {
		return fail("a runtime has one PT_LOAD, and this has %d", n)
	}
	s := &img.Segments[0]
	r := &runtime{name: f.Name, format: f.Format, arch: f.Header.Machine, load: s.Paddr, size: s.Memsz, bytes: s.Data}
	switch end := s.Range(); {
	case img.Entry != s.Vaddr && img.Entry != s.Paddr:
		return fail("e_entry %v is not the first byte of its segment, %v", img.Entry, end)
	case s.Memsz > maxRuntime || s.Filesz > s.Memsz || uint64(s.Data.Size()) != s.Filesz || !end.Valid():
		return fail("program header %d: p_filesz %#x, p_memsz %#x: a runtime has its bytes in the file, and at most %#x", s.Index, s.Filesz, s.Memsz, uint64(maxRuntime))
	case s.Memsz != up(s.Memsz):
		return fail("its segment ends at %v, which is no multiple of 16; the header begins there", end.End())
	}
	if at, ok := symbol(f, endSymbol); ok && at != uint64(s.Range().End()) {
		return fail("%s is %#x, and the header is looked for there, but its segment ends at %v", endSymbol, at, s.Range().End())
	}
	return r, nil
}

// maxRuntime bounds zeros that become bytes of the file.
const maxRuntime = 64 << 20

// symbol looks in the symbol table, if there is one.
func symbol(f *elffile.File, name string) (uint64, bool) {
	for i := range f.Sections() {
		if f.Sections()[i].Type != elf.SHT_SYMTAB {
			continue
		}
		t, err := f.SymbolTable(i)
		if err != nil {
			return 0, false
		}
		for j := 1; j < t.Len(); j++ {
			if s := t.At(j); string(t.Name(s)) == name {
				return s.Value, true
			}
		}
	}
	return 0, false
}

// file is the ELF file with one segment that has all of it, and a section, for
// boot loaders that ask for some.
func (r *runtime) file(b *elffile.Body) (*elffile.Body, error) {
	size := uint64(b.Size())
	img := &image.Image{Name: r.name, Format: r.format, Type: elf.ET_EXEC, Machine: r.arch, Entry: r.load,
		Segments: []image.Segment{{Vaddr: r.load, Paddr: r.load, Filesz: size, Memsz: size, Flags: allRights, Align: page,
			Data: b, Off: image.NoOffset, Index: image.NoIndex}}}
	img.Sections = []image.Section{{Name: ".boot", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR,
		Addr: r.load, Size: size, Align: page}}
	f, err := img.File()
	if err != nil {
		return nil, err
	}
	return f.Encode(), nil
}
