package unwind

import (
	"errors"
	"fmt"
)

// Bounds of an expression: those in use have a dozen operations.
const (
	maxSteps = 1000
	maxStack = 64
)

var errStack = errors.New("an expression of an unwind table takes more than it has")

// machine carries out DWARF expressions (DWARF 5, section 2.5).
type machine struct {
	stack []uint64
	err   error
}

func (m *machine) push(v uint64) {
	if len(m.stack) == maxStack {
		m.err = errStack
		return
	}
	m.stack = append(m.stack, v)
}

func (m *machine) pop() uint64 {
	if len(m.stack) == 0 {
		m.err = errStack
		return 0
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v
}

// eval evaluates an expression; first is what it begins with, if anything.
func (u *Unwinder) eval(expr []byte, regs *Regs, first *uint64) (uint64, error) {
	m := &machine{}
	if first != nil {
		m.push(*first)
	}
	r := &reader{b: expr}
	for n := 0; r.more() && m.err == nil; n++ {
		if n == maxSteps {
			return 0, errors.New("an expression of an unwind table does not end")
		}
		if err := u.operation(m, r, regs); err != nil {
			return 0, err
		}
	}
	v := m.pop()
	return v, errors.Join(m.err, r.err)
}

func (u *Unwinder) operation(m *machine, r *reader, regs *Regs) error {
	op := r.u8()
	switch {
	case op >= 0x30 && op <= 0x4f: // DW_OP_lit0 …
		m.push(uint64(op - 0x30))
	case op >= 0x70 && op <= 0x8f: // DW_OP_breg0 …
		return u.register(m, regs, uint64(op-0x70), r.sleb())
	case op == 0x92: // DW_OP_bregx
		reg := r.uleb()
		return u.register(m, regs, reg, r.sleb())
	case op == 0x03 || op == 0x0e || op == 0x0f: // addr, const8u, const8s
		m.push(r.u64())
	case op == 0x06: // deref
		v, err := u.word(m.pop())
		if err != nil {
			return err
		}
		m.push(v)
	case op >= 0x08 && op <= 0x11:
		m.constant(r, op)
	case op == 0x23: // plus_uconst
		m.push(m.pop() + r.uleb())
	case op == 0x28: // bra
		by := int(int16(r.u16()))
		if m.pop() != 0 {
			r.jump(by)
		}
	case op == 0x2f: // skip
		r.jump(int(int16(r.u16())))
	default:
		return m.compute(op)
	}
	return nil
}

func (r *reader) jump(by int) {
	if to := r.pos + by; to < 0 || to > len(r.b) {
		r.fail()
	} else {
		r.pos = to
	}
}

func (u *Unwinder) register(m *machine, regs *Regs, reg uint64, off int64) error {
	if reg >= maxRegs {
		return fmt.Errorf("an expression of an unwind table needs register %d", reg)
	}
	v, ok := regs.Get(int(reg))
	if !ok {
		return fmt.Errorf("an expression of an unwind table needs register %d, which is not known", reg)
	}
	m.push(v + uint64(off))
	return nil
}

func (m *machine) constant(r *reader, op byte) {
	switch op {
	case 0x08:
		m.push(uint64(r.u8()))
	case 0x09:
		m.push(uint64(int64(int8(r.u8()))))
	case 0x0a:
		m.push(uint64(r.u16()))
	case 0x0b:
		m.push(uint64(int64(int16(r.u16()))))
	case 0x0c:
		m.push(uint64(r.u32()))
	case 0x0d:
		m.push(uint64(int64(int32(r.u32()))))
	case 0x10:
		m.push(r.uleb())
	case 0x11:
		m.push(uint64(r.sleb()))
	}
}

// compute carries out an operation of the stack alone.
func (m *machine) compute(op byte) error {
	switch op {
	case 0x12: // dup
		v := m.pop()
		m.push(v)
		m.push(v)
		return nil
	case 0x13: // drop
		m.pop()
		return nil
	case 0x16: // swap
		b, a := m.pop(), m.pop()
		m.push(b)
		m.push(a)
		return nil
	case 0x1f: // neg
		m.push(-m.pop())
		return nil
	case 0x20: // not
		m.push(^m.pop())
		return nil
	}
	b, a := m.pop(), m.pop()
	truth := map[byte]bool{0x29: a == b, 0x2a: int64(a) >= int64(b), 0x2b: int64(a) > int64(b), 0x2c: int64(a) <= int64(b), 0x2d: int64(a) < int64(b), 0x2e: a != b}
	if t, ok := truth[op]; ok {
		m.push(0)
		if t {
			m.stack[len(m.stack)-1] = 1
		}
		return nil
	}
	switch op {
	case 0x1a:
		m.push(a & b)
	case 0x1c:
		m.push(a - b)
	case 0x1e:
		m.push(a * b)
	case 0x21:
		m.push(a | b)
	case 0x22:
		m.push(a + b)
	case 0x24:
		m.push(a << b)
	case 0x25:
		m.push(a >> b)
	case 0x27:
		m.push(a ^ b)
	default:
		return fmt.Errorf("operation 0x%02x of an expression of an unwind table is unknown", op)
	}
	return nil
}
