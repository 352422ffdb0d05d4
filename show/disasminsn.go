package show

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strconv"

	"elfwright/elffile"
	"elfwright/show/thumb"
)

// insn is one decoded instruction, or bytes that are none.
type insn struct {
	size   int
	text   string
	kind   insnKind
	target uint64 // the address that it branches to, or refers to
	refers bool   // there is one
	branch bool   // and the text ends with it
	halves bool   // its bytes are read as halfwords
}

type insnKind uint8

const (
	insnCode    insnKind = iota
	insnUnknown          // no decoder knows these bytes
	insnThumb            // Thumb, but none that the decoder knows
	insnData             // data, as a mapping symbol says
)

var insnKinds = [...]string{insnCode: "code", insnUnknown: "unknown", insnThumb: "thumb", insnData: "data"}

// insnDecoder decodes the instructions of a machine.
type insnDecoder struct {
	machine elf.Machine
	format  elffile.Format
	big     bool // instructions are big-endian
	unit    int  // bytes that are printed together
	decode  func(b []byte, pc uint64) insn
	t32     thumb.Decoder
}

// efArmBE8 is EF_ARM_BE8 (AAELF32, "e_flags"): data is big-endian, instructions
// are not.
const efArmBE8 = 0x00800000

// newInsnDecoder chooses the decoder of a file's machine.
func newInsnDecoder(f *elffile.File) (*insnDecoder, error) {
	d := &insnDecoder{machine: f.Header.Machine, format: f.Format, unit: 4}
	switch m := f.Header.Machine; {
	case m == elf.EM_X86_64: // x32 included: the instructions are those of 64 bits
		d.unit, d.decode = 1, func(b []byte, pc uint64) insn { return decodeX86(b, pc, 64) }
	case m == elf.EM_386 || m == elf.EM_486:
		d.unit, d.decode = 1, func(b []byte, pc uint64) insn { return decodeX86(b, pc, 32) }
	case m == elf.EM_AARCH64: // Arm ARM, "Endian support": A64 is little-endian always
		d.decode = decodeA64
	case m == elf.EM_ARM:
		d.big = f.Big() && f.Header.Flags&efArmBE8 == 0
		d.decode = decodeA32
	case m == elf.EM_RISCV && f.Is64():
		d.unit = 2
		d.decode = new(riscvDecoder).decode
	case m == elf.EM_RISCV:
		return nil, fmt.Errorf("RISC-V of 32 bits is not disassembled: its compressed instructions are not those of 64 bits")
	default:
		return nil, fmt.Errorf("%s is not disassembled, only x86-64, i386, AArch64, Arm and RISC-V (64 bits) are", elffile.MachineName(m))
	}
	return d, nil
}

// next decodes what is at the start of b, which is not empty. Kind is the
// mapping symbol's: 'd' for data, 't' for Thumb.
func (d *insnDecoder) next(b []byte, pc uint64, kind byte) insn {
	switch kind {
	case 'd':
		return d.data(b, pc)
	case 't':
		return d.thumb(b, pc)
	}
	if !d.big {
		return d.decode(b, pc)
	}
	if len(b) < 4 {
		return byteInsn(b, 1)
	}
	var w [4]byte
	binary.LittleEndian.PutUint32(w[:], binary.BigEndian.Uint32(b))
	return d.decode(w[:], pc)
}

// data prints up to four bytes of data, as much as the alignment allows.
func (d *insnDecoder) data(b []byte, pc uint64) insn {
	switch {
	case pc%4 == 0 && len(b) >= 4:
		return insn{size: 4, kind: insnData, text: fmt.Sprintf(".word 0x%08x", d.format.U32(b))}
	case pc%2 == 0 && len(b) >= 2:
		return insn{size: 2, kind: insnData, text: fmt.Sprintf(".short 0x%04x", d.format.U16(b))}
	}
	i := byteInsn(b, 1)
	i.kind = insnData
	return i
}

// thumb decodes a Thumb instruction. What the decoder does not know is printed as
// its one or two halfwords: a guess would be worse.
func (d *insnDecoder) thumb(b []byte, pc uint64) insn {
	if len(b) < 2 {
		return byteInsn(b, 1)
	}
	first, second := d.u16(b), uint16(0)
	if thumb.Wide(first) {
		if len(b) < 4 {
			return insn{size: 2, kind: insnThumb, text: fmt.Sprintf(".short 0x%04x", first)}
		}
		second = d.u16(b[2:])
	}
	t := d.t32.Decode(first, second, uint32(pc))
	out := insn{size: t.Len, text: t.Text, target: uint64(t.Target), refers: t.Refers, branch: t.Branch, halves: true}
	if t.Text == "" {
		out.kind, out.text = insnThumb, fmt.Sprintf(".inst.n 0x%04x", first)
		if t.Len == 4 {
			out.text = fmt.Sprintf(".inst.w 0x%04x%04x", first, second)
		}
	}
	return out
}

func (d *insnDecoder) u16(b []byte) uint16 {
	if d.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

// byteInsn prints n bytes that are no instruction, or as many as there are.
func byteInsn(b []byte, n int) insn {
	n = min(n, len(b))
	text := []byte(".byte ")
	for i, c := range b[:n] {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(text, '0', 'x', digits[c>>4], digits[c&15])
	}
	return insn{size: n, kind: insnUnknown, text: string(text)}
}

// hexAddr is an address as the operand of a branch.
func hexAddr(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
