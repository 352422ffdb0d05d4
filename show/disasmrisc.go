package show

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/arch/arm/armasm"
	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/riscv64/riscv64asm"
)

// one lets one goroutine at a time decode: the decoders of AArch64, Arm and RISC-V
// note in a global table which of their rows they have used (decoderCover).
var one sync.Mutex

// alone calls a decoder.
func alone[T any](decode func() (T, error)) (T, error) {
	one.Lock()
	defer one.Unlock()
	return decode()
}

// decodeA64 decodes an instruction of AArch64.
func decodeA64(b []byte, pc uint64) insn {
	if len(b) < 4 {
		return byteInsn(b, 1)
	}
	inst, err := alone(func() (arm64asm.Inst, error) { return arm64asm.Decode(b) })
	if err != nil {
		return insn{size: 4, kind: insnUnknown, text: fmt.Sprintf(".inst 0x%08x", binary.LittleEndian.Uint32(b))}
	}
	out := insn{size: 4, text: arm64asm.GNUSyntax(inst)}
	if inst.Op == arm64asm.HINT {
		if h, ok := inst.Args[0].(arm64asm.Imm_hint); ok && a64Hints[uint8(h)] != "" {
			out.text = a64Hints[uint8(h)]
		}
	}
	for _, a := range inst.Args {
		rel, ok := a.(arm64asm.PCRel)
		if !ok {
			continue
		}
		base := pc
		if inst.Op == arm64asm.ADRP {
			base &^= 0xfff
		}
		out.target, out.refers = base+uint64(rel), true
		if i := strings.LastIndex(out.text, ".+0x"); i >= 0 {
			out.text, out.branch = out.text[:i]+hexAddr(out.target), true
		}
	}
	return out
}

// a64Hints are the names of the HINT instruction's numbers (Arm ARM, C6.2 HINT).
var a64Hints = map[uint8]string{
	0: "nop", 1: "yield", 2: "wfe", 3: "wfi", 4: "sev", 5: "sevl", 6: "dgh", 7: "xpaclri",
	8: "pacia1716", 10: "pacib1716", 12: "autia1716", 14: "autib1716", 16: "esb", 17: "psb csync", 18: "tsb csync",
	20: "csdb", 22: "clearbhb", 24: "paciaz", 25: "paciasp", 26: "pacibz", 27: "pacibsp",
	28: "autiaz", 29: "autiasp", 30: "autibz", 31: "autibsp", 32: "bti", 34: "bti c", 36: "bti j", 38: "bti jc",
}

// decodeA32 decodes an instruction of Arm in its little-endian form.
func decodeA32(b []byte, pc uint64) insn {
	if len(b) < 4 {
		return byteInsn(b, 1)
	}
	word := binary.LittleEndian.Uint32(b)
	inst, err := alone(func() (armasm.Inst, error) { return armasm.Decode(b, armasm.ModeARM) })
	if err != nil || inst.Len != 4 {
		return insn{size: 4, kind: insnUnknown, text: fmt.Sprintf(".inst 0x%08x", word)}
	}
	out := insn{size: 4, text: armasm.GNUSyntax(inst)}
	// The program counter reads as two instructions ahead (Arm ARM, "ARM core
	// registers").
	ahead := uint32(pc) + 8
	for _, a := range inst.Args {
		switch a := a.(type) {
		case armasm.PCRel:
			out.target, out.refers = uint64(ahead+uint32(a)), true
			if i := strings.LastIndexByte(out.text, ' '); i >= 0 && strings.HasPrefix(out.text[i+1:], ".") {
				out.text, out.branch = out.text[:i+1]+hexAddr(out.target), true
			}
		case armasm.Mem:
			if a.Base == armasm.PC && a.Mode == armasm.AddrOffset && a.Sign == 0 {
				out.target, out.refers = uint64(ahead&^3+uint32(int32(a.Offset))), true
			}
		}
	}
	return out
}

// riscvDecoder decodes RISC-V of 64 bits. It remembers what AUIPC put into a
// register, for the instruction that adds the lower bits.
type riscvDecoder struct {
	high [32]uint64
	set  [32]bool
	next uint64 // where the code goes on
}

// decode decodes the instruction at the start of b: compressed ones have two
// bytes (RISC-V unprivileged ISA, "Base Instruction-Length Encoding").
func (d *riscvDecoder) decode(b []byte, pc uint64) insn {
	size := 2
	if b[0]&3 == 3 {
		size = 4
	}
	if len(b) < size {
		return byteInsn(b, 1)
	}
	if pc != d.next {
		d.set = [32]bool{}
	}
	d.next = pc + uint64(size)
	inst, err := alone(func() (riscv64asm.Inst, error) { return riscv64asm.Decode(b[:size]) })
	if err != nil || inst.Len != size {
		if size == 2 {
			return insn{size: 2, kind: insnUnknown, text: fmt.Sprintf(".insn 2, 0x%04x", binary.LittleEndian.Uint16(b))}
		}
		return insn{size: 4, kind: insnUnknown, text: fmt.Sprintf(".insn 4, 0x%08x", binary.LittleEndian.Uint32(b))}
	}
	out := insn{size: size, text: riscvNames(riscv64asm.GNUSyntax(inst))}
	if size == 4 {
		out.text += riscvRounding(binary.LittleEndian.Uint32(b))
	}
	d.refer(&out, inst, pc)
	return out
}

