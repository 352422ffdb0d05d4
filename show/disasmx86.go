package show

import (
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// decodeX86 decodes one instruction of x86, of 32 or 64 bits.
func decodeX86(b []byte, pc uint64, mode int) insn {
	if text, size := x86Extra(b); size > 0 {
		return insn{size: size, text: text}
	}
	b = b[:min(len(b), 15)] // Intel SDM 2.3.11: no instruction is longer
	inst, err := x86asm.Decode(b, mode)
	if err != nil || inst.Op == 0 || inst.Len == 0 {
		return x86Unknown(b, pc, mode)
	}
	return x86Insn(inst, pc, mode)
}

// x86Insn prints a decoded instruction.
func x86Insn(inst x86asm.Inst, pc uint64, mode int) insn {
	out := insn{size: inst.Len}
	end := pc + uint64(inst.Len)
	for i, arg := range inst.Args {
		switch a := arg.(type) {
		case x86asm.Rel:
			out.target, out.refers, out.branch = end+uint64(int64(a)), true, true
		case x86asm.Mem:
			if a.Base == x86asm.RIP {
				out.target, out.refers = end+uint64(int64(int32(a.Disp))), true
			}
			inst.Args[i] = x86Mem(a)
		}
	}
	if mode == 32 {
		out.target &= 1<<32 - 1
	}
	out.text = x86asm.GNUSyntax(inst, pc, nil)
	// DS in front of an indirect branch is CET's NOTRACK (Intel SDM, volume 1,
	// "No-track Prefix").
	if branch, ok := strings.CutPrefix(out.text, "ds "); ok && (inst.Op == x86asm.JMP || inst.Op == x86asm.CALL) {
		out.text = "notrack " + branch
	}
	return out
}

// x86Mem brings a memory operand into the form in which it is written: the
// displacement is signed, and an index that is no register is not named.
func x86Mem(m x86asm.Mem) x86asm.Mem {
	if m.Base == 0 && m.Index == 0 {
		return m
	}
	m.Disp = int64(int32(m.Disp))
	if m.Index == 0 && m.Base != 0 {
		m.Scale = 0
	}
	return m
}

// x86Fixed are instructions of fixed bytes that x86asm does not know, or takes
// for longer ones (Intel SDM, volume 2).
var x86Fixed = []struct{ bytes, text string }{
	{"\xf3\x0f\x1e\xfa", "endbr64"},
	{"\xf3\x0f\x1e\xfb", "endbr32"},
	{"\xf3\x0f\x01\xea", "saveprevssp"},
	{"\xf3\x0f\x01\xe8", "setssbsy"},
	{"\x0f\x01\xee", "rdpkru"},
	{"\x0f\x01\xef", "wrpkru"},
	{"\xc5\xf8\x77", "vzeroupper"},
	{"\xc5\xfc\x77", "vzeroall"},
}

// x86Extra decodes what x86asm does not know and real programs have: it would
// take the prefix for an instruction, and what follows for another one.
func x86Extra(b []byte) (text string, size int) {
	for _, e := range x86Fixed {
		if strings.HasPrefix(string(b[:min(len(b), 4)]), e.bytes) {
			return e.text, len(e.bytes)
		}
	}
	return "", 0
}

// x86Unknown handles what x86asm does not decode.
func x86Unknown(b []byte, pc uint64, mode int) insn {
	if i, ok := x86Adx(b, pc, mode); ok {
		return i
	}
	n := x86Length(b, mode)
	if n > len(b) {
		n = 1
	}
	return byteInsn(b, n)
}

// x86Adx decodes ADCX (66 0F 38 F6) and ADOX (F3 0F 38 F6), which x86asm does
// not know. Their operands are those of IMUL (0F AF), two bytes shorter.
func x86Adx(b []byte, pc uint64, mode int) (insn, bool) {
	if len(b) < 5 || b[0] != 0x66 && b[0] != 0xf3 {
		return insn{}, false
	}
	name, rest := "adcx", b[1:]
	if b[0] == 0xf3 {
		name = "adox"
	}
	var like []byte
	if mode == 64 && rest[0]&0xf0 == 0x40 {
		like, rest = append(like, rest[0]), rest[1:]
	}
	if len(rest) < 4 || rest[0] != 0x0f || rest[1] != 0x38 || rest[2] != 0xf6 {
		return insn{}, false
	}
	like = append(append(like, 0x0f, 0xaf), rest[3:]...)
	inst, err := x86asm.Decode(like, mode)
	if err != nil || inst.Op != x86asm.IMUL {
		return insn{}, false
	}
	inst.Len += 2
	out := x86Insn(inst, pc, mode)
	_, operands, _ := strings.Cut(out.text, " ")
	out.text = name + " " + operands
	return out, true
}

// x86Length is the length of an instruction that is not known, where its form
// tells it, so that what follows is decoded from its true start: those of VEX,
// EVEX and XOP, and those of two or three opcode bytes have a ModRM byte (Intel
// SDM, volume 2, appendix A). For all others it is 1.
func x86Length(b []byte, mode int) int {
	i := 0
	for i < len(b) && strings.IndexByte("\x66\xf2\xf3\xf0\x2e\x36\x3e\x26\x64\x65", b[i]) >= 0 {
		i++
	}
	if mode == 64 && i < len(b) && b[i]&0xf0 == 0x40 {
		i++
	}
	if i+3 >= len(b) {
		return 1
	}
	opcode, table := x86Table(b[i:], mode)
	if opcode == 0 || i+opcode >= len(b) {
		return 1
	}
	n := x86ModRM(b[i+opcode:])
	if n == 0 {
		return 1
	}
	return i + opcode + n + x86Imm(table, b[i+opcode-1])
}

// x86Table gives how many bytes stand in front of the ModRM byte, and the number
// of the opcode table: 1 for 0F, 2 for 0F 38, 3 for 0F 3A, 8 to 10 for XOP's.
func x86Table(b []byte, mode int) (n, table int) {
	vex := mode == 64 || b[1]&0xc0 == 0xc0 // else LES, LDS, BOUND
	switch {
	case b[0] == 0xc5 && vex:
		return 3, 1
	case b[0] == 0xc4 && vex:
		return 4, int(b[1] & 0x1f)
	case b[0] == 0x62 && vex:
		return 5, int(b[1] & 7)
	case b[0] == 0x8f && b[1]&0x1f >= 8:
		return 4, int(b[1] & 0x1f)
	case b[0] == 0x0f && b[1] == 0x38:
		return 3, 2
	case b[0] == 0x0f && b[1] == 0x3a:
		return 3, 3
	case b[0] == 0x0f && strings.IndexByte("\x00\x01\x0d\x0f\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\xae\xc7", b[1]) >= 0:
		return 2, 1 // groups, to which new instructions are added
	}
	return 0, 0
}

// x86ModRM is the length of a ModRM byte with what belongs to it.
func x86ModRM(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	mod, rm := b[0]>>6, b[0]&7
	n := 1
	if mod != 3 && rm == 4 {
		if len(b) < 2 {
			return 0
		}
		if n++; mod == 0 && b[1]&7 == 5 {
			n += 4
		}
	}
	switch {
	case mod == 1:
		n++
	case mod == 2, mod == 0 && rm == 5:
		n += 4
	}
	return n
}

// x86Imm is the length of the immediate operand.
func x86Imm(table int, opcode byte) int {
	switch table {
	case 1:
		switch opcode {
		case 0x0f, 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6: // 0F 0F is 3DNow!
			return 1
		}
	case 3, 8:
		return 1
	case 10:
		return 4
	}
	return 0
}
