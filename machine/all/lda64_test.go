package all_test

import (
	"debug/elf"
	"strings"
	"testing"

	"elfwright/machine/aarch64"
)

// Variant I: the thread pointer is two words before the TLS block, and further
// where the block's alignment asks for it.
func before(words uint64) func(*elf.Prog) uint64 {
	return func(ph *elf.Prog) uint64 { return ph.Vaddr - (words+ph.Align-1)&^(ph.Align-1) }
}

var a64 = map[string]string{
	"imm26 of B, BL":               "b .",
	"imm19 of B.cond, CBZ":         "b.eq .",
	"imm19 of LDR (literal)":       "ldr x1, .",
	"imm14 of TBZ":                 "tbz x1, #40, .",
	"imm21 of ADR":                 "adr x1, .",
	"imm21 of ADRP":                ".inst 0x90000001",
	"imm12 of ADD":                 "add x1, x2, #0xfff",
	"imm12 of ADD, LSL 12":         "add x1, x2, #0xfff, lsl #12",
	"imm12 of LDRB, STRB":          "ldrb w1, [x2, #0xfff]",
	"imm12 of LDRH, STRH":          "ldrh w1, [x2, #0x1ffe]",
	"imm12 of LDR, STR (32 bits)":  "ldr w1, [x2, #0x3ffc]",
	"imm12 of LDR, STR (64 bits)":  "ldr x1, [x2, #0x7ff8]",
	"imm12 of LDR, STR (128 bits)": "ldr q1, [x2, #0xfff0]",
	"imm12 of LDR (64 bits)":       "ldr x1, [x2]",
	"imm12 of LDR (32 bits)":       "ldr w1, [x2]",
	"instruction":                  "nop",
	"imm16 of MOVZ":                "movk x1, #0x1234",
	"imm16 of MOVZ, LSL 16":        "movk x1, #0x1234, lsl 16",
	"imm16 of MOVZ, LSL 32":        "movk x1, #0x1234, lsl 32",
	"imm16 of MOVZ, LSL 48":        "movk x1, #0x1234, lsl 48",
	"imm16 of MOVZ, MOVN":          "movz x1, #0x1234",
	"imm16 of MOVZ, LSL 16, MOVN":  "movz x1, #0x1234, lsl 16",
	"imm16 of MOVZ, LSL 32, MOVN":  "movz x1, #0x1234, lsl 32",
	"imm16 of MOVZ, LSL 48, MOVN":  "movz x1, #0x1234, lsl 48",
}

func benchA64(big bool) *bench {
	b := &bench{m: aarch64.Machine, base: 0x400000, prefix: "aarch64-linux-gnu-", big: big, insn: a64,
		ld: []string{"--no-relax", "-z", "norelro"}, tp: before(16), got: "_GLOBAL_OFFSET_TABLE_",
		long:    map[string]bool{"R_AARCH64_CALL26": true, "R_AARCH64_JUMP26": true},
		standIn: map[string]string{}, lax: map[string]string{}, strict: map[string]string{}}
	for _, n := range []string{"CALL26", "JUMP26", "CONDBR19", "TSTBR14"} {
		b.lax["R_AARCH64_"+n] = "ld drops the low bits of a misaligned distance"
	}
	for _, n := range []string{"ABS32", "ABS16"} {
		b.strict["R_AARCH64_"+n] = "ld takes no negative value; AAELF64 does, from -2^(N-1)"
	}
	if big {
		b.as, b.ld = append(b.as, "-mbig-endian"), append(b.ld, "-EB")
	}
	return b
}

func TestAArch64(t *testing.T) { benchA64(false).rows(t, notInA64()) }

func notInA64() map[string]string {
	skip := map[string]string{}
	for r := range aarch64.Machine.Relocs.All() {
		if strings.Contains(r.Name, "_AUTH_") {
			skip[r.Name] = "unknown to binutils 2.40"
		}
	}
	for _, n := range []string{"PLT32", "GOTPCREL32", "PATCHINST",
		"MOVW_GOTOFF_G0", "MOVW_GOTOFF_G1_NC", "MOVW_GOTOFF_G2", "MOVW_GOTOFF_G2_NC", "MOVW_GOTOFF_G3",
		"GOTREL64", "GOTREL32", "TLSLE_LDST128_TPREL_LO12", "TLSLE_LDST128_TPREL_LO12_NC",
		"TLSLD_MOVW_G1", "TLSLD_MOVW_G0_NC", "TLSLD_LD_PREL19", "TLSLD_LDST128_DTPREL_LO12", "TLSLD_LDST128_DTPREL_LO12_NC"} {
		skip["R_AARCH64_"+n] = "unknown to binutils 2.40"
	}
	return skip
}

func TestAArch64Big(t *testing.T) {
	b := benchA64(true)
	b.rows(t, notInA64())
}

func TestAArch64ILP32(t *testing.T) {
	b := benchA64(false)
	b.m, b.tp = aarch64.ILP32, before(8)
	b.as, b.ld = append(b.as, "-mabi=ilp32"), append(b.ld, "-m", "aarch64linux32")
	b.standIn["R_AARCH64_P32_TLSDESC_LD32_LO12"] = "R_AARCH64_P32_TLSDESC_LD32_LO12_NC"
	for _, n := range []string{"CALL26", "JUMP26", "CONDBR19", "TSTBR14"} {
		b.lax["R_AARCH64_P32_"+n] = b.lax["R_AARCH64_"+n]
		b.long["R_AARCH64_P32_"+n] = b.long["R_AARCH64_"+n]
	}
	for _, n := range []string{"ABS32", "ABS16"} {
		b.strict["R_AARCH64_P32_"+n] = b.strict["R_AARCH64_"+n]
	}
	for _, n := range []string{"PREL32", "MOVW_UABS_G1", "MOVW_PREL_G1"} {
		b.strict["R_AARCH64_P32_"+n] = "AAELF64 has no check of 32 bits in ELF32"
	}
	b.strict["R_AARCH64_P32_MOVW_SABS_G0"] = "ld checks it like UABS_G0"
	skip := map[string]string{}
	for r := range b.m.Relocs.All() {
		if strings.Contains(r.Name, "LDST128") && !strings.Contains(r.Name, "ABS") ||
			strings.Contains(r.Name, "TLSLD_LD") || strings.HasSuffix(r.Name, "_PLT32") {
			skip[r.Name] = "unknown to binutils 2.40"
		}
	}
	b.rows(t, skip)
}
