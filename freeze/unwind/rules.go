package unwind

import (
	"errors"
	"fmt"
)

// rule says where the caller's value of a register is.
type rule struct {
	kind ruleKind
	off  int64
	reg  uint64
	expr []byte
}

type ruleKind uint8

const (
	same      ruleKind = iota
	undefined          //
	saved              // at CFA + off
	isCFA              // CFA + off
	inReg              //
	atExpr             // where the expression says
	isExpr             // what it says
)

// row is a row of the table: how to find the canonical frame address, and each
// register.
type row struct {
	cfa   rule // inReg with off, or isExpr
	rules [maxRegs]rule
}

type program struct {
	*fde
	row
	initialRow row
	kept       []row
	loc        uint64
}

// step finds the registers of the caller.
func (u *Unwinder) step(f *fde, r *Regs, pc uint64) (next Regs, err error) {
	p := &program{fde: f, loc: f.start}
	if err := p.run(f.initial, pc); err != nil {
		return next, err
	}
	p.initialRow = p.row
	p.loc = f.start
	if err := p.run(f.code, pc); err != nil {
		return next, err
	}
	cfa, err := u.cfa(&p.cfa, r)
	if err != nil {
		return next, err
	}
	next.Set(u.Arch.SP, cfa)
	for i := range u.Arch.Names {
		if i == u.Arch.SP && p.rules[i].kind == same || i == u.Arch.PC && uint64(i) != f.ra {
			continue
		}
		v, ok, err := u.value(&p.rules[i], i, r, cfa)
		if err != nil {
			return next, err
		}
		if ok {
			next.Set(i, v)
		}
	}
	ra, ok := next.Get(int(f.ra))
	if !ok || p.rules[f.ra].kind == undefined {
		return next, errors.New("nobody called")
	}
	next.Set(u.Arch.PC, u.code(ra))
	return next, nil
}

func (u *Unwinder) cfa(c *rule, r *Regs) (uint64, error) {
	if c.kind == isExpr {
		return u.eval(c.expr, r, nil)
	}
	v, ok := r.Get(int(c.reg))
	if c.kind != inReg || !ok {
		return 0, fmt.Errorf("the frame is relative to register %d, which is not known", c.reg)
	}
	return v + uint64(c.off), nil
}

// value carries a rule out.
func (u *Unwinder) value(c *rule, i int, r *Regs, cfa uint64) (v uint64, ok bool, err error) {
	switch c.kind {
	case same:
		v, ok = r.Get(i)
		return v, ok, nil
	case saved:
		v, err = u.word(cfa + uint64(c.off))
	case isCFA:
		v = cfa + uint64(c.off)
	case inReg:
		v, ok = r.Get(int(c.reg))
		return v, ok, nil
	case atExpr:
		if v, err = u.eval(c.expr, r, &cfa); err == nil {
			v, err = u.word(v)
		}
	case isExpr:
		v, err = u.eval(c.expr, r, &cfa)
	default:
		return 0, false, nil
	}
	return v, err == nil, err
}

const maxKept = 64 // depth of DW_CFA_remember_state

// run carries out instructions up to an address.
func (p *program) run(code []byte, pc uint64) error {
	r := &reader{b: code}
	for r.more() {
		op := r.u8()
		switch low := uint64(op & 0x3f); op >> 6 {
		case 1: // DW_CFA_advance_loc
			if p.advance(low, pc) {
				return nil
			}
		case 2: // DW_CFA_offset
			p.set(low, rule{kind: saved, off: int64(r.uleb()) * p.dataAlign})
		case 3: // DW_CFA_restore
			p.restore(low)
		default:
			done, err := p.other(r, op, pc)
			if done || err != nil {
				return err
			}
		}
	}
	return r.err
}

// advance goes on to the next row; it says whether that is beyond pc.
func (p *program) advance(n, pc uint64) bool {
	p.loc += n * p.codeAlign
	return p.loc > pc
}

func (p *program) set(reg uint64, to rule) {
	if reg < maxRegs { // vector registers have rules that nobody here needs
		p.rules[reg] = to
	}
}

