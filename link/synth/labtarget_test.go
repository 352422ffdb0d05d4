package synth_test

import (
	"debug/elf"
	"strings"

	"elfwright/link/model"
	"elfwright/machine"
)

// rowTarget carries out relocations by their rows.
type rowTarget struct {
	m *machine.Machine
}

func (t *rowTarget) Machine() *machine.Machine { return t.m }

func (t *rowTarget) Relax(*model.Env, int) bool { return false }

func (t *rowTarget) PLT(e *model.Env) model.PLT {
	p := model.PLT{Header: 16, Entry: 16, Align: 16,
		WriteHeader: func(*model.Env, []byte, uint64, uint64) {},
		WriteEntry:  func(*model.Env, []byte, uint64, uint64, int) {}}
	if t.m.ELF == elf.EM_X86_64 {
		p.Lazy = 6
		p.WriteHeader = func(e *model.Env, b []byte, at, gotplt uint64) {
			copy(b, "\xff\x35\x00\x00\x00\x00\xff\x25") // push 8+.got.plt(%rip); jmp *16+.got.plt(%rip)
			e.Order.PutUint32(b[2:], uint32(gotplt+8-at-6))
			e.Order.PutUint32(b[8:], uint32(gotplt+16-at-12))
		}
		p.WriteEntry = func(e *model.Env, b []byte, at, got uint64, index int) {
			copy(b, "\xff\x25\x00\x00\x00\x00\x68\x00\x00\x00\x00\xe9") // jmp *slot(%rip); push $index; jmp .plt
			e.Order.PutUint32(b[2:], uint32(got-at-6))
			e.Order.PutUint32(b[7:], uint32(index))
			if e.SecPLT.Out != nil {
				e.Order.PutUint32(b[12:], uint32(e.SecPLT.Addr(0)-at-16))
			}
		}
	}
	return p
}

func (t *rowTarget) Scan(e *model.Env, s *model.Section) {
	for i := range s.Relocs {
		r := &s.Relocs[i]
		row, sym := t.m.Relocs.Lookup(r.Type), s.Symbol(r)
		if sym == nil || row == nil {
			continue
		}
		if strings.ContainsAny(string(row.Formula), "Gge") {
			if sym.Type == elf.STT_TLS || strings.Contains(row.Name, "TPOFF") {
				sym.Need.Or(model.NeedGOTTP)
				e.StaticTLS.Set()
			} else {
				sym.Need.Or(model.NeedGOT)
			}
		}
		if row.Formula.Uses('O') {
			e.NeedGOTBase.Set()
		}
		if row.Formula.Uses('L') && (sym.Preempt || sym.IFunc()) || sym.IFunc() {
			sym.Need.Or(model.NeedPLT)
		}
		if t.dynamic(e, s, r, sym) {
			s.DynRelocs++
		}
	}
}

func (t *rowTarget) dynamic(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol) bool {
	abs := map[elf.Machine]uint32{elf.EM_X86_64: 1, elf.EM_386: 1, elf.EM_AARCH64: 257, elf.EM_ARM: 2, elf.EM_RISCV: 2}
	return e.PIC() && s.Flags&elf.SHF_ALLOC != 0 && r.Type == abs[t.m.ELF] && (sym.Preempt || sym.Defined() && !sym.Absolute())
}

func (t *rowTarget) Relocate(e *model.Env, s *model.Section, b []byte) {
	relative := map[elf.Machine]uint32{elf.EM_X86_64: 8, elf.EM_386: 8, elf.EM_AARCH64: 1027, elf.EM_ARM: 23, elf.EM_RISCV: 3}
	next := s.DynFirst
	for i := range s.Relocs {
		r := &s.Relocs[i]
		row, sym := t.m.Relocs.Lookup(r.Type), s.Symbol(r)
		if row == nil || !row.Static() {
			continue
		}
		S, A := e.Value(s, r)
		v := machine.Values{S: S, A: A, P: s.Out.Addr + s.Off + r.Off, GOT: e.GOT, L: S}
		if sym != nil && sym.Thumb {
			v.S, v.T = S&^1, 1
		}
		if sym != nil && sym.Aux != nil {
			switch a := sym.Aux; {
			case a.IPLT:
				v.L = e.SecIPLT.Addr(uint64(a.PLT))
				v.S = v.L
			case a.PLT >= 0:
				v.L = e.SecPLT.Addr(uint64(a.PLT))
			}
			switch {
			case sym.Aux.GOT >= 0:
				v.G = e.SecGOT.Addr(uint64(sym.Aux.GOT)) - e.GOT
			case sym.Aux.GOTTP >= 0:
				v.G = e.SecGOT.Addr(uint64(sym.Aux.GOTTP)) - e.GOT
			}
		}
		if sym != nil && t.dynamic(e, s, r, sym) {
			d := model.DynReloc{Off: v.P, Addend: int64(v.S) + A, Type: relative[t.m.ELF]}
			if sym.Preempt {
				d = model.DynReloc{Off: v.P, Addend: A, Type: r.Type, Sym: sym}
				v.S = 0
			}
			e.Dynamic[next] = d
			next++
		}
		if err := row.Apply(b[r.Off:], e.Order, &v); err != nil {
			e.Report.ErrorAt(s, r.Off, err)
		}
	}
}
