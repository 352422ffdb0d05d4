package layout

import (
	"debug/elf"
	"fmt"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// create makes the output section of a statement, if there is none yet.
func (s *Script) create(o *section, t traits) {
	if o.out != nil {
		return
	}
	o.out = &model.Output{Name: o.name, Align: 1, Stmt: o.stmt}
	o.traits = t
	o.baseAl = 1
	s.byOut[o.out] = o
	s.order = append(s.order, o)
	s.createNamed(o.addr)
	s.createNamed(o.at)
}

// createNamed makes the output sections whose address an expression asks for.
func (s *Script) createNamed(x ldscript.Expr) {
	walkExpr(x, func(x ldscript.Expr) {
		n, ok := x.(*ldscript.NameCall)
		if !ok || n.Func != "ADDR" && n.Func != "LOADADDR" {
			return
		}
		if o := s.find(n.Name); o != nil {
			s.create(o, 0)
		}
	})
}

// put adds an input section to an output section: it settles flags, type and
// alignment. The caller has put it into a statement.
func (s *Script) put(o *section, sec *model.Section, pl *model.Place) {
	t := o.kind.apply(traitsOf(sec))
	s.create(o, t)
	// Read-only only if all are; the first decides whether it starts so.
	o.traits &= t | ^readonly
	if o.hasInput {
		t &^= readonly
		both := (o.traits ^ t) & (mergeable | textual)
		if both != 0 || t&mergeable != 0 && o.out.Entsize != sec.Entsize {
			o.traits &^= mergeable | textual
			t &^= mergeable | textual
		}
	}
	o.traits |= t
	if !o.hasInput {
		o.hasInput = true
		s.firstInput(o, sec, t)
	} else if o.firstType == elf.SHT_NULL {
		o.firstType = s.knownType(sec)
	}
	o.hasFile = o.hasFile || !sec.Obj.Linker
	o.keep = o.keep || sec.Keep && (!sec.Obj.Linker || s.machine.makesEmpty())
	o.baseAl = max(o.baseAl, sec.Align)
	sec.Out, sec.Place = o.out, pl
}

// firstInput takes from the first input section what only that decides: the
// type, and the flags of system and processor.
func (s *Script) firstInput(o *section, sec *model.Section, t traits) {
	o.firstType = s.knownType(sec)
	o.firstFlags = sec.Flags & (elf.SHF_MASKOS | elf.SHF_MASKPROC | elf.SHF_LINK_ORDER)
	o.linkOrder = sec.LinkTo
	if t&mergeable != 0 {
		o.out.Entsize = sec.Entsize
	}
}

// knownType is the type of an input section while things are placed. In GNU ld most
// of the linker's own have none then, but for what their names say.
func (s *Script) knownType(sec *model.Section) elf.SectionType {
	if sec.Obj.Linker && (sec.Type == elf.SHT_PROGBITS || sec.Type == elf.SHT_NOBITS) {
		t, _ := s.nameType(sec.Name)
		return t
	}
	return sec.Type
}

// apply is what the word in parentheses behind a section's name does.
func (k sectionKind) apply(t traits) traits {
	switch k {
	case noAlloc:
		t &^= alloc
	case noLoad:
		t = t&^(load|contents) | neverLoad
	}
	return t
}

// putData notes that a section has data of the script's own.
func (s *Script) putData(o *section) {
	t := contents | alloc | load
	switch o.kind {
	case noAlloc:
		t = contents
	case readOnly:
		t |= readonly
	case noLoad:
		t = neverLoad | alloc
	}
	s.create(o, t|readonly)
	o.traits |= t
}

// header settles type, flags and entry size of an output section.
func (s *Script) header(o *section) {
	out := o.out
	typ := s.currentType(o)
	_, flags := s.nameType(o.name)
	if o.hasInput {
		flags = o.firstFlags
	}
	if o.typeValue != nil {
		typ = elf.SectionType(s.sectionType(o.typeValue))
	}
	plain := elf.SHT_PROGBITS
	if o.traits&alloc != 0 && o.traits&(load|contents) == 0 {
		plain = elf.SHT_NOBITS
	}
	switch {
	case typ == elf.SHT_NULL:
		typ = plain
	case typ == elf.SHT_NOBITS && plain == elf.SHT_PROGBITS && o.traits&alloc != 0:
		typ = plain
		if !o.told {
			o.told = true
			s.rep.Warn(fmt.Errorf("section %s: its type becomes PROGBITS, for not all in it is without bytes", o.name))
		}
	case plain == elf.SHT_NOBITS:
		typ = plain
	}
	out.Type = typ
	out.Flags = flags | elfFlags(o.traits)
	if o.traits&mergeable == 0 {
		out.Entsize = s.entrySize(typ)
	}
}

func elfFlags(t traits) elf.SectionFlag {
	var f elf.SectionFlag
	for _, p := range [...]struct {
		t traits
		f elf.SectionFlag
	}{
		{alloc, elf.SHF_ALLOC}, {code, elf.SHF_EXECINSTR}, {tls, elf.SHF_TLS},
		{mergeable, elf.SHF_MERGE}, {textual, elf.SHF_STRINGS},
	} {
		if t&p.t != 0 {
			f |= p.f
		}
	}
	if t&readonly == 0 {
		f |= elf.SHF_WRITE
	}
	return f
}

// entrySize is sh_entsize of the types that are tables.
func (s *Script) entrySize(typ elf.SectionType) uint64 {
	word := uint64(s.class) / 8
	switch typ {
	case elf.SHT_INIT_ARRAY, elf.SHT_FINI_ARRAY, elf.SHT_PREINIT_ARRAY:
		return word
	case elf.SHT_DYNAMIC, elf.SHT_REL:
		return 2 * word
	case elf.SHT_RELA:
		return 3 * word
	case elf.SHT_HASH, elf.SHT_GROUP:
		return 4
	case elf.SHT_GNU_VERSYM:
		return 2
	case elf.SHT_GNU_HASH:
		if s.class == 32 {
			return 4
		}
	case elf.SHT_DYNSYM:
		if s.class == 32 {
			return 16
		}
		return 24
	case shtRelr:
		return word
	}
	return 0
}

const shtRelr = elf.SectionType(19) // gABI, SHT_RELR

// sectionTypes are the words that TYPE= takes besides numbers.
var sectionTypes = map[string]elf.SectionType{
	"SHT_PROGBITS": elf.SHT_PROGBITS, "SHT_STRTAB": elf.SHT_STRTAB, "SHT_NOTE": elf.SHT_NOTE,
	"SHT_NOBITS": elf.SHT_NOBITS, "SHT_INIT_ARRAY": elf.SHT_INIT_ARRAY,
	"SHT_FINI_ARRAY": elf.SHT_FINI_ARRAY, "SHT_PREINIT_ARRAY": elf.SHT_PREINIT_ARRAY,
}

func (s *Script) sectionType(x ldscript.Expr) uint64 {
	if n, ok := x.(*ldscript.Name); ok {
		if t, ok := sectionTypes[n.Name]; ok {
			return uint64(t)
		}
	}
	return s.number(x)
}
