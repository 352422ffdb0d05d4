package aarch64

import (
	"fmt"
	"sort"

	"elfwright/link/model"
)

// Errata of the Cortex-A53 (Arm's Software Developers Errata Notice):
//
//	843419  ADRP in one of the last two words of a 4 KiB page, a load or store,
//	        perhaps one more instruction, then a load or store with an immediate
//	        offset from ADRP's register, may use a wrong address. That load or
//	        store goes into a veneer; or ADRP becomes ADR, where that reaches.
//	835769  A 64-bit multiply-accumulate right behind a load or store may compute
//	        a wrong value. It goes into a veneer.
//
// Taking an instruction elsewhere changes nothing that a program can see, so that
// what looks like a sequence but is none does no harm.
type mend struct {
	adrp int64  // offset of the ADRP, -1 for 835769
	at   uint64 // of the instruction that goes into the veneer
}

// findErrata lists what a section has of them at its present address.
func (t *target) findErrata(e *model.Env, s *model.Section) (found []mend) {
	if !e.Opt.FixCortexA53_843419 && !e.Opt.FixCortexA53_835769 || len(s.Data) < 2*insnSize {
		return nil
	}
	for _, r := range codeRanges(s) {
		if e.Opt.FixCortexA53_835769 {
			found = multiplies(found, s.Data, r)
		}
		if e.Opt.FixCortexA53_843419 {
			found = adrps(found, s.Data, r, s.Addr(0))
		}
	}
	return found
}

// span is a run of instructions: offsets in a section.
type span struct{ from, to uint64 }

// codeRanges are the instructions of a section as its mapping symbols tell, or all
// of it if it has none (AAELF64, "Mapping symbols").
func codeRanges(s *model.Section) []span {
	type mark struct {
		at   uint64
		code bool
	}
	var marks []mark
	for _, sym := range s.Obj.Symbols[:min(s.Obj.Locals, len(s.Obj.Symbols))] {
		if sym != nil && sym.Sec == s && len(sym.Name) >= 2 && sym.Name[0] == '$' &&
			(sym.Name[1] == 'x' || sym.Name[1] == 'd') && (len(sym.Name) == 2 || sym.Name[2] == '.') {
			marks = append(marks, mark{sym.Value, sym.Name[1] == 'x'})
		}
	}
	end := uint64(len(s.Data)) &^ (insnSize - 1)
	if len(marks) == 0 {
		return []span{{0, end}}
	}
	sort.SliceStable(marks, func(i, j int) bool { return marks[i].at < marks[j].at })
	var spans []span
	for i, m := range marks {
		to := end
		if i+1 < len(marks) {
			to = min(marks[i+1].at, end)
		}
		if m.code && m.at < to {
			spans = append(spans, span{(m.at + insnSize - 1) &^ (insnSize - 1), to &^ (insnSize - 1)})
		}
	}
	return spans
}

// isMemory says whether an instruction is in the group of loads and stores.
func isMemory(x uint32) bool { return x&0x0a000000 == 0x08000000 }

// isLoadPair says whether it is LDP, LDNP or LDPSW.
func isLoadPair(x uint32) bool { return x&0x3a400000 == 0x28400000 }

// isBranch says whether it is a branch, or one of the system instructions.
func isBranch(x uint32) bool { return x&insnCondMask == 0x14000000 }

// multiplies finds 835769: MADD, MSUB and the long forms, with an accumulator. If
// the multiplication takes what is loaded it waits, and all is well.
func multiplies(found []mend, b []byte, r span) []mend {
	for at := r.from; at+2*insnSize <= r.to; at += insnSize {
		x := load(b[at+insnSize:])
		// The group of three sources, 64 bits, op31 000, 001 or 101, not UMULH.
		if x&0xff000000 != 0x9b000000 || x>>21&3 == 2 || x>>10&rd == rd {
			continue
		}
		if first := load(b[at:]); isMemory(first) && !feeds(first, x) {
			found = append(found, mend{-1, at + insnSize})
		}
	}
	return found
}

// feeds says whether a multiplication takes a register that the instruction
// surely loads: one or two general registers, by LDR or LDP in any usual form.
func feeds(mem, mul uint32) bool {
	takes := func(reg uint32) bool {
		return reg == mul>>rnShift&rd || reg == mul>>16&rd || reg == mul>>10&rd
	}
	const vector = 1 << 26
	switch {
	case mem&vector != 0:
		return false
	case isLoadPair(mem):
		return takes(mem&rd) || takes(mem>>10&rd)
	case mem&0x3a000000 == 0x38000000 && mem>>22&3 != 0 && mem>>22 != 0x3e6: // not STR, PRFM
		return takes(mem & rd)
	}
	return false
}

