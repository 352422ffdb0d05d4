package thumb

import (
	"math/bits"
	"strconv"
	"strings"
)

// operands prints the operands of one instruction.
type operands struct {
	w    uint32 // a second halfword below the first
	pc   uint32 // address of the instruction
	it   uint8  // ITSTATE
	b    []byte
	inst Inst
}

var (
	regs  = [16]string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "sl", "fp", "ip", "sp", "lr", "pc"}
	conds = [16]string{"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "", ""}
	// The domains of DMB and DSB (DDI 0406C, A8.8.43; those with ld: DDI 0487).
	barriers = [16]string{1: "oshld", 2: "oshst", 3: "osh", 5: "nshld", 6: "unst", 7: "un", 9: "ishld", 10: "ishst", 11: "ish", 13: "ld", 14: "st", 15: "sy"}
	shifts   = [4]string{", lsl #", ", lsr #", ", asr #", ", ror #"}
	// Prefixes of parallel additions (DDI 0406C, A6.3.13, A6.3.14): bits 4 to 6.
	parallels = [8]string{0: "s", 1: "q", 2: "sh", 4: "u", 5: "uq", 6: "uh"}
)

// format fills in a template. False means that the bits are no instruction, or
// an unpredictable one.
//
// An operand is a word in braces: r and R with the lowest bit of a register
// field of three or four bits; u with the lowest bit of a number, a dot, its
// width, and maybe a factor (u6.5*4); anything else is a name. Braces within
// braces stand for themselves.
func (o *operands) format(text string) bool {
	if text == "" {
		return false
	}
	for text != "" {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			break
		}
		o.b = append(o.b, text[:i]...)
		text = text[i+1:]
		outer := strings.HasPrefix(text, "{")
		if outer {
			o.b, text = append(o.b, '{'), text[1:]
		}
		name, rest, _ := strings.Cut(text, "}")
		if !o.operand(name) {
			return false
		}
		text = rest
		if outer {
			o.b, text = append(o.b, '}'), strings.TrimPrefix(text, "}")
		}
	}
	o.b = append(o.b, text...)
	return true
}

// field gives the bits from lo on.
func (o *operands) field(lo, width int) uint32 { return o.w >> lo & (1<<width - 1) }

func (o *operands) bit(n int) bool { return o.w>>n&1 != 0 }

func (o *operands) str(s string) { o.b = append(o.b, s...) }

func (o *operands) num(v uint32) { o.b = strconv.AppendUint(o.b, uint64(v), 10) }

// flag prints s if a bit is set.
func (o *operands) flag(n int, s string) {
	if o.bit(n) {
		o.str(s)
	}
}

// operand prints the operand of a name.
func (o *operands) operand(name string) bool {
	switch n := name[1:]; {
	case name[0] == 'r' && n[0] <= '9':
		o.str(regs[o.field(number(n), 3)])
		return true
	case name[0] == 'R':
		o.str(regs[o.field(number(n), 4)])
		return true
	case name[0] == 'u' && n[0] <= '9':
		lo, width, _ := strings.Cut(n, ".")
		width, by, ok := strings.Cut(width, "*")
		v := o.field(number(lo), number(width))
		if ok {
			v *= uint32(number(by))
		}
		o.num(v)
		return true
	}
	if ok, known := o.condition(name); known {
		return ok
	}
	if ok, known := o.immediate(name); known {
		return ok
	}
	if o.branch(name) || o.memory(name) || o.extension(name) {
		return true
	}
	return o.other(name)
}

