package arm

import (
	"fmt"
	"math/bits"

	m "elfwright/machine"
)

// Group relocations (AAELF32, "Group relocations"): the absolute value is cut
// into groups from the top. A group is the 8 bits below the highest one bit that
// an even rotation reaches; what is left is the residual.

// cut removes n groups from |x| and returns the residual, the last group and the
// number of bits below it.
func cut(x uint64, n int) (residual, group uint64, shift int) {
	residual = magnitude(x) & 0xffffffff
	for range n {
		shift = 0
		if top := bits.Len64(residual); top > 8 {
			shift = (top - 8 + 1) &^ 1
		}
		group = residual & (0xff << shift)
		residual &^= group
	}
	return residual, group, shift
}

// alu is the immediate of the ADD or SUB that takes group n.
func alu(n int) *m.Field {
	const opcode, add, sub = 0xf << 21, 4 << 21, 2 << 21
	return &m.Field{Name: fmt.Sprintf("group %d of ADD, SUB", n), Size: 4,
		Encode: func(insn, x uint64) uint64 {
			op := uint64(add)
			if int64(x) < 0 {
				op = sub
			}
			_, group, shift := cut(x, n+1)
			rotation := uint64(32-shift) / 2 & 0xf
			return insn&^(opcode|0xfff) | op | rotation<<8 | group>>shift
		},
		Decode: func(insn uint64) int64 {
			x := int64(bits.RotateLeft32(uint32(insn&0xff), -2*int(insn>>8&0xf)))
			if insn&opcode == sub {
				return -x
			}
			return x
		}}
}

// aluCheck: nothing may be left after group n.
func aluCheck(n int) m.Check {
	return m.Check{Test: func(x int64) string {
		if left, _, _ := cut(uint64(x), n+1); left != 0 {
			return fmt.Sprintf("leaves %#x after group %d", left, n)
		}
		return ""
	}}
}

// memory is the offset of a load or store that takes what n groups leave.
type memory struct {
	name  string
	limit uint64 // greatest offset
	align uint64
	put   func(offset uint64) uint64
	get   func(insn uint64) uint64
	bits  uint64 // of the instruction that hold it
}

var (
	ldr = memory{"LDR, STR", 0xfff, 1,
		func(o uint64) uint64 { return o & 0xfff },
		func(i uint64) uint64 { return i & 0xfff }, 0xfff}
	ldrs = memory{"LDRD, LDRH, LDRSB", 0xff, 1,
		func(o uint64) uint64 { return o&0xf0<<4 | o&0xf },
		func(i uint64) uint64 { return i>>4&0xf0 | i&0xf }, 0xf0f}
	ldc = memory{"LDC, STC", 0x3fc, 4,
		func(o uint64) uint64 { return o >> 2 & 0xff },
		func(i uint64) uint64 { return i & 0xff << 2 }, 0xff}
)

func (k memory) field(n int) *m.Field {
	return &m.Field{Name: fmt.Sprintf("offset of %s after %d groups", k.name, n), Size: 4,
		Encode: func(insn, x uint64) uint64 {
			left, _, _ := cut(x, n)
			return insn&^(upBit|k.bits) | up(x) | k.put(left)
		},
		Decode: func(insn uint64) int64 { return signed(insn, int64(k.get(insn))) }}
}

func (k memory) check(n int) m.Check {
	return m.Check{Test: func(x int64) string {
		left, _, _ := cut(uint64(x), n)
		if left > k.limit || left%k.align != 0 {
			return fmt.Sprintf("leaves %#x after %d groups, which is no offset of %s", left, n, k.name)
		}
		return ""
	}}
}
