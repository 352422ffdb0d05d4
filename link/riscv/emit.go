package riscv

import "elfwright/link/model"

// Emit gives the relocation that stands in the output for --emit-relocs. As in
// GNU ld, an instruction that was shortened has a type of its own, by numbers
// which the psABI has left to linkers; what is gone, and what only said that there
// was something to shorten, is not there.
func (t *target) Emit(_ *model.Env, s *model.Section, i int) (model.Reloc, bool) {
	r := s.Relocs[i]
	switch r.Type {
	case goneLUI, goneAUIPC, goneTP, rAlign:
		return r, false
	case rRelax:
		return r, i == 0 || s.Relocs[i-1].Type < changed
	case callJAL:
		r.Type = rJAL
	case callCJ:
		r.Type = rRVCJump
	case callZero:
		r.Type = rLo12I
	case shortLUI:
		r.Type = 46 // R_RISCV_RVC_LUI
	case loI:
		r.Type = 47 // R_RISCV_GPREL_I
	case loS:
		r.Type = 48 // R_RISCV_GPREL_S
	case tpLoI:
		r.Type = 49 // R_RISCV_TPREL_I
	case tpLoS:
		r.Type = 50 // R_RISCV_TPREL_S
	case pcLoI, pcLoS:
		h, err := t.high(s, &r)
		if err != nil {
			return r, false
		}
		gp := uint32(47)
		if r.Type == pcLoS {
			gp = 48
		}
		r.Type, r.Sym, r.Addend = gp, h.Sym, h.Addend+r.Addend
	}
	return r, true
}
