package show

import (
	"bytes"
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
)

// showNM prints the symbols as nm does: sorted by name, without sections, files
// and the marks of code and data; of the dynamic table if --dyn-syms is given.
func showNM(p *printer) {
	dynamic := p.opt.views()&DynSyms != 0
	var t *symbolTable
	for _, st := range p.symbolTables(dynamic) {
		if dynamic || st.Index >= 0 && p.f.Sections()[st.Index].Type == elf.SHT_SYMTAB {
			t = st
			break
		}
	}
	if t == nil || t.Len() <= 1 {
		p.remark("no symbols")
		return
	}
	r := &nmRow{symbolRow: newSymbolRow(t)}
	list := r.sorted()
	if p.t != nil {
		p.gap()
	}
	arm := p.f.Header.Machine == elf.EM_ARM
	for _, s := range list {
		r.read(int(s.i))
		r.letter = r.class()
		if t := r.Type(); arm && (t == elf.STT_FUNC || t == elf.STT_GNU_IFUNC) {
			r.Value &^= 1 // it says Thumb, and is no part of the address
		}
		p.row(r)
	}
}

// nmRow is a symbol with its letter.
type nmRow struct {
	*symbolRow
	letter byte
}

// nmName is a symbol's name and index.
type nmName struct {
	name []byte
	i    int32
}

// sorted returns the symbols that nm prints, by name; those of equal names as in
// the file.
func (r *nmRow) sorted() []nmName {
	t, p := r.table, r.table.p
	list := make([]nmName, 0, t.Len())
	for i := 1; i < t.Len(); i++ {
		s := t.At(i)
		if s.Type() == elf.STT_SECTION || s.Type() == elf.STT_FILE {
			continue
		}
		name := p.cstring(t.Strings, uint64(s.Name))
		if !isMark(p.f.Header.Machine, name) {
			list = append(list, nmName{name, int32(i)})
		}
	}
	slices.SortFunc(list, func(a, b nmName) int {
		if c := bytes.Compare(a.name, b.name); c != 0 {
			return c
		}
		return cmp.Compare(a.i, b.i)
	})
	return list
}

// isMark says whether a symbol only marks where code and data begin (ELF for
// the Arm Architecture, "Mapping symbols"; the same for AArch64 and RISC-V), or
// is one of the labels that a RISC-V assembler needs for its relocations
// (binutils, riscv_elf_is_target_special_symbol).
func isMark(m elf.Machine, name []byte) bool {
	var letters string
	switch m {
	case elf.EM_ARM:
		letters = "atdbfpm"
	case elf.EM_AARCH64:
		letters = "xdmfp"
	case elf.EM_RISCV:
		if len(name) == 0 || bytes.HasPrefix(name, []byte(".L")) || bytes.HasPrefix(name, []byte("..")) {
			return true
		}
		letters = "xd"
	default:
		return false
	}
	if len(name) < 2 || name[0] != '$' || strings.IndexByte(letters, name[1]) < 0 {
		return false
	}
	return len(name) == 2 || name[2] == '.' || m == elf.EM_RISCV && name[1] == 'x'
}

// class is nm's letter, by the rules of bfd_decode_symclass in binutils'
// bfd/syms.c.
func (r *nmRow) class() byte {
	weak, object := r.Bind() == elf.STB_WEAK, r.Type() == elf.STT_OBJECT || r.Type() == elf.STT_COMMON
	switch {
	case r.Shndx == uint16(elf.SHN_COMMON) || r.Type() == elf.STT_COMMON && r.reserved() && r.Shndx != 0:
		return 'C'
	case r.Shndx == 0 && weak && object:
		return 'v'
	case r.Shndx == 0 && weak:
		return 'w'
	case r.Shndx == 0:
		return 'U'
	case r.Type() == elf.STT_GNU_IFUNC:
		return 'i'
	case weak && object:
		return 'V'
	case weak:
		return 'W'
	case r.Bind() == stbGnuUnique:
		return 'u'
	case r.Bind() != elf.STB_LOCAL && r.Bind() != elf.STB_GLOBAL:
		return '?'
	}
	c := byte('a')
	if sections := r.table.p.f.Sections(); !r.reserved() && int64(r.section) < int64(len(sections)) && !isBookkeeping(&sections[r.section]) {
		c = sectionClass(&sections[r.section], r.table.p.sectionName(int(r.section)))
	}
	if r.Bind() == elf.STB_GLOBAL && c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

const stbGnuUnique = elf.SymBind(10)

// isBookkeeping says whether a section is one of the file's own tables, which to
// nm are no sections: what mold puts there is absolute to it.
func isBookkeeping(s *elffile.Section) bool {
	return s.Type == elf.SHT_SYMTAB || s.Type == elf.SHT_STRTAB && !s.Has(elf.SHF_ALLOC)
}

// sectionClass is the letter for symbols in a section.
func sectionClass(s *elffile.Section, name string) byte {
	for _, e := range []struct {
		prefix string
		letter byte
	}{{".drectve", 'i'}, {".edata", 'e'}, {".idata", 'i'}, {".pdata", 'p'}} {
		if rest, ok := strings.CutPrefix(name, e.prefix); ok && (rest == "" || strings.IndexByte(".$0123456789", rest[0]) >= 0) {
			return e.letter
		}
	}
	alloc, readonly, bits := s.Has(elf.SHF_ALLOC), !s.Has(elf.SHF_WRITE), s.Type != elf.SHT_NOBITS
	switch {
	case s.Has(elf.SHF_EXECINSTR):
		return 't'
	case alloc && bits && readonly:
		return 'r'
	case alloc && bits:
		return 'd'
	case !bits:
		return 'b'
	case isDebugSection(name) && !alloc:
		return 'N'
	case readonly:
		return 'n'
	}
	return '?'
}

// isDebugSection tells sections of debugging information by their names, as
// BFD does (_bfd_elf_make_section_from_shdr).
func isDebugSection(name string) bool {
	for _, p := range []string{".debug", ".gnu.debuglto_.debug_", ".gnu.linkonce.wi.", ".zdebug", ".line", ".stab"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return name == ".gdb_index"
}

func (r *nmRow) text(t *text) {
	switch {
	case r.Shndx == 0:
		t.space(r.wide)
	case r.letter == 'C':
		t.hex(r.Size, r.wide)
	default:
		t.hex(r.Value, r.wide)
	}
	t.b = append(t.b, ' ', r.letter, ' ')
	r.table.p.symbolText(t, r.name)
	r.version.suffix(t)
	t.nl()
}

func (r *nmRow) json(o *object) {
	o.str("class", string(rune(r.letter)))
	r.symbolRow.json(o)
}