// adrps finds 843419 for code that is at base.
func adrps(found []mend, b []byte, r span, base uint64) []mend {
	for top := base &^ pageMask; top < base+r.to; top += pageMask + 1 {
		for _, at := range [2]uint64{top + 0xff8, top + 0xffc} {
			if at < base+r.from {
				continue
			}
			if m, ok := adrpAt(b[:r.to], at-base); ok {
				found = append(found, m)
			}
		}
	}
	return found
}

func adrpAt(b []byte, off uint64) (mend, bool) {
	if off+3*insnSize > uint64(len(b)) {
		return mend{}, false
	}
	first, second, third := load(b[off:]), load(b[off+4:]), load(b[off+8:])
	if !isADRP(first) || !isMemory(second) || isLoadPair(second) {
		return mend{}, false
	}
	if usesPage(third, first&rd) {
		return mend{int64(off), off + 8}, true
	}
	if off+4*insnSize > uint64(len(b)) || isBranch(third) || !usesPage(load(b[off+12:]), first&rd) {
		return mend{}, false
	}
	return mend{int64(off), off + 12}, true
}

// usesPage says whether it is a load or store with an unsigned immediate offset
// from a register.
func usesPage(x, reg uint32) bool { return x&0x3b000000 == 0x39000000 && x>>rnShift&rd == reg }

// mended is an erratum's sequence that has a veneer.
type mended struct {
	mend
	p     *pool
	entry int
}

// mend makes the veneer for an erratum if there is none.
func (p *pool) mend(e *model.Env, s *model.Section, m mend) bool {
	t := p.t
	entry := -1
	for _, x := range t.mends[s] {
		if x.mend == m {
			return false
		}
		if x.at == m.at {
			entry = x.entry
		}
	}
	if s.Synth == nil && len(s.Relocs) == 0 {
		s.Synth = changed{t} // else nobody would ask to relocate it
	}
	if entry >= 0 {
		t.mends[s] = append(t.mends[s], mended{m, p, entry})
		return false
	}
	name, n := "843419", &t.count[1]
	if m.adrp < 0 {
		name, n = "835769", &t.count[0]
	}
	t.mends[s] = append(t.mends[s], mended{m, p, len(p.entries)})
	p.append(e, veneer{from: s, at: m.at}, fmt.Sprintf("__erratum_%s_veneer_%d", name, *n))
	*n++
	return true
}

// changed is a section without relocations that an erratum changes.
type changed struct{ t *target }

func (c changed) Write(e *model.Env, s *model.Section, b []byte) {
	copy(b, s.Data)
	c.t.Relocate(e, s, b)
}

// mend changes a section that has been relocated.
func (t *target) mend(e *model.Env, s *model.Section, b []byte, base uint64) {
	for _, m := range t.mends[s] {
		if m.adrp >= 0 && t.withoutADRP(e, s, b[m.adrp:], base, m.mend) {
			continue
		}
		v := &m.p.entries[m.entry]
		d := m.p.sec.Addr(v.off) - (base + m.at)
		if !reaches(int64(d)) {
			e.Report.ErrorAt(s, m.at, fmt.Errorf("%s is too far, at a distance of %#x", v.name.Name, d))
		}
		store(b[m.at:], branch(d))
	}
}

// withoutADRP makes ADRP into ADR where that reaches, so that the load or store
// can stay. It says whether there is nothing left to do.
func (t *target) withoutADRP(e *model.Env, s *model.Section, b []byte, base uint64, m mend) bool {
	insn := load(b)
	if !isADRP(insn) {
		return true // relocating has changed it
	}
	if e.Opt.Fix843419 == "adrp" {
		return false
	}
	at := base + uint64(m.adrp)
	imm := uint64(insn>>29&3|insn>>5&0x7ffff<<2) << 43
	d := int64(at&^pageMask) + int64(imm)>>31 - int64(at)
	if d >= -nearReach && d < nearReach {
		store(b, insnADR|insn&rd|uint32(d)&3<<29|uint32(d)>>2&0x7ffff<<5)
		return true
	}
	if e.Opt.Fix843419 == "adr" {
		e.Report.ErrorAt(s, uint64(m.adrp), fmt.Errorf("erratum 843419: the distance %#x does not fit an ADR; link with --fix-cortex-a53-843419=full", d))
		return true
	}
	return false
}

// writeMend makes the veneer of an erratum: the instruction, relocated where it
// was, and the way back.
func (t *target) writeMend(e *model.Env, v *veneer, b []byte, at uint64) {
	s := v.from
	place := s.Addr(v.at)
	copy(b[:insnSize], s.Data[v.at:])
	j := job{t: t, e: e, s: s, b: b[:sizeMend], quiet: true}
	first := sort.Search(len(s.Relocs), func(i int) bool { return s.Relocs[i].Off >= v.at })
	for i := first; i < len(s.Relocs) && s.Relocs[i].Off == v.at; i++ {
		j.relocateAt(i, place)
	}
	store(b[insnSize:], branch(place-at)) // from the next to the next instruction
}
