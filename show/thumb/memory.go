package thumb

// memory prints addresses in memory.
func (o *operands) memory(name string) bool {
	base := regs[o.field(16, 4)]
	switch name {
	case "off12":
		o.offset(o.field(0, 12))
	case "off8":
		o.offset(o.field(0, 8))
	case "off8*4":
		o.offset(o.field(0, 8) * 4)
	case "lit8":
		o.str("[pc, #")
		o.refer(o.field(0, 8)*4, false)
		o.str("]")
	case "lit12":
		o.literal(o.field(0, 12), !o.bit(23))
	case "litd":
		o.literal(o.field(0, 8)*4, !o.bit(23))
	case "adr8":
		o.refer(o.field(0, 8)*4, false)
	case "adr12": // ADDW and SUBW say by their names which way
		o.refer(o.imm12(), o.bit(23))
	case "index":
		o.str("[" + base + ", " + regs[o.field(0, 4)])
		if n := o.field(4, 2); n != 0 {
			o.str(", lsl #")
			o.num(n)
		}
		o.str("]")
	case "dual":
		o.indexed(base, o.field(0, 8)*4, o.bit(24), o.bit(23), o.bit(21))
	default:
		return false
	}
	return true
}

// offset prints an offset that is not 0.
func (o *operands) offset(n uint32) {
	if n != 0 {
		o.str(", #")
		o.num(n)
	}
}

// literal prints an address relative to the program counter.
func (o *operands) literal(n uint32, minus bool) {
	switch {
	case minus:
		o.str("[pc, #-")
	case n == 0:
		o.inst.Target, o.inst.Refers = (o.pc+4)&^3, true
		o.str("[pc]")
		return
	default:
		o.str("[pc, #")
	}
	o.refer(n, minus)
	o.str("]")
}

// refer prints a distance to the program counter, which counts from a word.
func (o *operands) refer(n uint32, minus bool) {
	o.inst.Target, o.inst.Refers = (o.pc+4)&^3+n, true
	if minus {
		o.inst.Target = (o.pc+4)&^3 - n
	}
	o.num(n)
}

// indexed prints an address with an offset before or after the access, and
// written back or not (DDI 0406C, A4.6.5).
func (o *operands) indexed(base string, n uint32, before, plus, back bool) {
	o.str("[" + base)
	if !before {
		o.str("]")
	}
	if n != 0 || !plus || back {
		o.str(", #")
		if !plus {
			o.str("-")
		}
		o.num(n)
	}
	if before {
		o.str("]")
		if back {
			o.str("!")
		}
	}
}

// minus prints an address with eight bits of offset and P, U, W (DDI 0406C,
// A8.8.63, encoding T4).
func (o *operands) minus() bool {
	before, plus, back := o.bit(10), o.bit(9), o.bit(8)
	if !back && (!before || plus) {
		return false
	}
	// Written back into the register that is loaded or stored: unpredictable.
	if back && o.field(16, 4) == o.field(12, 4) {
		return false
	}
	o.indexed(regs[o.field(16, 4)], o.field(0, 8), before, plus, back)
	return true
}
