package input

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// refer takes the names that options and scripts want defined: they pull members
// of archives wherever they stand.
func (l *loader) refer() {
	entry := l.opt.Entry
	if entry == "" {
		entry = l.with.Entry
	}
	names := append([]string(nil), l.opt.Undefined...)
	names = append(names, l.opt.RequireDefined...)
	names = append(names, l.with.Externs...)
	if entry != "" && !isNumber(entry) {
		names = append(names, entry)
	}
	for _, n := range names {
		l.want(n).Asked = true
	}
	l.set.roots = names
}

// isNumber says whether an entry is an address.
func isNumber(s string) bool { return s[0] >= '0' && s[0] <= '9' }

// want makes a symbol undefined unless it is known.
func (l *loader) want(name string) *model.Symbol {
	sym := l.table.Intern(versionKey(name))
	l.meet(sym)
	sym.Used = true
	if sym.State == model.Undefined && sym.Bind == elf.STB_WEAK {
		sym.Bind = elf.STB_GLOBAL
		l.news++
	}
	return sym
}

// site is what has definitions: a script of -T, a --defsym, or a text among the
// inputs, by its number from 1. The zero value is the default script, and a text
// that comes behind all others.
type site struct{ script, defsym, text int }

// sites are those of an input: of an option, or of a text.
func (l *loader) sites() {
	var n site
	l.site = map[*item]site{}
	for _, it := range l.files.items {
		switch {
		case it.in.Mark == model.MarkScript:
			n.script++
			l.site[it] = site{script: n.script}
		case it.in.Mark == model.MarkDefsym:
			n.defsym++
			l.site[it] = site{defsym: n.defsym}
		case it.in.Script != nil && !it.failed:
			n.text++
			l.site[it] = site{text: n.text}
		}
	}
	for i := range l.with.Definitions { // what has no place comes first
		d := &l.with.Definitions[i]
		if d.Script > n.script || d.Defsym > n.defsym {
			l.declareOne(d)
		}
	}
}

// declare makes the symbols of a site defined from here on: no member of an
// archive is taken for them. Their values come with the layout. What their
// expressions name is referred to.
func (l *loader) declare(at site) {
	for i := range l.with.Definitions {
		if d := &l.with.Definitions[i]; at == (site{d.Script, d.Defsym, d.Text}) {
			l.declareOne(d)
		}
	}
}

// declareOne declares a definition. PROVIDE provides what is undefined here: what
// an object that comes later defines does not count any more. But until the names
// in its expression are defined, the symbol is still looked for in archives.
func (l *loader) declareOne(d *Definition) {
	if d.Provide && (d.Own || !l.lacks(d.Name)) {
		return
	}
	known := true
	for _, n := range d.Refers {
		if n != d.Name {
			known = l.want(n).State == model.Defined && known
		}
	}
	switch {
	case d.Own:
	case d.Provide && !known:
		l.chosen[d] = true
	default:
		l.takeOver(d)
	}
}

// takeOver makes a symbol the script's, that of PROVIDE for good.
func (l *loader) takeOver(d *Definition) {
	sym := l.scriptSymbol(d)
	if d.Provide {
		sym.Obj, sym.Sec, sym.Script, sym.Provide, sym.Used = nil, nil, true, true, true
	}
}

// lacks says whether a symbol is referred to and not defined.
func (l *loader) lacks(name string) bool {
	sym := l.table.Get(name)
	return sym != nil && sym.Order != 0 && sym.State == model.Undefined
}

// scriptSymbol makes a symbol one that a script defines. What an object says of
// it stays for expressions that ask.
func (l *loader) scriptSymbol(d *Definition) *model.Symbol {
	sym := l.table.Intern(d.Name)
	l.meet(sym)
	switch {
	case sym.State == model.Defined && sym.Sec == nil && sym.Obj != nil:
		return sym // absolute: the layout makes it the script's
	case sym.State == model.Common: // its type and size stay, as in GNU ld
		sym.Obj, sym.Sec, sym.Value = nil, nil, 0
	case sym.State != model.Defined:
		sym.Obj, sym.Sec, sym.Value, sym.Size = nil, nil, 0, 0
		sym.Type, sym.Other, sym.Thumb = elf.STT_NOTYPE, 0, false
	}
	sym.State, sym.Bind, sym.Script = model.Defined, elf.STB_GLOBAL, true
	if d.Hidden {
		sym.Vis = stricter(sym.Vis, elf.STV_HIDDEN)
	}
	return sym
}

// settle does what can be done once all inputs are known.
func (l *loader) settle() {
	l.ownDefinitions()
	l.provide()
	l.hide()
	l.requireDefined()
	l.allocateCommons()
	l.forwardVersions()
	l.publish()
	l.finish()
	l.warnings()
}

// ownDefinitions are those whose expression asks for an object's symbol.
func (l *loader) ownDefinitions() {
	for i := range l.with.Definitions {
		if d := &l.with.Definitions[i]; d.Own && !d.Provide {
			if sym := l.table.Get(d.Name); sym == nil || sym.State != model.Defined {
				l.scriptSymbol(d)
			}
		}
	}
}

// provide makes symbols of PROVIDE defined that somebody refers to and nobody
// defines. Their expressions refer to others in turn.
func (l *loader) provide() {
	for again := true; again; {
		again = false
		for i := range l.with.Definitions {
			d := &l.with.Definitions[i]
			if !d.Provide || !l.lacks(d.Name) && !l.chosen[d] {
				continue
			}
			delete(l.chosen, d)
			l.takeOver(d)
			for _, n := range d.Refers {
				l.want(n)
			}
			again = true
		}
	}
}

// hide hides what HIDDEN and PROVIDE_HIDDEN name, also if an object defines it.
func (l *loader) hide() {
	for i := range l.with.Definitions {
		d := &l.with.Definitions[i]
		if !d.Hidden {
			continue
		}
		if sym := l.table.Get(d.Name); sym != nil && sym.Order != 0 && sym.State != model.Undefined {
			sym.Hidden, sym.Vis = true, stricter(sym.Vis, elf.STV_HIDDEN)
		}
	}
}

// requireDefined checks --require-defined.
func (l *loader) requireDefined() {
	for _, n := range l.opt.RequireDefined {
		if sym := l.table.Get(n); sym == nil || sym.State != model.Defined && sym.State != model.Common {
			l.rep.Error(fmt.Errorf("--require-defined: %s is not defined", n))
		}
	}
}

// forwardVersions makes those who refer to "foo@V" refer to foo, if that is foo's
// default version.
func (l *loader) forwardVersions() {
	if len(l.forward) == 0 {
		return
	}
	for _, o := range l.objects {
		for _, i := range o.versioned {
			if to := l.forward[o.Symbols[i]]; to != nil {
				o.Symbols[i] = to
			}
		}
	}
}

// publish makes the objects those of the set.
func (l *loader) publish() {
	s := l.set
	s.objects = l.objects
	for _, o := range l.objects {
		s.objs = append(s.objs, o.Object)
		switch {
		case o.Linker || o.JustSymbols:
		case o.stack == StackExec && s.StackExec == nil:
			s.StackExec = o.Object
		case o.stack == StackSilent && s.StackSilent == nil:
			s.StackSilent = o.Object
		}
	}
	if w := l.files.want; w != nil {
		s.Class, s.Machine = w.class, w.machine
		s.Order = format{order: w.order}.byteOrder()
	}
	l.mergeFlags()
}
