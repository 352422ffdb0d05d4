package show

import (
	"debug/elf"
	"strings"

	"elfwright/machine"
)

// relocTypes names the relocation types of a machine: each is worked out once.
type relocTypes struct {
	m            elf.Machine
	rows         *machine.Table // nil for a machine we do not describe
	formulaWidth int
	mips64       bool // a relocation has three types
	sparc64      bool // the upper 24 bits of the type are data

	low  [256]*relocType
	more map[uint32]*relocType
	last *relocType // of more: neighbours are often alike
}

// relocType is how one type is printed.
type relocType struct {
	num           uint32
	name, formula string // empty where they are not known
	cell          string // both in their columns
}

// maxFormula bounds the column of formulas; the longest ones move their line.
const maxFormula = 24

func (p *printer) relocTypes() *relocTypes {
	h := &p.f.Header
	t := &relocTypes{
		m:       h.Machine,
		mips64:  p.f.Is64() && (h.Machine == elf.EM_MIPS || h.Machine == elf.EM_MIPS_RS3_LE),
		sparc64: p.f.Is64() && h.Machine == elf.EM_SPARCV9,
	}
	if p.m == nil || p.m.Relocs == nil {
		return t
	}
	t.rows = p.m.Relocs
	t.formulaWidth = len("Formula")
	linked := h.Type == elf.ET_EXEC || h.Type == elf.ET_DYN
	for r := range t.rows.All() {
		if r.Dynamic || !linked {
			t.formulaWidth = max(t.formulaWidth, min(maxFormula, len(r.Formula.String())))
		}
	}
	return t
}

// of returns how a type is printed.
func (t *relocTypes) of(typ uint32) *relocType {
	if typ < uint32(len(t.low)) {
		if t.low[typ] == nil {
			t.low[typ] = t.make(typ)
		}
		return t.low[typ]
	}
	if t.last != nil && t.last.num == typ {
		return t.last
	}
	if t.more[typ] == nil {
		if t.more == nil || len(t.more) > 4096 { // types are 32 bits of the file
			t.more = make(map[uint32]*relocType)
		}
		t.more[typ] = t.make(typ)
	}
	t.last = t.more[typ]
	return t.last
}

func (t *relocTypes) make(typ uint32) *relocType {
	r := &relocType{num: typ}
	base := typ
	switch {
	case t.mips64:
		base = typ & 0xff
	case t.sparc64:
		base = typ & 0xff // ELF64_R_TYPE_ID
	}
	if row := t.rows.Lookup(base); row != nil {
		r.name, r.formula = row.Name, row.Formula.String()
	} else {
		r.name = relocName(t.m, base)
	}
	name := r.name
	if name == "" {
		name = "unrecognized: " + padded(hexString(uint64(base)), 7)
	}
	r.cell = padded(name, 22)
	if t.rows != nil {
		r.cell += " " + padded(r.formula, t.formulaWidth) + " "
	}
	return r
}

// mipsName names one of the three types of a 64-bit MIPS relocation.
func (t *relocTypes) mipsName(typ uint32) string {
	if name := relocName(t.m, typ); name != "" {
		return name
	}
	return "unrecognized: " + hexString(uint64(typ))
}

// relocName names a relocation type of a machine that package machine does not
// describe, as far as debug/elf does; else it is empty.
func relocName(m elf.Machine, typ uint32) string {
	var name string
	switch m {
	case elf.EM_MIPS, elf.EM_MIPS_RS3_LE:
		name = elf.R_MIPS(typ).String()
	case elf.EM_PPC:
		name = elf.R_PPC(typ).String()
	case elf.EM_PPC64:
		name = elf.R_PPC64(typ).String()
	case elf.EM_S390:
		name = elf.R_390(typ).String()
	case elf.EM_SPARC, elf.EM_SPARC32PLUS, elf.EM_SPARCV9:
		name = elf.R_SPARC(typ).String()
	case elf.EM_LOONGARCH:
		name = elf.R_LARCH(typ).String()
	case elf.EM_ALPHA, elf.EM_ALPHA_STD:
		name = elf.R_ALPHA(typ).String()
	}
	// debug/elf gives unknown values as a number, or as R_X+1.
	if !strings.HasPrefix(name, "R_") || strings.Contains(name, "+") {
		return ""
	}
	return name
}
