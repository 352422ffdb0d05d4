package all_test

import (
	"fmt"
	"testing"

	"elfwright/machine/arm"
)

func a32(insn uint32, add int64) implied { return implied{fmt.Sprintf(".arm\n.inst %#x", insn), add} }
func t32(insn uint32, add int64) implied {
	return implied{fmt.Sprintf(".thumb\n.inst.w %#x", insn), add}
}
func t16(insn uint16, add int64) implied {
	return implied{fmt.Sprintf(".thumb\n.inst.n %#x", insn), add}
}

// Instructions and the addends that AAELF32 reads from them. Branches have no
// other addend than the distance of the PC, since ld decides about veneers by
// the symbol alone.
var armInsns = map[string][]implied{
	"imm24 of B, BL<cond>":    {a32(0x1afffffe, -8)},
	"imm24 of BL, BLX":        {a32(0xebfffffe, -8)},
	"imm16 of MOVW":           {a32(0xe3001000, 0), a32(0xe30f1ffc, -4), a32(0xe3071ffc, 0x7ffc)},
	"imm16 of MOVT":           {a32(0xe3401000, 0), a32(0xe34f1ffc, -4), a32(0xe3471ffc, 0x7ffc)},
	"imm12 and U of LDR, STR": {a32(0xe5921000, 0), a32(0xe5121008, -8), a32(0xe5921010, 16)},

	"group 0 of ADD, SUB": {a32(0xe28f1000, 0), a32(0xe24f1008, -8)},
	"group 1 of ADD, SUB": {a32(0xe28f1000, 0), a32(0xe24f1008, -8)},
	"group 2 of ADD, SUB": {a32(0xe28f1000, 0), a32(0xe24f1008, -8)},

	"offset of LDR, STR after 0 groups": {a32(0xe59f1000, 0), a32(0xe51f1008, -8)},
	"offset of LDR, STR after 1 groups": {a32(0xe59f1000, 0), a32(0xe51f1008, -8)},
	"offset of LDR, STR after 2 groups": {a32(0xe59f1000, 0), a32(0xe51f1008, -8)},

	"offset of LDRD, LDRH, LDRSB after 0 groups": {a32(0xe1df10b0, 0), a32(0xe15f10b8, -8), a32(0xe1df13b4, 0x34)},
	"offset of LDRD, LDRH, LDRSB after 1 groups": {a32(0xe1df10b0, 0), a32(0xe15f10b8, -8), a32(0xe1df13b4, 0x34)},
	"offset of LDRD, LDRH, LDRSB after 2 groups": {a32(0xe1df10b0, 0), a32(0xe15f10b8, -8), a32(0xe1df13b4, 0x34)},

	"offset of LDC, STC after 0 groups": {a32(0xed9f1a00, 0), a32(0xed1f1a02, -8)},
	"offset of LDC, STC after 1 groups": {a32(0xed9f1a00, 0), a32(0xed1f1a02, -8)},
	"offset of LDC, STC after 2 groups": {a32(0xed9f1a00, 0), a32(0xed1f1a02, -8)},

	"imm25 of BL, BLX (Thumb)":            {t32(0xf7fffffe, -4)},
	"imm25 of B.W":                        {t32(0xf000b800, 0), t32(0xf7ffbffe, -4)},
	"imm21 of B<cond>.W":                  {t32(0xf0008000, 0), t32(0xf43faffe, -4)},
	"imm16 of MOVW (Thumb)":               {t32(0xf2400100, 0), t32(0xf64f71fc, -4)},
	"imm16 of MOVT (Thumb)":               {t32(0xf2c00100, 0), t32(0xf6cf71fc, -4)},
	"imm12 of ADR.W":                      {t32(0xf20f0100, 0), t32(0xf2af0104, -4)},
	"imm12 and U of LDR (literal, Thumb)": {t32(0xf8df1000, 0), t32(0xf85f1004, -4)},
	"imm of BF":                           {t32(0xf040e001, 1)},
	"imm of BFCSEL":                       {t32(0xf080e001, 1)},
	"imm of BFL":                          {t32(0xf000c001, 1)},

	"imm5 of LDR, STR (Thumb)":           {t16(0x6811, 0), t16(0x6851, 4)},
	"imm8 of LDR (literal), ADR (Thumb)": {t16(0x4900, 0), t16(0x49ff, -4)},
	"imm11 of B (Thumb)":                 {t16(0xe000, 0), t16(0xe7fe, -4)},
	"imm8 of B<cond> (Thumb)":            {t16(0xd000, 0), t16(0xd0fe, -4)},
	"imm6 of CBZ, CBNZ":                  {t16(0xb100, 0), t16(0xb3f0, -4)},
	"imm8 of ADD, MOV (Thumb)":           {t16(0x2100, 0), t16(0x2104, 4)},
}

