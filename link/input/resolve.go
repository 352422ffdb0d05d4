package input

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// dedupe drops what an earlier object has: groups of the same signature, and
// .gnu.linkonce sections of the same name. A group of one section and a
// .gnu.linkonce section may stand for each other, if they define the same symbols
// (GNU ld, _bfd_elf_section_already_linked).
func (l *loader) dedupe(o *object) {
	for _, g := range o.groups {
		switch {
		case !g.Comdat:
		case g.slot.group != nil:
			g.drop()
		case len(g.Members) == 1 && l.sameOnce(g.slot, g.Members[0]):
			g.drop()
		default:
			g.slot.group = &g.Group
		}
	}
	for i := range o.once {
		l.dedupeOnce(&o.once[i])
	}
}

func (g *group) drop() {
	for _, s := range g.Members {
		s.Live, s.Dropped = false, model.Duplicate
	}
}

func (l *loader) sameOnce(t *slot, s *model.Section) bool {
	for _, x := range t.once {
		if l.sameSymbols(x, s) {
			return true
		}
	}
	return false
}

func (l *loader) dedupeOnce(x *once) {
	if x.sec.Group != nil {
		return
	}
	drop := false
	for _, s := range x.slot.once {
		drop = drop || s.Name == x.sec.Name
		// Data of a function of g++ 3.4, whose code was dropped.
		drop = drop || s.Obj != x.sec.Obj && strings.HasPrefix(s.Name, ".gnu.linkonce.t.") && strings.HasPrefix(x.sec.Name, ".gnu.linkonce.r.")
	}
	if g := x.slot.group; g != nil && len(g.Members) == 1 {
		drop = drop || l.sameSymbols(g.Members[0], x.sec)
	}
	if drop {
		x.sec.Live, x.sec.Dropped = false, model.Duplicate
		return
	}
	x.slot.once = append(x.slot.once, x.sec)
}

// sameSymbols says whether two sections define the same symbols.
func (l *loader) sameSymbols(a, b *model.Section) bool {
	x, y := l.symbolsIn(a), l.symbolsIn(b)
	if len(x) == 0 || len(x) != len(y) {
		return false
	}
	for name := range x {
		if !y[name] {
			return false
		}
	}
	return true
}

func (l *loader) symbolsIn(s *model.Section) map[string]bool {
	names := map[string]bool{}
	o := l.objectOf(s.Obj)
	if o == nil || o.symtab == nil {
		return names
	}
	for i := 1; i < o.symtab.Len(); i++ {
		raw := o.symtab.At(i)
		if raw.Type() == elf.STT_SECTION {
			continue
		}
		if p, ok := o.place(i, &raw); ok && p.sec == s {
			name, _ := stringAt(o.symtab.Strings, raw.Name)
			names[name] = true
		}
	}
	return names
}

// objectOf finds a loaded object.
func (l *loader) objectOf(o *model.Object) *object {
	if i := int(o.Rank) - 1; i >= 0 && i < len(l.objects) && l.objects[i].Object == o {
		return l.objects[i]
	}
	return nil
}

// resolve puts an object's global symbols to those of the objects before it.
func (l *loader) resolve(o *object) {
	if o.symtab == nil {
		return
	}
	for i := max(o.Locals, 1); i < len(o.Symbols); i++ {
		sym := o.Symbols[i]
		if sym == nil {
			continue
		}
		raw := o.symtab.At(i)
		p, _ := o.place(i, &raw)
		if p.sec != nil && !p.sec.Live && p.sec.Dropped == model.Duplicate {
			p = place{} // another object defines it: it is a reference to that
		}
		l.meet(sym)
		sym.Vis = stricter(sym.Vis, raw.Visibility())
		sym.Other |= o.variant(raw.Other)
		l.tell(o, sym, p)
		switch {
		case p.undefined():
			l.undefined(o, sym, &raw)
		case p.shndx == elf.SHN_COMMON:
			l.common(o, sym, &raw, p)
		default:
			l.define(o, sym, &raw, p)
		}
	}
	for _, i := range o.versioned {
		l.version(o, int(i))
	}
}

// meet gives a symbol its number when it is seen first.
func (l *loader) meet(sym *model.Symbol) {
	if sym.Order == 0 {
		l.order++
		sym.Order = l.order
		sym.Bind = elf.STB_WEAK // until a reference says more
	}
}

// variant is the bit of st_other that says how a function is called: it counts
// wherever the symbol is named.
func (o *object) variant(other uint8) uint8 {
	if o.Machine == elf.EM_AARCH64 || o.Machine == elf.EM_RISCV {
		return other & model.OtherVariant
	}
	return 0
}

// stricter is the more constraining of two visibilities (gABI, st_other).
func stricter(a, b elf.SymVis) elf.SymVis {
	switch {
	case a == elf.STV_DEFAULT:
		return b
	case b == elf.STV_DEFAULT:
		return a
	}
	return min(a, b)
}

