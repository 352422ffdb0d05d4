package write

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// Relocatable is a machine whose relocations are not carried out, for -r: they
// go into the output. Only two things are done to the bytes. Where relocations
// have no addends (SHT_REL), one that is counted from the start of a section is
// changed in its place. And what told debuggers of something that is not in the
// output gets the value that says so.
func Relocatable(m *machine.Machine) model.Target { return relocatable{m} }

type relocatable struct{ m *machine.Machine }

func (t relocatable) Machine() *machine.Machine     { return t.m }
func (relocatable) Scan(*model.Env, *model.Section) {}
func (relocatable) Relax(*model.Env, int) bool      { return false }
func (relocatable) PLT(*model.Env) (none model.PLT) { return none }

func (t relocatable) Relocate(e *model.Env, s *model.Section, b []byte) {
	order := e.Order
	if s.Flags&elf.SHF_EXECINSTR != 0 {
		order = t.m.CodeOrder(e.Order)
	}
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if r.Off > uint64(len(b)) {
			continue // checked by the reader; records of .eh_frame may be cut
		}
		sym := s.Symbol(r)
		var a int64
		switch {
		case sym == nil || gone(sym):
			if _, ok := e.Refer(s, r); ok || s.Flags&elf.SHF_ALLOC != 0 {
				continue
			}
			a = int64(e.Tombstone(s))
			if !t.m.REL && a == 0 {
				continue
			}
		case !t.m.REL || !isSection(sym):
			continue
		default:
			if _, a = sectionPlace(sym, r); a == r.Addend {
				continue
			}
		}
		row := t.m.Relocs.Lookup(r.Type)
		if row != nil && row.Field == nil {
			continue
		}
		err := fmt.Errorf("relocation type %d is not known, and its addend has to be changed", r.Type)
		if row != nil {
			err = row.PutAddend(b[r.Off:], order, a)
		}
		if err != nil {
			e.Report.ErrorAt(s, r.Off, fmt.Errorf("against %s: %w", e.Report.Label(sym), err))
		}
	}
}

// isSection says whether a symbol is that of an input section.
func isSection(s *model.Symbol) bool {
	return s.Type == elf.STT_SECTION && s.Local && s.Sec != nil
}