func benchA32(big bool) *bench {
	b := &bench{m: arm.Machine, base: 0x40000000, nowrap: true, prefix: "arm-linux-gnueabihf-", big: big, rel: armInsns,
		as: []string{"-march=armv8-a"},
		ld: []string{"--no-relax", "-z", "norelro"}, tp: before(8), got: "_GLOBAL_OFFSET_TABLE_",
		standIn: map[string]string{"R_ARM_GOT_BREL": "R_ARM_GOT32", "R_ARM_THM_ALU_ABS_G3": "R_ARM_THM_ALU_ABS_G3_NC", "R_ARM_BASE_PREL": "R_ARM_GOTPC"},
		lax:     map[string]string{}, strict: map[string]string{}, noAdd: map[string]string{}, long: map[string]bool{}}
	for _, n := range []string{"ABS8", "ABS16", "ABS12"} {
		b.noAdd["R_ARM_"+n] = "ld does not extend its sign"
	}
	for _, n := range []string{"PC24", "THM_PC8", "THM_BF16", "THM_BF12", "THM_BF18"} {
		b.lax["R_ARM_"+n] = "ld does not check it"
	}
	b.strict["R_ARM_THM_JUMP6"] = "ld does not use the highest bit of the field"
	b.noAdd["R_ARM_THM_JUMP6"] = "ld reads it without that bit"
	b.strict["R_ARM_THM_PC12"] = "ld refuses negative offsets"
	for _, n := range []string{"CALL", "JUMP24", "PC24", "PLT32", "THM_CALL", "THM_JUMP24", "THM_JUMP19"} {
		b.long["R_ARM_"+n] = true
	}
	if big {
		b.as, b.ld = append(b.as, "-mbig-endian"), append(b.ld, "-EB")
	}
	return b
}

func TestArm(t *testing.T) { benchA32(false).rows(t, notInA32()) }

func TestArmBig(t *testing.T) { benchA32(true).rows(t, notInA32()) }

func notInA32() map[string]string {
	skip := map[string]string{
		"R_ARM_THM_ABS5":   "ld does not shift it into its field",
		"R_ARM_THM_JUMP24": "ld wants a Thumb function, see TestArmStates",
		"R_ARM_THM_JUMP19": "ld wants a Thumb function, see TestArmStates",
	}
	for _, n := range []string{"LDR_SBREL_11_0_NC", "ALU_SBREL_19_12_NC", "ALU_SBREL_27_20_CK", "SBREL31", "THM_GOT_BREL12"} {
		skip["R_ARM_"+n] = "unknown to gas"
	}
	for _, n := range []string{"SBREL32", "BASE_ABS", "PLT32_ABS", "GOT_ABS", "GOT_BREL12", "GOTOFF12", "TLS_LE12", "TLS_LDO12", "TLS_IE12GP"} {
		skip["R_ARM_"+n] = "refused by ld"
	}
	return skip
}

// Functions that run in one state or the other: pointers get bit 0, calls change
// their instruction.
func TestArmStates(t *testing.T) {
	for _, big := range []bool{false, true} {
		b := benchA32(big)
		var ps []*place
		for _, n := range []string{"ABS32", "REL32", "PREL31", "TARGET1", "TARGET2", "GOTOFF32", "GOT_BREL", "GOT_PREL", "ABS32_NOI", "REL32_NOI",
			"CALL", "MOVW_ABS_NC", "MOVT_ABS", "MOVW_PREL_NC", "MOVT_PREL",
			"THM_CALL", "THM_MOVW_ABS_NC", "THM_MOVT_ABS", "THM_MOVW_PREL_NC", "THM_MOVT_PREL",
			"THM_ALU_ABS_G0_NC", "THM_ALU_ABS_G1_NC", "THM_ALU_ABS_G2_NC", "THM_ALU_ABS_G3",
			"JUMP24", "PC24", "PLT32", "THM_JUMP24", "THM_JUMP19"} {
			row := b.m.Relocs.ByName("R_ARM_" + n)
			for _, v := range b.variants(row) {
				for _, state := range states(n) {
					ps = append(ps, &place{row: row, sym: fmt.Sprintf("%c%d", state, len(ps)), add: v.add, insn: v.insn})
				}
			}
		}
		b.compare(t, ps)
	}
}

// states are the states of functions that a type can reach: Thumb u, Arm v.
func states(name string) string {
	switch name {
	case "JUMP24", "PC24", "PLT32":
		return "v"
	case "THM_JUMP24", "THM_JUMP19":
		return "u"
	}
	return "uv"
}
