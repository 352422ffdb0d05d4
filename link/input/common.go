package input

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/link/model"
)

// common is a tentative definition (gABI, SHN_COMMON: st_value is its alignment).
// It gives way to a definition, beats a weak one, and of several the largest
// counts, with the strictest alignment.
func (l *loader) common(o *object, sym *model.Symbol, raw *elffile.Symbol, p place) {
	switch sym.State {
	case model.Defined:
		if !sym.Weak() || sym.Script {
			if l.opt.WarnCommon {
				l.rep.Warn(fmt.Errorf("%s: common of %s is overridden by the definition in %s", o.File, l.rep.Name(sym.Name), placeOf(sym.Obj, sym.Sec, sym.Value)))
			}
			sayMore(sym, raw.Type(), raw.Size)
			if sym.Script && sym.Obj == nil { // archives are asked all the same, as in GNU ld
				l.tentative[sym] = true
			}
			return
		}
	case model.Common:
		l.sameCommon(o, sym, raw, p)
		return
	}
	if sym.State == model.Undefined && sym.Bind == elf.STB_WEAK {
		l.news++
	}
	l.commons = append(l.commons, sym)
	sym.State, sym.Obj, sym.Sec, sym.Size, sym.Value = model.Common, o.Object, nil, raw.Size, l.commonAlign(o, sym, raw)
	sym.Bind, sym.Type, sym.Other, sym.Thumb = elf.STB_GLOBAL, raw.Type(), raw.Other&^3|o.variant(sym.Other), false
	sym.Large = p.large
}

// commonAlign is the alignment of a common symbol.
func (l *loader) commonAlign(o *object, sym *model.Symbol, raw *elffile.Symbol) uint64 {
	a := max(raw.Value, 1)
	if a&(a-1) != 0 || a > 1<<62 {
		l.rep.Error(&elffile.Error{File: o.File, Off: -1, Msg: fmt.Sprintf("common symbol %s: its alignment %#x is not a power of two", sym.Name, a)})
		return 1
	}
	return a
}

func (l *loader) sameCommon(o *object, sym *model.Symbol, raw *elffile.Symbol, p place) {
	if l.opt.WarnCommon {
		l.rep.Warn(fmt.Errorf("%s: multiple common of %s, of %d bytes; %s has it too, of %d bytes", o.File, l.rep.Name(sym.Name), raw.Size, sym.Obj.File, sym.Size))
	}
	sym.Value = max(sym.Value, l.commonAlign(o, sym, raw))
	if raw.Size > sym.Size {
		sym.Size, sym.Obj, sym.Large = raw.Size, o.Object, p.large
		if raw.Type() != elf.STT_NOTYPE {
			sym.Type = raw.Type()
		}
	}
}

// overCommon warns of a definition that overrides a common symbol.
func (l *loader) overCommon(o *object, sym *model.Symbol) {
	if l.opt.WarnCommon {
		l.rep.Warn(fmt.Errorf("%s: definition of %s overrides the common one in %s", o.File, l.rep.Name(sym.Name), sym.Obj.File))
	}
}

// commonKind is which section a common symbol goes to.
type commonKind uint8

const (
	plainCommon commonKind = iota
	largeCommon            // x86-64, the large model
	tlsCommon
)

func kindOfCommon(s *model.Symbol) commonKind {
	switch {
	case s.Type == elf.STT_TLS:
		return tlsCommon
	case s.Large:
		return largeCommon
	}
	return plainCommon
}

// allocateCommons gives each common symbol a place in a section of the object
// that has it: COMMON, LARGE_COMMON, .tcommon. Relocatable output keeps them
// common unless it is told to define them.
func (l *loader) allocateCommons() {
	if (l.opt.Relocatable && !l.opt.DefineCommon && !l.with.ForceCommon) || l.opt.NoDefineCommon || l.with.InhibitCommon {
		return
	}
	type key struct {
		obj  *model.Object
		kind commonKind
	}
	sections := map[key]*model.Section{}
	for _, sym := range l.sortedCommons() {
		k := key{sym.Obj, kindOfCommon(sym)}
		s := sections[k]
		if s == nil {
			s = newCommonSection(sym.Obj, k.kind)
			sections[k] = s
		}
		s.Align = max(s.Align, sym.Value)
		at := (s.Size + sym.Value - 1) &^ (sym.Value - 1)
		end := at + sym.Size
		if at < s.Size || end < at || end > 1<<62 || sym.Obj.Class == elf.ELFCLASS32 && end > 1<<32-1 {
			l.rep.Error(&elffile.Error{File: sym.Obj.File, Off: -1, Msg: fmt.Sprintf("common symbol %s: 0x%x bytes behind 0x%x others are more than the address space has", sym.Name, sym.Size, s.Size)})
			continue
		}
		s.Size = end
		sym.State, sym.Sec, sym.Value = model.Defined, s, at
		if sym.Type == elf.STT_NOTYPE || sym.Type == elf.STT_COMMON {
			sym.Type = elf.STT_OBJECT
		}
	}
}

func newCommonSection(o *model.Object, k commonKind) *model.Section {
	s := &model.Section{
		Obj: o, Name: "COMMON", Index: int32(len(o.Sections)), Type: elf.SHT_NOBITS,
		Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Align: 1, Live: true,
	}
	switch k {
	case largeCommon:
		s.Name, s.Flags = "LARGE_COMMON", s.Flags|shfX86Large
	case tlsCommon:
		s.Name, s.Flags = ".tcommon", s.Flags|elf.SHF_TLS
	}
	o.Sections = append(o.Sections, s)
	return s
}

const shfX86Large = elf.SectionFlag(0x10000000)

// sortedCommons are the symbols that are still common, in the order in which GNU
// ld places them: that of --sort-common, else that of its hash table.
func (l *loader) sortedCommons() []*model.Symbol {
	var list []*model.Symbol
	for _, s := range l.commons {
		if s.State == model.Common {
			list = append(list, s)
		}
	}
	list = model.HashOrder(list, int(l.order))
	switch l.opt.SortCommon {
	case "ascending":
		return byAlignment(list, 0, 1)
	case "descending":
		return byAlignment(list, 4, -1)
	}
	return list
}

// byAlignment sorts by alignment as GNU ld does: powers 0 to 4 alone are told
// apart, and what is stricter counts as the last.
func byAlignment(list []*model.Symbol, from, step int) (sorted []*model.Symbol) {
	power := func(s *model.Symbol) int {
		n := 0
		for a := s.Value; a > 1 && n < 4; a >>= 1 {
			n++
		}
		return n
	}
	for p := from; p >= 0 && p <= 4; p += step {
		for _, s := range list {
			if power(s) == p {
				sorted = append(sorted, s)
			}
		}
	}
	return sorted
}
