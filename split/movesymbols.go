package split

import (
	"debug/elf"

	"elfwright/elffile"
)

// moveSymbols gives symbols of sections that the image has elsewhere their
// address there.
func (m *merger) moveSymbols() error {
	moved := make(map[uint32]uint64)
	for i := range m.table {
		if s := &m.table[i]; s.moved != 0 {
			moved[uint32(s.was)] = s.moved
		}
	}
	if len(moved) == 0 {
		return nil
	}
	for i := range m.table {
		if s := &m.table[i]; s.was > 0 && s.Type == elf.SHT_SYMTAB && s.data != nil {
			if err := m.moveTable(s, moved); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveTable puts a copy of a symbol table in its place.
func (m *merger) moveTable(s *section, moved map[uint32]uint64) error {
	t, err := m.syms.SymbolTable(s.was)
	if err != nil {
		return err
	}
	if s.Entsize != uint64(m.syms.SymSize()) {
		return m.syms.SectionError(s.was, "sh_entsize", "%d is not the size of a symbol (%d), and symbols have to move", s.Entsize, m.syms.SymSize())
	}
	b := make([]byte, s.data.Size())
	if n, err := s.data.ReadAt(b, 0); n < len(b) {
		return err
	}
	for i := range t.Len() {
		sym := t.At(i)
		by, ok := moved[t.Section(i)]
		if !ok || sym.Shndx >= elffile.ShnLoReserve && sym.Shndx != elffile.ShnXindex || sym.Type() == elf.STT_TLS {
			continue
		}
		sym.Value = (sym.Value + by) & m.syms.MaxAddr()
		copy(b[i*m.syms.SymSize():], sym.Encode(m.syms.Format))
	}
	s.data = elffile.Buffer(b)
	return nil
}