// number reads the digits of a template.
func number(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// condition prints what depends on the IT block, or begins one.
func (o *operands) condition(name string) (ok, known bool) {
	inside := o.it&15 != 0
	switch name {
	case "c":
		if inside {
			o.str(conds[o.it>>4])
		}
	case "s": // the flags are set outside IT blocks only (DDI 0406C, A6.2.1)
		if inside {
			o.str(conds[o.it>>4])
		} else {
			o.str("s")
		}
	case "S":
		o.flag(20, "s")
	case "free": // unpredictable in an IT block
		return !inside, true
	case "cond8":
		o.str(conds[o.field(8, 4)])
	case "cond22":
		o.str(conds[o.field(22, 4)])
	case "firstcond":
		if cond := o.field(4, 4); cond < 14 {
			o.str(conds[cond])
		} else {
			o.str("al")
			// There is no opposite of always.
			return cond == 14 && bits.OnesCount32(o.w&15) == 1, true
		}
	case "then":
		for i := 3; o.w&(1<<i-1) != 0; i-- {
			if o.bit(i) == o.bit(4) {
				o.str("t")
			} else {
				o.str("e")
			}
		}
	default:
		return false, false
	}
	return true, true
}

// immediate prints the numbers whose bits are not in one place.
func (o *operands) immediate(name string) (ok, known bool) {
	imm5 := o.field(12, 3)<<2 | o.field(6, 2)
	switch name {
	case "sh32":
		o.num((o.field(6, 5)+31)&31 + 1)
	case "mod":
		v, ok := expand(o.imm12())
		o.num(v)
		return ok, true
	case "imm12":
		o.num(o.imm12())
	case "imm16":
		o.num(o.field(16, 4)<<12 | o.imm12())
	case "vimm":
		o.num(o.field(16, 4)<<4 | o.field(0, 4))
	case "udf16":
		o.num(o.field(16, 4)<<12 | o.field(0, 12))
	case "lsb":
		o.num(imm5)
	case "width":
		o.num(o.field(0, 5) + 1)
		return imm5+o.field(0, 5) < 32, true
	case "msb":
		o.num(o.field(0, 5) - imm5 + 1)
		return o.field(0, 5) >= imm5, true
	case "sat4":
		o.num(o.field(0, 4) + 1)
	case "sat5":
		o.num(o.field(0, 5) + 1)
	case "satshift":
		if o.bit(21) {
			o.str(", asr #")
			o.num(imm5)
			return imm5 != 0, true
		}
		if imm5 != 0 {
			o.str(", lsl #")
			o.num(imm5)
		}
	case "shift":
		o.shift(o.field(4, 2), imm5)
	default:
		return false, false
	}
	return true, true
}

// imm12 is i:imm3:imm8 (DDI 0406C, A6.3.2).
func (o *operands) imm12() uint32 { return o.field(26, 1)<<11 | o.field(12, 3)<<8 | o.field(0, 8) }

// expand is ThumbExpandImm (DDI 0406C, A6.3.2). False is an unpredictable one.
func expand(imm uint32) (uint32, bool) {
	v := imm & 0xff
	switch imm >> 8 {
	case 0:
		return v, true
	case 1:
		return v<<16 | v, v != 0
	case 2:
		return v<<24 | v<<8, v != 0
	case 3:
		return v * 0x01010101, v != 0
	}
	return bits.RotateLeft32(v|0x80, -int(imm>>7)), true
}

// shift prints a shift of a register (DecodeImmShift, DDI 0406C, A8.4.3).
func (o *operands) shift(kind, n uint32) {
	switch {
	case n == 0 && kind == 0:
		return
	case n == 0 && kind == 3:
		o.str(", rrx")
		return
	case n == 0:
		n = 32
	}
	o.str(shifts[kind])
	o.num(n)
}

// branch prints the address that a branch goes to. The program counter reads as
// four bytes ahead (DDI 0406C, A2.3).
func (o *operands) branch(name string) bool {
	var off uint32
	switch name {
	case "b8":
		off = signed(o.field(0, 8)<<1, 9)
	case "b11":
		off = signed(o.field(0, 11)<<1, 12)
	case "cb":
		off = o.field(9, 1)<<6 | o.field(3, 5)<<1
	case "b20":
		off = signed(o.field(26, 1)<<20|o.field(11, 1)<<19|o.field(13, 1)<<18|o.field(16, 6)<<12|o.field(0, 11)<<1, 21)
	case "b24", "blx24":
		s := o.field(26, 1)
		i1, i2 := 1^s^o.field(13, 1), 1^s^o.field(11, 1)
		off = signed(s<<24|i1<<23|i2<<22|o.field(16, 10)<<12|o.field(0, 11)<<1, 25)
	default:
		return false
	}
	ahead := o.pc + 4
	if name == "blx24" { // to Arm code, which is aligned to words
		ahead &^= 3
	}
	o.inst.Target, o.inst.Refers, o.inst.Branch = ahead+off, true, true
	o.str("0x")
	o.b = strconv.AppendUint(o.b, uint64(o.inst.Target), 16)
	return true
}

// signed extends the sign of a number of n bits.
func signed(v uint32, n int) uint32 { return uint32(int32(v<<(32-n)) >> (32 - n)) }

// extension prints the registers of the floating-point extension (DDI 0406C,
// A7.3): the odd bit is the lowest one of a single, the highest of a double.
func (o *operands) extension(name string) bool {
	single := func(lo, odd int) { o.str("s"); o.num(o.field(lo, 4)<<1 | o.field(odd, 1)) }
	double := func(lo, odd int) { o.str("d"); o.num(o.field(odd, 1)<<4 | o.field(lo, 4)) }
	switch name {
	case "sd":
		single(12, 22)
	case "sn":
		single(16, 7)
	case "sm":
		single(0, 5)
	case "dd":
		double(12, 22)
	case "dn":
		double(16, 7)
	case "dm":
		double(0, 5)
	default:
		return false
	}
	return true
}

// other prints the rest.
func (o *operands) other(name string) bool {
	switch name {
	case "hi":
		o.str(regs[o.field(7, 1)<<3|o.field(0, 3)])
	case "x8":
		o.b = append(o.b, '0', '0', "0123456789abcdef"[o.field(4, 4)], "0123456789abcdef"[o.field(0, 4)])
	case "ie":
		o.str([2]string{"ie", "id"}[o.field(4, 1)])
	case "aif":
		return o.letters("aif", o.field(0, 3))
	case "aif5":
		return o.letters("aif", o.field(5, 3))
	case "fsxc":
		return o.letters("fsxc", o.field(8, 4))
	case "barrier":
		o.str(barriers[o.field(0, 4)])
		return barriers[o.field(0, 4)] != ""
	case "parallel":
		p := parallels[o.field(4, 3)]
		o.str(p)
		return p != ""
	case "twice": // the register is in two fields, which have to be equal
		o.str(regs[o.field(0, 4)])
		return o.field(0, 4) == o.field(16, 4)
	case "bt4":
		o.str([2]string{"b", "t"}[o.field(4, 1)])
	case "bt5":
		o.str([2]string{"b", "t"}[o.field(5, 1)])
	case "x4":
		o.flag(4, "x")
	case "round4":
		o.flag(4, "r")
	case "ror":
		if n := o.field(4, 2); n != 0 {
			o.str(", ror #")
			o.num(n * 8)
		}
	case "minus":
		return o.minus()
	default:
		return o.list(name)
	}
	return true
}

// letters prints the letters of the bits that are set, the first letter being of
// the highest bit.
func (o *operands) letters(all string, set uint32) bool {
	for i := range len(all) {
		if set>>(len(all)-1-i)&1 != 0 {
			o.b = append(o.b, all[i])
		}
	}
	return set != 0
}

// list prints lists of registers, and whether the base is written back.
func (o *operands) list(name string) bool {
	switch name {
	case "list8":
		set := o.field(0, 8)
		if o.w>>12 == 0xb && o.bit(8) {
			set |= 1 << [2]int{14, 15}[o.field(11, 1)]
		}
		return o.registers(set)
	case "list16": // of one register: unpredictable; so is a base in the list
		set := o.field(0, 16)
		if o.bit(20) && set>>14 == 3 || o.bit(21) && set>>o.field(16, 4)&1 != 0 {
			return false
		}
		return bits.OnesCount32(set) > 1 && o.field(16, 4) != 15 && o.registers(set)
	case "back8":
		if o.w>>o.field(8, 3)&1 == 0 {
			o.str("!")
		}
	case "back21":
		o.flag(21, "!")
	case "slist":
		first, n := o.field(12, 4)<<1|o.field(22, 1), o.field(0, 8)
		return o.extensions("s", first, n)
	case "dlist":
		first, n := o.field(22, 1)<<4|o.field(12, 4), o.field(0, 8)
		return n&1 == 0 && n <= 32 && o.extensions("d", first, n/2)
	default:
		return false
	}
	return true
}

func (o *operands) registers(set uint32) bool {
	o.str("{")
	for i, sep := 0, ""; i < 16; i++ {
		if set>>i&1 != 0 {
			o.str(sep + regs[i])
			sep = ", "
		}
	}
	o.str("}")
	return set != 0
}

// extensions prints n registers from first on.
func (o *operands) extensions(letter string, first, n uint32) bool {
	if n == 0 || first+n > 32 {
		return false
	}
	o.str("{" + letter)
	o.num(first)
	if n > 1 {
		o.str("-" + letter)
		o.num(first + n - 1)
	}
	o.str("}")
	return true
}
