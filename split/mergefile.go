package split

import (
	"bytes"
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/match"
)

// maxNames bounds the section names that are added: they are the image's, and a
// hostile one has long ones.
const maxNames = 1 << 20

// finish appends bytes, names and the table.
func (m *merger) finish() (*elffile.Body, error) {
	names, err := m.nameTable()
	if err != nil {
		return nil, err
	}
	f := &elffile.File{Name: m.img.Name, Format: m.img.Format, Header: m.img.Header, Body: m.body, Progs: m.img.Progs}
	var table []elffile.Section
	for i := range m.table {
		s := &m.table[i]
		if i == m.shstr && i > 0 {
			s.data, s.Size = names, uint64(names.Size())
		}
		if s.data != nil && s.data.Size() > 0 {
			s.Off = m.append(s.data, s.Addralign)
		} else if i > 0 && !s.Has(elf.SHF_ALLOC) {
			s.Off = uint64(m.body.Size())
		}
		table = append(table, s.Section)
	}
	m.attributes(f)
	f.Header.Shoff = (uint64(m.body.Size()) + 7) &^ 7
	f.SetSections(table)
	if err := f.Renumber(uint32(m.shstr)); err != nil {
		return nil, err
	}
	body := f.Encode()
	m.overlay(body)
	return body, nil
}

// riscvAttributes is the type of both a section and the program header that names
// it, which is not loaded (RISC-V psABI, "Program Header Table").
const riscvAttributes = 0x70000003

// attributes leads PT_RISCV_ATTRIBUTES to its section, where the image's does not:
// eu-strip takes the section out and leaves the program header behind.
func (m *merger) attributes(f *elffile.File) {
	if f.Header.Machine != elf.EM_RISCV || len(m.byName) == 0 {
		return
	}
	i := slices.IndexFunc(m.table, func(s section) bool { return s.Type == riscvAttributes && s.data != nil })
	k := slices.IndexFunc(f.Progs, func(p elffile.Prog) bool { return p.Type == riscvAttributes })
	if i < 0 || k < 0 || f.Progs[k].Filesz != m.table[i].Size {
		return
	}
	off := f.Progs[k].Off
	if !slices.ContainsFunc(m.img.Sections(), func(s elffile.Section) bool { return s.Type == riscvAttributes && s.Off == off }) {
		f.Progs = slices.Clone(f.Progs)
		f.Progs[k].Off = m.table[i].Off
		m.change("PT_RISCV_ATTRIBUTES names its section again, which another tool had taken out")
	}
}

// append puts bytes behind the others.
func (m *merger) append(d elffile.Data, align uint64) uint64 {
	if align == 0 || align&(align-1) != 0 || align > maxAlign {
		align = 1
	}
	at := (uint64(m.body.Size()) + align - 1) &^ (align - 1)
	m.body.Put(int64(at), d)
	return at
}

// nameTable is the table of names of the file with symbols, with the new ones
// behind.
func (m *merger) nameTable() (elffile.Data, error) {
	names := &elffile.Body{}
	if m.shstr > 0 {
		s := m.syms.Sections()[m.table[m.shstr].was]
		names.Put(0, m.syms.Body.Window(int64(s.Off), int64(s.Size)))
		m.cutNames(names)
	} else {
		m.shstr = len(m.table)
		m.table = append(m.table, section{Section: elffile.Section{Type: elf.SHT_STRTAB, Addralign: 1}, name: ".shstrtab"})
		names.Put(0, elffile.Buffer{0})
	}
	more := []byte{0}
	for i := range m.table {
		s := &m.table[i]
		if s.was > 0 || i == 0 {
			continue
		}
		s.Name = uint32(names.Size()) + uint32(len(more))
		if more = append(append(more, s.name...), 0); len(more) > maxNames {
			return nil, refusef(m.img, "the names of its sections are longer than 0x%x bytes", maxNames)
		}
	}
	if len(more) > 1 {
		names.Put(names.Size(), elffile.Buffer(more))
	}
	return names, nil
}

// cutNames takes off what split has put behind the program's names.
func (m *merger) cutNames(names *elffile.Body) {
	for _, end := range []string{"\x00" + match.RecipeSection + "\x00.shstrtab\x00", "\x00" + match.RecipeSection + "\x00"} {
		at := names.Size() - int64(len(end))
		if at < 0 || m.table[m.shstr].name == ".shstrtab" && uint64(m.table[m.shstr].Name) >= uint64(at) {
			continue
		}
		buf := make([]byte, len(end))
		if _, err := names.ReadAt(buf, at); err == nil && bytes.Equal(buf, []byte(end)) {
			names.Truncate(at)
			return
		}
	}
}

// overlay puts bytes that ended the program, and no header names, at the end
// again.
func (m *merger) overlay(body *elffile.Body) {
	if m.recipe == nil || !m.intact || len(m.recipe.ranges) == 0 {
		return
	}
	last := m.recipe.ranges[len(m.recipe.ranges)-1]
	if last.from != fromSymbols || last.at < m.recipe.stored {
		return
	}
	at := body.Size()
	body.Put(at, m.syms.Body.Window(int64(last.at), int64(last.n)))
	m.change("0x%x bytes that no header names end the file again, at 0x%x and not at 0x%x", last.n, at, last.off)
}