// refer finds what an instruction refers to.
func (d *riscvDecoder) refer(out *insn, inst riscv64asm.Inst, pc uint64) {
	switch inst.Op {
	case riscv64asm.JAL, riscv64asm.BEQ, riscv64asm.BNE, riscv64asm.BLT, riscv64asm.BGE, riscv64asm.BLTU, riscv64asm.BGEU,
		riscv64asm.C_J, riscv64asm.C_BEQZ, riscv64asm.C_BNEZ:
		for _, a := range inst.Args {
			if s, ok := a.(riscv64asm.Simm); ok {
				out.target, out.refers = pc+uint64(int64(s.Imm)), true
			}
		}
		if out.size == 2 && (inst.Enc>>13&7) == 5 {
			out.target = pc + riscvJump(inst.Enc)
		}
		if i := strings.LastIndexAny(out.text, " ,"); out.refers && i >= 0 {
			out.text, out.branch = out.text[:i+1]+hexAddr(out.target), true
		}
		return
	}
	var low int64
	base := -1
	switch a := inst.Args[1].(type) {
	case riscv64asm.RegOffset:
		base, low = riscvReg(a.OfsReg), int64(a.Ofs.Imm)
	case riscv64asm.Reg:
		if s, ok := inst.Args[2].(riscv64asm.Simm); ok && inst.Op == riscv64asm.ADDI {
			base, low = riscvReg(a), int64(s.Imm)
		}
	}
	if base >= 0 && d.set[base] {
		out.target, out.refers = d.high[base]+uint64(low), true
	}
	if rd, ok := inst.Args[0].(riscv64asm.Reg); ok && riscvReg(rd) >= 0 {
		d.set[riscvReg(rd)] = false
		if u, ok := inst.Args[1].(riscv64asm.Uimm); ok && inst.Op == riscv64asm.AUIPC {
			d.high[riscvReg(rd)] = pc + uint64(int64(int32(u.Imm<<12)))
			d.set[riscvReg(rd)] = true
		}
	}
}

// riscvJump is the offset of C.J (RISC-V unprivileged ISA, chapter "C": CJ
// format, offset[11|4|9:8|10|6|7|3:1|5]), of which x/arch v0.32.0 takes bit 5 for
// bit 0 as well.
func riscvJump(w uint32) uint64 {
	off := w>>3&7<<1 | w>>11&1<<4 | w>>2&1<<5 | w>>7&1<<6 | w>>6&1<<7 | w>>9&3<<8 | w>>8&1<<10 | w>>12&1<<11
	return uint64(int64(int32(off<<20) >> 20))
}

// riscvReg is the number of an integer register, -1 for any other one.
func riscvReg(r riscv64asm.Reg) int {
	if r >= riscv64asm.X0 && r <= riscv64asm.X31 {
		return int(r - riscv64asm.X0)
	}
	return -1
}

// The names of the registers in the calling convention (RISC-V psABI, "Register
// Convention"), by which assemblers call them.
var (
	riscvInt = strings.Fields("zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6")
	riscvFP  = strings.Fields("ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11")
)

// riscvNames puts the convention's names for x0 to x31 and f0 to f31.
func riscvNames(text string) string {
	op, args, ok := strings.Cut(text, " ")
	if !ok {
		return text
	}
	out := []byte(op)
	out = append(out, ' ')
	for len(args) > 0 {
		n := 0
		for n < len(args) && (isAlnum(args[n])) {
			n++
		}
		if n == 0 {
			out, args = append(out, args[0]), args[1:]
			continue
		}
		out, args = append(out, riscvName(args[:n])...), args[n:]
	}
	return string(out)
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_'
}

func riscvName(word string) string {
	if len(word) < 2 || len(word) > 3 || word[0] != 'x' && word[0] != 'f' {
		return word
	}
	n := 0
	for _, c := range word[1:] {
		if c < '0' || c > '9' {
			return word
		}
		n = n*10 + int(c-'0')
	}
	switch {
	case n > 31:
		return word
	case word[0] == 'x':
		return riscvInt[n]
	}
	return riscvFP[n]
}

// riscvRounding is the rounding mode of a floating-point instruction as its last
// operand, which riscv64asm leaves out (RISC-V unprivileged ISA, table "Rounding
// mode encoding"): empty for the dynamic one, and where there is nothing to round.
func riscvRounding(word uint32) string {
	switch word & 0x7f {
	case 0x43, 0x47, 0x4b, 0x4f: // FMADD FMSUB FNMSUB FNMADD
	case 0x53: // OP-FP
		switch funct := word >> 27; funct {
		case 0, 1, 2, 3, 0x0b, 0x18: // FADD FSUB FMUL FDIV FSQRT, FCVT to integers
		case 0x08, 0x1a: // FCVT between formats and from integers: 0 is where nothing is rounded
			if word>>12&7 == 0 {
				return ""
			}
		default:
			return ""
		}
	default:
		return ""
	}
	modes := [8]string{",rne", ",rtz", ",rdn", ",rup", ",rmm", ",<rm 5>", ",<rm 6>", ""}
	return modes[word>>12&7]
}
