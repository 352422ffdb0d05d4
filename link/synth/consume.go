package synth

import (
	"errors"
	"strings"

	"elfwright/link/model"
)

// consume leaves out sections that speak to the linker: .note.GNU-stack, which
// layout reads, and the texts of .gnu.warning.
func (s *Set) consume() {
	for _, o := range s.env.Objects {
		for _, sec := range o.Sections {
			switch {
			case sec == nil:
			case sec.Name == ".note.GNU-stack":
				sec.Live, sec.Dropped = false, model.Excluded
			case sec.Name == ".gnu.warning":
				sec.Live, sec.Dropped = false, model.Excluded
				s.env.Report.Warn(errors.New(o.File + ": " + text(sec.Data)))
			case strings.HasPrefix(sec.Name, warning):
				sec.Live, sec.Dropped = false, model.Excluded
				s.warnings = append(s.warnings, sec)
			}
		}
	}
}

const warning = ".gnu.warning."

// text is a message as an object has it: up to a zero.
func text(b []byte) string {
	t, _, _ := strings.Cut(string(b), "\x00")
	return strings.TrimSpace(t)
}

// warn gives the message of each .gnu.warning.SYMBOL at the first place that
// refers to the symbol.
func (s *Set) warn() {
	for _, w := range s.warnings {
		sym := s.env.Table.Get(strings.TrimPrefix(w.Name, warning))
		if sym == nil {
			continue
		}
		if sec, off, ok := s.user(sym, w.Obj); ok {
			s.env.Report.WarnAt(sec, off, errors.New(text(w.Data)))
		}
	}
}

// user finds a live place that refers to a symbol, in an object that is not the
// one that warns.
func (s *Set) user(sym *model.Symbol, but *model.Object) (*model.Section, uint64, bool) {
	for _, o := range s.env.Objects {
		if o == but || !has(o, sym) {
			continue
		}
		for _, sec := range o.Sections {
			if sec == nil || !sec.Live || sec.Out == nil {
				continue
			}
			for i := range sec.Relocs {
				if sec.Symbol(&sec.Relocs[i]) == sym {
					return sec, sec.Relocs[i].Off, true
				}
			}
		}
	}
	return nil, 0, false
}

func has(o *model.Object, sym *model.Symbol) bool {
	for _, x := range o.Symbols[min(o.Locals, len(o.Symbols)):] {
		if x == sym {
			return true
		}
	}
	return false
}