// undefined is a reference.
func (l *loader) undefined(o *object, sym *model.Symbol, raw *elffile.Symbol) {
	if sym.State != model.Undefined {
		if sym.State == model.Defined {
			sayMore(sym, raw.Type(), 0)
		}
		return
	}
	if sym.Obj == nil {
		sym.Obj = o.Object
	}
	if sym.Type == elf.STT_NOTYPE {
		sym.Type = raw.Type()
	}
	if raw.Bind() != elf.STB_WEAK && sym.Bind == elf.STB_WEAK {
		sym.Bind = elf.STB_GLOBAL
		l.news++
	}
}

// define is a definition.
func (l *loader) define(o *object, sym *model.Symbol, raw *elffile.Symbol, p place) {
	weak := raw.Bind() == elf.STB_WEAK
	switch sym.State {
	case model.Defined:
		switch {
		case sym.Script:
			if sym.Obj != nil || sym.Provide {
				return
			}
			take(o, sym, raw, p) // for expressions that ask for it
			sym.Script = p.sec != nil
			return
		case weak:
			return
		case !sym.Weak():
			l.duplicate(o, sym, raw, p)
			return
		}
	case model.Common:
		if weak {
			return
		}
		l.overCommon(o, sym)
	}
	take(o, sym, raw, p)
}

// take makes an object's definition the symbol's. The type and the size that it
// does not say stay as those before it said them.
func take(o *object, sym *model.Symbol, raw *elffile.Symbol, p place) {
	typ, size := sym.Type, sym.Size
	sym.State, sym.Obj, sym.Sec, sym.Value = model.Defined, o.Object, p.sec, raw.Value
	sym.Bind, sym.Other, sym.Thumb, sym.Type, sym.Size = raw.Bind(), raw.Other&^3|o.variant(sym.Other), false, raw.Type(), raw.Size
	o.thumb(sym)
	sayMore(sym, typ, size)
}

// sayMore gives a symbol the type and the size that its definition does not say.
func sayMore(sym *model.Symbol, typ elf.SymType, size uint64) {
	if sym.Type == elf.STT_NOTYPE && typ != elf.STT_GNU_IFUNC {
		sym.Type = typ
	}
	if sym.Size == 0 {
		sym.Size = size
	}
}

// duplicate reports a second strong definition. Twice the same number is none.
func (l *loader) duplicate(o *object, sym *model.Symbol, raw *elffile.Symbol, p place) {
	if l.opt.AllowMultiple || sym.Sec == nil && p.sec == nil && sym.Value == raw.Value {
		return
	}
	value := raw.Value
	if sym.Thumb {
		value &^= 1
	}
	err := fmt.Errorf("multiple definition of %s; %s defines it first", l.rep.Name(sym.Name), placeOf(sym.Obj, sym.Sec, sym.Value))
	if p.sec != nil {
		l.rep.ErrorAt(p.sec, value, err)
		return
	}
	l.rep.Error(fmt.Errorf("%s: %w", o.File, err))
}

// placeOf is a place for messages: "a.o(.text+0x10)".
func placeOf(o *model.Object, s *model.Section, value uint64) string {
	switch {
	case o == nil:
		return "a script"
	case s == nil:
		return fmt.Sprintf("%s (absolute, %#x)", o.File, value)
	}
	return fmt.Sprintf("%s(%s+%#x)", o.File, s.Name, value)
}

// version gives a symbol with "@" in its name its version. Of two definitions of
// one name that with "@@" is what references without a version mean; those to
// this version mean it too.
func (l *loader) version(o *object, i int) {
	sym, raw := o.Symbols[i], o.symtab.At(i)
	name, _ := stringAt(o.symtab.Strings, raw.Name)
	base, ver, isDefault := strings.Cut(name, "@@")
	if !isDefault {
		base, ver, _ = strings.Cut(name, "@")
		sym.Name, sym.Version = base, ver
		if d := l.table.Get(base); d != nil && d.Default && d.Version == ver {
			l.forward[sym] = d
		}
		return
	}
	if sym.Obj != o.Object || sym.State == model.Undefined {
		return
	}
	sym.Version, sym.Default = ver, true
	if s := l.table.Get(base + "@" + ver); s != nil && s.State == model.Undefined {
		l.forward[s] = sym
		s.State = model.Defined // not to be looked for in archives
	}
}

// wrapNames are the names of --wrap: references to SYMBOL become references to
// __wrap_SYMBOL, those to __real_SYMBOL become such to SYMBOL.
func wrapNames(list []string) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, n := range list {
		m[n] = "__wrap_" + n
		m["__real_"+n] = n
	}
	return m
}

// tell notes who defines and refers to a symbol of --trace-symbol.
func (l *loader) tell(o *object, sym *model.Symbol, p place) {
	if len(l.traced) == 0 || !l.traced[sym.Name] {
		return
	}
	what := "definition of "
	switch {
	case p.undefined():
		what = "reference to "
	case p.shndx == elf.SHN_COMMON:
		what = "common "
	}
	l.set.Notes = append(l.set.Notes, o.File+": "+what+sym.Name)
}
