package all_test

import (
	"debug/elf"
	"fmt"
	"testing"

	"elfwright/machine/riscv64"
)

var rv = map[string]string{
	"U-type":   "lui a0, 0x12345",
	"I-type":   "addi a0, a1, 0x7f",
	"S-type":   "sw a0, 0x7f(a1)",
	"B-type":   ".4byte 0x00b50063",
	"J-type":   ".4byte 0x000000ef",
	"CB-type":  ".2byte 0xc001",
	"CJ-type":  ".2byte 0xa001",
	"U+I-type": ".4byte 0x00000097\n.4byte 0x000080e7",
}

func benchRV() *bench {
	const minus = "ld adds the addend, the psABI and LLVM subtract it"
	return &bench{m: riscv64.Machine, base: 0x400000, prefix: "riscv64-linux-gnu-", insn: rv, apart: true,
		as: []string{"-march=rv64gc", "-mno-relax"},
		ld: []string{"-m", "elf64lriscv", "--no-relax", "-z", "norelro"},
		tp: func(ph *elf.Prog) uint64 { return ph.Vaddr }, got: "_GLOBAL_OFFSET_TABLE_",
		noAdd: map[string]string{"R_RISCV_SUB6": minus, "R_RISCV_SUB8": minus, "R_RISCV_SUB16": minus, "R_RISCV_SUB32": minus, "R_RISCV_SUB64": minus,
			"R_RISCV_GOT_HI20":   "the psABI forbids one",
			"R_RISCV_PCREL_HI20": "ld forgets it when it decides whether LUI must replace AUIPC"},
		long: map[string]bool{"R_RISCV_PCREL_HI20": true}}
}

func TestRISCV64(t *testing.T) { benchRV().rows(t, notInRV()) }

func notInRV() map[string]string {
	skip := map[string]string{"R_RISCV_PLT32": "", "R_RISCV_GOT32_PCREL": "", "R_RISCV_TLSDESC_HI20": ""}
	for n := range skip {
		skip[n] = "unknown to binutils 2.40"
	}
	return skip
}

func TestRISCV32(t *testing.T) {
	b := benchRV()
	b.m = riscv64.RV32
	b.as = []string{"-march=rv32gc", "-mabi=ilp32d", "-mno-relax"}
	b.ld = []string{"-m", "elf32lriscv", "--no-relax", "-z", "norelro"}
	b.rows(t, notInRV())
}

// The low part of a pair takes its value from where its symbol points.
func TestRISCVPairs(t *testing.T) {
	b := benchRV()
	var ps []*place
	for i, x := range []uint64{0, 0x7ff, 0x800, 0x801, 0xfff, 0x1000, 0x12345678, 0x7ffff7ff} {
		high := &place{row: b.m.Relocs.ByName("R_RISCV_PCREL_HI20"), sym: fmt.Sprintf("s%d", i), abs: true, add: 0}
		at := b.base + uint64(len(ps)*step)
		high.def = at + x
		label := fmt.Sprintf("p%d", len(ps))
		ps = append(ps, high,
			&place{row: b.m.Relocs.ByName("R_RISCV_PCREL_LO12_I"), sym: label, high: high},
			&place{row: b.m.Relocs.ByName("R_RISCV_PCREL_LO12_S"), sym: label, high: high})
	}
	b.apart = false
	b.compare(t, ps)
}
