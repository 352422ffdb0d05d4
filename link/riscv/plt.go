package riscv

import (
	"encoding/binary"

	"elfwright/link/model"
)

// dtVariantCC is DT_RISCV_VARIANT_CC (psABI, "Dynamic Table").
const dtVariantCC = 0x70000001

// PLT is the procedure linkage of the psABI, "Program Linkage Table".
func (t *target) PLT(*model.Env) model.PLT {
	load, shift := uint32(0x3000), uint32(1) // ld; slots have 8 bytes, entries 16
	if !t.wide {
		load, shift = 0x2000, 2
	}
	word := uint32(t.m.WordSize())
	return model.PLT{Header: 32, Entry: 16, Align: 16, Variant: dtVariantCC,
		WriteHeader: func(_ *model.Env, b []byte, at, gotplt uint64) {
			hi, lo := split(gotplt - at)
			code(b,
				0x00000397|hi,                    // auipc t2, %hi(.got.plt)
				0x41c30333,                       // sub   t1, t1, t3
				0x0003be03&^0x3000|load|lo,       // l[wd] t3, %lo(.got.plt)(t2): the resolver
				0xfd430313,                       // addi  t1, t1, -(32 + 12)
				0x00038293|lo,                    // addi  t0, t2, %lo(.got.plt)
				0x00135313&^0x1f00000|shift<<20,  // srli  t1, t1, log2(16/word): the slot's offset
				0x0002b283&^0x3000|load|word<<20, // l[wd] t0, word(t0): the link map
				0x000e0067,                       // jr    t3
			)
		},
		WriteEntry: func(_ *model.Env, b []byte, at, got uint64, _ int) {
			hi, lo := split(got - at)
			code(b,
				0x00000e17|hi,              // auipc t3, %hi(slot)
				0x000e3e03&^0x3000|load|lo, // l[wd] t3, %lo(slot)(t3)
				0x000e0367,                 // jalr  t1, t3
				0x00000013,                 // nop
			)
		}}
}

// split gives the upper 20 and lower 12 bits of a distance as the instructions
// have them.
func split(x uint64) (hi, lo uint32) {
	return (uint32(x) + 0x800) &^ 0xfff, uint32(x) << 20
}

func code(b []byte, insns ...uint32) {
	for i, x := range insns {
		binary.LittleEndian.PutUint32(b[4*i:], x)
	}
}
