package sdf

import (
	"bytes"
	"debug/elf"
	"fmt"
	"unicode/utf8"

	"elfwright/elffile"
)

// Microkit's tool reads tables of an ELF file in place, as arrays of structures: it
// stops with a panic where they do not begin at a multiple of 8, where an entry has
// another size, and where a name is no text. These are warned of, for we can read
// such files (elf.rs and bytes_to_struct in util.rs of Microkit 2.3).

// acceptsImage says what of an image Microkit's tool cannot read.
func acceptsImage(f *elffile.File) (list []error) {
	h := &f.Header
	if h.Phoff%8 != 0 {
		list = append(list, f.HeaderError("e_phoff", "0x%x is no multiple of 8", h.Phoff))
	}
	if int(h.Phentsize) != f.PhdrSize() {
		list = append(list, f.HeaderError("e_phentsize", "%d is not %d", h.Phentsize, f.PhdrSize()))
	}
	for i := range f.Progs {
		p := &f.Progs[i]
		if size := uint64(f.Body.Size()); p.Type == elf.PT_LOAD && (p.Filesz > p.Memsz || p.Off > size || p.Filesz > size-p.Off) {
			list = append(list, fmt.Errorf("%s: program header %d: p_filesz 0x%x of p_memsz 0x%x at 0x%x is not in the file", f.Name, i, p.Filesz, p.Memsz, p.Off))
		}
	}
	return list
}

// acceptsSymbols says the same of a file with symbols.
func acceptsSymbols(f *elffile.File) (list []error) {
	h := &f.Header
	if h.Shoff%8 != 0 {
		list = append(list, f.HeaderError("e_shoff", "0x%x is no multiple of 8", h.Shoff))
	}
	if int(h.Shentsize) != f.ShdrSize() {
		list = append(list, f.HeaderError("e_shentsize", "%d is not %d", h.Shentsize, f.ShdrSize()))
	}
	index := symtab(f)
	if index < 0 {
		return list // there is an error already
	}
	s := &f.Sections()[index]
	if s.Off%8 != 0 {
		list = append(list, fmt.Errorf("%s: section %d, sh_offset: 0x%x is no multiple of 8", f.Name, index, s.Off))
	}
	t, err := f.SymbolTable(index)
	if err != nil {
		return append(list, err)
	}
	for i := range t.Len() {
		off := uint64(t.At(i).Name)
		rest := t.Strings[min(off, uint64(len(t.Strings))):]
		end := bytes.IndexByte(rest, 0)
		if end < 0 || !utf8.Valid(rest[:end]) {
			return append(list, fmt.Errorf("%s: section %d, symbol %d: its name at 0x%x is no text that ends with 0", f.Name, index, i, off))
		}
	}
	return list
}

// symtab is the index of the last SHT_SYMTAB, which Microkit's tool takes, or -1.
func symtab(f *elffile.File) int {
	table := -1
	for i := range f.Sections() {
		if f.Sections()[i].Type == elf.SHT_SYMTAB {
			table = i
		}
	}
	return table
}
