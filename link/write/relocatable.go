package write

import (
	"debug/elf"

	"elfwright/link/model"
)

// Relocatable is a machine whose relocations are not carried out, for -r: they
// go into the output. Where the form without addends (SHT_REL) is used, an addend
// that is counted from the start of a section has to be changed in its place.
func Relocatable(t model.Target) model.Target { return relocatable{t} }

type relocatable struct{ model.Target }

func (relocatable) Scan(*model.Env, *model.Section) {}
func (relocatable) Relax(*model.Env, int) bool      { return false }

// Relocate moves the addends of section symbols by the offset that the section
// has in the output.
func (t relocatable) Relocate(e *model.Env, s *model.Section, b []byte) {
	m := t.Machine()
	if !m.REL {
		return
	}
	order := e.Order
	if s.Flags&elf.SHF_EXECINSTR != 0 {
		order = m.CodeOrder(e.Order)
	}
	for i := range s.Relocs {
		r := &s.Relocs[i]
		sym := s.Symbol(r)
		if sym == nil || sym.Type != elf.STT_SECTION || !sym.Local || sym.Sec == nil || gone(sym) {
			continue
		}
		row := m.Relocs.Lookup(r.Type)
		if row == nil || row.Width() == 0 || r.Off > uint64(len(b)) {
			continue
		}
		_, a := sectionPlace(sym, r)
		if a == r.Addend {
			continue
		}
		if err := row.PutAddend(b[r.Off:], order, a); err != nil {
			e.Report.ErrorAt(s, r.Off, &model.RelocError{Name: row.Name, Symbol: sym, S: sym.Addr(), P: s.Addr(r.Off), Err: err})
		}
	}
}
