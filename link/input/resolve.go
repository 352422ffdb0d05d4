package input

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// resolve decides what a global symbol of an object is to the link: GNU ld's
// rules, by the strength of what is known and of what is new.
func (l *loader) resolve(o *object, i int, versioned bool) {
	raw := o.symtab.At(i)
	s := o.Symbols[i]
	l.met(s)
	if versioned {
		l.setVersion(o, &raw, s)
	}
	p, _ := o.place(i, &raw)
	if o.JustSymbols {
		p = absolute(&raw)
	}
	if p.sec != nil && !p.sec.Live && p.sec.Dropped == model.Duplicate {
		p = place{} // what is in a dropped group is defined by the one that was kept
	}
	if v := raw.Visibility(); v != elf.STV_DEFAULT && (s.Vis == elf.STV_DEFAULT || v < s.Vis) {
		s.Vis = v
	}
	l.traced(o, s, p)
	switch {
	case p.undefined():
		l.refer(o, &raw, s)
	case p.shndx == elf.SHN_COMMON:
		l.common(o, &raw, s, p)
	default:
		l.define(o, &raw, s, p)
	}
}

// setVersion notes the version of foo@V and foo@@V.
func (l *loader) setVersion(o *object, raw *elffile.Symbol, s *model.Symbol) {
	name, _ := stringAt(o.symtab.Strings, raw.Name)
	base, version, _ := strings.Cut(name, "@")
	s.Name = base
	s.Default = strings.HasPrefix(version, "@")
	s.Version = strings.TrimLeft(version, "@")
}

// refer takes a reference.
func (l *loader) refer(o *object, raw *elffile.Symbol, s *model.Symbol) {
	s.Used = true
	if s.State != model.Undefined {
		return
	}
	weak := raw.Bind() == elf.STB_WEAK
	if s.Obj == nil {
		s.Obj = o.Object
		if s.Bind != elf.STB_GLOBAL || s.Order == l.order {
			s.Bind = elf.STB_WEAK
		}
	}
	if !weak && s.Bind != elf.STB_GLOBAL {
		s.Bind = elf.STB_GLOBAL
		l.news++
	}
	if s.Type == elf.STT_NOTYPE {
		s.Type = raw.Type()
	}
}

// common takes a tentative definition: the largest wins, and a true definition
// that is not weak over all of them.
func (l *loader) common(o *object, raw *elffile.Symbol, s *model.Symbol, p place) {
	switch {
	case s.Script && s.State == model.Defined:
		return
	case s.State == model.Common:
		if l.opt.WarnCommon {
			l.rep.Warn(fmt.Errorf("%s: common of %s (%d bytes) meets that of %s (%d bytes)", o.File, s.Name, raw.Size, s.Obj.File, s.Size))
		}
		s.Value = max(s.Value, raw.Value)
		if raw.Size > s.Size {
			s.Size, s.Obj = raw.Size, o.Object
		}
		return
	case s.State == model.Defined && !s.Weak():
		if l.opt.WarnCommon {
			l.rep.Warn(fmt.Errorf("%s: common of %s is overridden by the definition in %s", o.File, s.Name, s.Obj.File))
		}
		return
	}
	if raw.Value == 0 || raw.Value&(raw.Value-1) != 0 {
		l.rep.Error(fmt.Errorf("%s: common symbol %s: its alignment %#x is not a power of two", o.File, s.Name, raw.Value))
		raw.Value = 1
	}
	s.State, s.Obj, s.Sec, s.Value, s.Size = model.Common, o.Object, nil, raw.Value, raw.Size
	s.Bind, s.Type, s.Large = elf.STB_GLOBAL, elf.STT_OBJECT, p.large
	if raw.Type() == elf.STT_TLS {
		s.Type = elf.STT_TLS
	}
}

// define takes a definition.
func (l *loader) define(o *object, raw *elffile.Symbol, s *model.Symbol, p place) {
	weak := raw.Bind() == elf.STB_WEAK
	switch {
	case s.Script && s.State == model.Defined:
		if s.Sec == nil { // the script's value counts; DEFINED and x = x see this one
			s.Type, s.Size = raw.Type(), raw.Size
		}
		return
	case s.State == model.Common && weak:
		return
	case s.State == model.Common && l.opt.WarnCommon:
		l.rep.Warn(fmt.Errorf("%s: the definition of %s overrides the common of %s", o.File, s.Name, s.Obj.File))
	case s.State == model.Defined && weak:
		return
	case s.State == model.Defined && !s.Weak():
		l.duplicate(o, raw, s, p)
		return
	}
	s.State, s.Obj, s.Sec, s.Value, s.Size = model.Defined, o.Object, p.sec, raw.Value, raw.Size
	s.Bind, s.Type, s.Other = raw.Bind(), raw.Type(), raw.Other&^3
	s.Thumb = false
	o.thumb(s)
}

// duplicate reports a second definition, unless it is allowed, or both are the
// same number.
func (l *loader) duplicate(o *object, raw *elffile.Symbol, s *model.Symbol, p place) {
	if l.opt.AllowMultiple || o.JustSymbols || s.Obj != nil && s.Obj.JustSymbols {
		return
	}
	if s.Sec == nil && p.sec == nil && s.Value == raw.Value {
		return
	}
	l.rep.Error(&DuplicateError{s, o.Object, p.sec, raw.Value})
}

// DuplicateError tells of a symbol that two objects define.
type DuplicateError struct {
	Symbol *model.Symbol // with the first definition
	Obj    *model.Object // of the second
	Sec    *model.Section
	Value  uint64
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s: duplicate definition of %s; the first is in %s", spot(e.Obj, e.Sec, e.Value), e.Symbol.Name, spot(e.Symbol.Obj, e.Symbol.Sec, e.Symbol.Value))
}

func spot(o *model.Object, s *model.Section, value uint64) string {
	file := "a script"
	if o != nil {
		file = o.File
	}
	if s == nil {
		return fmt.Sprintf("%s(%#x)", file, value)
	}
	return fmt.Sprintf("%s(%s+%#x)", file, s.Name, value)
}

// traced notes what --trace-symbol asks for.
func (l *loader) traced(o *object, s *model.Symbol, p place) {
	for _, n := range l.opt.TraceSymbols {
		if n != s.Name {
			continue
		}
		what := "definition of"
		switch {
		case p.undefined():
			what = "reference to"
		case p.shndx == elf.SHN_COMMON:
			what = "common definition of"
		}
		l.set.Trace = append(l.set.Trace, fmt.Sprintf("%s: %s %s", o.File, what, n))
	}
}