func (p *program) restore(reg uint64) {
	if reg < maxRegs {
		p.rules[reg] = p.initialRow.rules[reg]
	}
}

// other carries out an instruction that has no operand in its first byte.
func (p *program) other(r *reader, op byte, pc uint64) (done bool, err error) {
	switch op {
	case 0x00: // DW_CFA_nop
	case 0x01: // set_loc
		p.loc = r.pointer(p.pointers, 0)
		return p.loc > pc, nil
	case 0x02: // advance_loc1
		return p.advance(uint64(r.u8()), pc), nil
	case 0x03:
		return p.advance(uint64(r.u16()), pc), nil
	case 0x04:
		return p.advance(uint64(r.u32()), pc), nil
	case 0x05: // offset_extended
		reg := r.uleb()
		p.set(reg, rule{kind: saved, off: int64(r.uleb()) * p.dataAlign})
	case 0x06: // restore_extended
		p.restore(r.uleb())
	case 0x07: // undefined
		p.set(r.uleb(), rule{kind: undefined})
	case 0x08: // same_value
		p.set(r.uleb(), rule{})
	case 0x09: // register
		reg := r.uleb()
		p.set(reg, rule{kind: inReg, reg: min(r.uleb(), maxRegs-1)})
	case 0x0a: // remember_state
		if len(p.kept) == maxKept {
			return false, errors.New("too many rows are remembered")
		}
		p.kept = append(p.kept, p.row)
	case 0x0b: // restore_state
		if len(p.kept) == 0 {
			return false, errors.New("a row is taken back that nobody remembered")
		}
		p.row, p.kept = p.kept[len(p.kept)-1], p.kept[:len(p.kept)-1]
	case 0x2d: // AArch64: DW_CFA_AARCH64_negate_ra_state
	case 0x2e: // GNU_args_size
		r.uleb()
	default:
		return false, p.frame(r, op)
	}
	return false, nil
}

// frame carries out what is about the frame address, and expressions.
func (p *program) frame(r *reader, op byte) error {
	block := func() []byte {
		n := r.uleb()
		if n > uint64(len(r.b)-r.pos) {
			r.fail()
			n = 0
		}
		return r.take(int(n))
	}
	switch op {
	case 0x0c: // DW_CFA_def_cfa
		reg := min(r.uleb(), maxRegs-1)
		p.cfa = rule{kind: inReg, reg: reg, off: int64(r.uleb())}
	case 0x0d: // def_cfa_register
		p.cfa.kind, p.cfa.reg = inReg, min(r.uleb(), maxRegs-1)
	case 0x0e: // def_cfa_offset
		p.cfa.off = int64(r.uleb())
	case 0x0f: // def_cfa_expression
		p.cfa = rule{kind: isExpr, expr: block()}
	case 0x10: // expression
		reg := r.uleb()
		p.set(reg, rule{kind: atExpr, expr: block()})
	case 0x11: // offset_extended_sf
		reg := r.uleb()
		p.set(reg, rule{kind: saved, off: r.sleb() * p.dataAlign})
	case 0x12: // def_cfa_sf
		reg := min(r.uleb(), maxRegs-1)
		p.cfa = rule{kind: inReg, reg: reg, off: r.sleb() * p.dataAlign}
	case 0x13: // def_cfa_offset_sf
		p.cfa.off = r.sleb() * p.dataAlign
	case 0x14: // val_offset
		reg := r.uleb()
		p.set(reg, rule{kind: isCFA, off: int64(r.uleb()) * p.dataAlign})
	case 0x15: // val_offset_sf
		reg := r.uleb()
		p.set(reg, rule{kind: isCFA, off: r.sleb() * p.dataAlign})
	case 0x16: // val_expression
		reg := r.uleb()
		p.set(reg, rule{kind: isExpr, expr: block()})
	default:
		return fmt.Errorf("instruction 0x%02x of an unwind table is unknown", op)
	}
	return r.err
}
