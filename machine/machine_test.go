package machine_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"elfwright/machine"
	"elfwright/machine/aarch64"
	"elfwright/machine/all"
	"elfwright/machine/amd64"
	"elfwright/machine/arm"
	"elfwright/machine/riscv64"
)

func Example() {
	for r := range aarch64.Machine.Relocs.All() {
		if r.Type >= 273 && r.Type <= 278 {
			fmt.Printf("%d %s: %s into %s, %s\n", r.Type, r.Name, r.Formula, r.Field.Name, r.Check)
		}
	}
	// Output:
	// 273 R_AARCH64_LD_PREL_LO19: S + A - P into imm19 of LDR (literal), 21 signed bits
	// 274 R_AARCH64_ADR_PREL_LO21: S + A - P into imm21 of ADR, 21 signed bits
	// 275 R_AARCH64_ADR_PREL_PG_HI21: Page(S + A) - Page(P) into imm21 of ADRP, 33 signed bits
	// 276 R_AARCH64_ADR_PREL_PG_HI21_NC: Page(S + A) - Page(P) into imm21 of ADRP, any value
	// 277 R_AARCH64_ADD_ABS_LO12_NC: S + A into imm12 of ADD, any value
	// 278 R_AARCH64_LDST8_ABS_LO12_NC: S + A into imm12 of LDRB, STRB, any value
}

func TestFormulaString(t *testing.T) {
	for f, want := range map[machine.Formula]string{
		"":          "",
		"S":         "S",
		machine.SAP: "S + A - P",
		"SA+T|":     "(S + A) | T",
		"SA+T|P-":   "((S + A) | T) - P",
		"SA+pPp-":   "Page(S + A) - Page(P)",
		"gOp-":      "G(GDAT(S)) - Page(GOT)",
		"kpPp-":     "Page(G(ENCD(GTLSDESC(S)))) - Page(P)",
		"XS-A+":     "TP - S + A",
		"SPA--":     "S - (P - A)",
		"SA+s":      "SIGN(S + A, SCHEMA(*P))",
		"VS-A-":     "V - S - A",
		"bA+N":      "Indirect(B(S) + A)",
	} {
		if got := f.String(); got != want {
			t.Errorf("%q prints %q, want %q", string(f), got, want)
		}
	}
}

func TestEval(t *testing.T) {
	v := &machine.Values{S: 0x1234, A: -4, P: 0x5001, B: 7, G: 16, GOT: 0x9000, L: 0x700, Z: 9, T: 1, TP: 0x100, DTP: 0x200, Module: 3}
	for f, want := range map[machine.Formula]uint64{
		machine.SAP: 0x1230 - 0x5001 + 1<<64 - 1 + 1,
		"SA+pPp-":   0x1000 - 0x5000 + 1<<64 - 1 + 1,
		"SA+T|":     0x1231,
		"SA+a-":     0x1230 - 0x5000 + 1<<64 - 1 + 1,
		"gO-":       16,
		"SA+q":      0x1030,
		"SA+r":      0x1130,
		"SA+w-":     0x1230 - 0xa00,
		"SA+W+":     0x1130,
		"VS+A+":     0x1231,
		"h":         3,
		machine.SAZ: 5,
	} {
		if got := f.Eval(v, 1); got != want {
			t.Errorf("%s = %#x, want %#x", f, got, want)
		}
	}
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		c        machine.Check
		min, max int64
		text     string
	}{
		{machine.Signed(32), -1 << 31, 1<<31 - 1, "32 signed bits"},
		{machine.Unsigned(12), 0, 4095, "12 unsigned bits"},
		{machine.Either(16), -0x8000, 0xffff, "16 bits, signed or unsigned"},
		{machine.Wrapped(16), -0x10000, 0xffff, "16 bits and a borrow"},
		{machine.Magnitude(12), -4095, 4095, "12 bits and a sign"},
		{machine.Check{Rule: machine.SignedN, Bits: 32, Carry: 0x800}, -1<<31 - 0x800, 1<<31 - 0x801, "32 signed bits after rounding"},
	} {
		if min, max := c.c.Range(); min != c.min || max != c.max || c.c.String() != c.text {
			t.Errorf("%s: %d to %d", c.c, min, max)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		m    *machine.Machine
		name string
		n    int
		v    machine.Values
		want string
	}{
		{amd64.Machine, "R_X86_64_PC32", 4, machine.Values{S: 0x140000000, P: 0x401000}, "R_X86_64_PC32: S + A - P = 0x13fbff000 does not fit 32 signed bits"},
		{amd64.Machine, "R_X86_64_32", 4, machine.Values{A: -1}, "R_X86_64_32: S + A = -0x1 does not fit 32 unsigned bits"},
		{amd64.Machine, "R_X86_64_64", 7, machine.Values{}, "R_X86_64_64: the place has 7 bytes, word64 needs 8"},
		{amd64.Machine, "R_X86_64_COPY", 8, machine.Values{}, "R_X86_64_COPY: cannot be applied: only a loader can do it in a running program (copies the symbol's data from its shared object)"},
		{amd64.Machine, "R_X86_64_NONE", 8, machine.Values{}, "R_X86_64_NONE: cannot be applied: it changes no bytes"},
		{aarch64.Machine, "R_AARCH64_LDST64_ABS_LO12_NC", 4, machine.Values{S: 0x1004}, "R_AARCH64_LDST64_ABS_LO12_NC: S + A = 0x1004 is not a multiple of 8"},
		{arm.Machine, "R_ARM_JUMP24", 4, machine.Values{S: 0x100, T: 1}, "R_ARM_JUMP24: ((S + A) | T) - P = 0x101 leads to Thumb code, where this instruction cannot go"},
		{arm.Machine, "R_ARM_ALU_PC_G0", 4, machine.Values{S: 0x1234}, "R_ARM_ALU_PC_G0: ((S + A) | T) - P = 0x1234 leaves 0x34 after group 0"},
		{arm.Machine, "R_ARM_LDRS_PC_G0", 4, machine.Values{S: 0x1234}, "R_ARM_LDRS_PC_G0: S + A - P = 0x1234 leaves 0x1234 after 0 groups, which is no offset of LDRD, LDRH, LDRSB"},
		{riscv64.Machine, "R_RISCV_SET_ULEB128", 2, machine.Values{}, ""},
	} {
		r := c.m.Relocs.ByName(c.name)
		place := make([]byte, c.n)
		err := r.Apply(place, binary.LittleEndian, &c.v)
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%s", got)
		}
		if err != nil && !bytes.Equal(place, make([]byte, c.n)) {
			t.Errorf("%s: the place was changed", c.name)
		}
	}
	err := amd64.Machine.Relocs.Lookup(2).Apply(make([]byte, 4), binary.LittleEndian, &machine.Values{S: 1 << 40})
	if e, ok := errors.AsType[*machine.OverflowError](err); !ok || e.X != 1<<40 {
		t.Errorf("%v", err)
	}
}

// The examples of AAELF32, section "Addends and PC-bias compensation".
func TestArmAddends(t *testing.T) {
	for _, c := range []struct {
		row   string
		place []byte
		want  int64
	}{
		{"R_ARM_ALU_PC_G0", []byte{0xff, 0x0f, 0x41, 0xe2}, -1020},
		{"R_ARM_LDR_PC_G2", []byte{0x10, 0x00, 0x9f, 0xe5}, 16},
		{"R_ARM_THM_CALL", []byte{0xff, 0xf7, 0xfe, 0xff}, -4},
		{"R_ARM_ABS8", []byte{0xf0}, -16},
		{"R_ARM_JUMP_SLOT", []byte{1, 2, 3, 4}, 0},
	} {
		got, err := arm.Machine.Relocs.ByName(c.row).Addend(c.place, binary.LittleEndian)
		if err != nil || got != c.want {
			t.Errorf("%s: %d, %v, want %d", c.row, got, err, c.want)
		}
	}
}

// A Thumb BLX counts from the PC rounded down to a word.
func TestThumbBLX(t *testing.T) {
	for _, p := range []uint64{0x1000, 0x1002} {
		place := []byte{0x00, 0xf0, 0x00, 0xf8}
		r := arm.Machine.Relocs.ByName("R_ARM_THM_CALL")
		if err := r.Apply(place, binary.LittleEndian, &machine.Values{S: 0x2000, A: -4, P: p}); err != nil {
			t.Fatal(err)
		}
		offset, _ := r.Addend(place, binary.LittleEndian)
		if to := (p+4)&^3 + uint64(offset); to != 0x2000 || place[3]&0x10 != 0 {
			t.Errorf("from %#x: % x leads to %#x", p, place, to)
		}
	}
}

// A ULEB128 pair keeps the number's length and comes out right though the first
// half alone does not fit.
func TestULEB128(t *testing.T) {
	set, sub := riscv64.Machine.Relocs.ByName("R_RISCV_SET_ULEB128"), riscv64.Machine.Relocs.ByName("R_RISCV_SUB_ULEB128")
	for _, c := range []struct {
		place    string
		from, to uint64
		want     string
	}{
		{"\x00\xaa", 0x10000, 0x10005, "\x05\xaa"},
		{"\x80\x00", 0x10000, 0x10005, "\x85\x00"},
		{"\x80\x80\x00", 0x10000, 0x10080, "\x80\x81\x00"},
		{"\xff\x7f", 0xffffffff80000000, 0xffffffff80003fff, "\xff\x7f"},
	} {
		place := []byte(c.place)
		if err := set.Apply(place, binary.LittleEndian, &machine.Values{S: c.to}); err != nil {
			t.Error(err)
		}
		if err := sub.Apply(place, binary.LittleEndian, &machine.Values{S: c.from}); err != nil {
			t.Error(err)
		}
		if string(place) != c.want {
			t.Errorf("%#x - %#x: % x, want % x", c.to, c.from, place, c.want)
		}
	}
	if err := set.Apply([]byte{0x80, 0x80}, binary.LittleEndian, &machine.Values{}); err == nil {
		t.Error("a number without an end is accepted")
	}
}

// What a field takes it gives back as the addend, wherever REL relocations can
// hold the value.
func TestAddendRoundTrip(t *testing.T) {
	for _, m := range all.All() {
		for r := range m.Relocs.All() {
			if !r.Static() || r.Width() == 0 || r.Field.ZeroAddend || r.Formula.Uses('V') {
				continue
			}
			for _, x := range []int64{0, 16, -16, 0x70} {
				place := make([]byte, 8)
				if m.ELF == elf.EM_ARM {
					copy(place, armPlace(r))
				}
				if r.Put(place, binary.LittleEndian, x) != nil || r.Check.Rule == machine.Any && r.Width() < 8 && r.Field.Mask() != 0 {
					continue
				}
				got, err := r.Addend(place, binary.LittleEndian)
				if err != nil {
					t.Fatal(err)
				}
				width := uint8(8 * r.Width())
				if r.Field.Parts == nil && r.Field.Encode == nil && machine.SignExtend(uint64(got), width) == machine.SignExtend(uint64(x), width) {
					continue
				}
				if got != x && r.Check.Rule != machine.Any && !unscaled(r) {
					t.Errorf("%s %s: put %d, got %d", m.Name, r.Name, x, got)
				}
			}
		}
	}
}

// unscaled fields keep an addend in another way than a value.
func unscaled(r *machine.Reloc) bool {
	f := r.Field
	if len(f.Parts) > 0 && f.Parts[0].From >= 12 || f.Encode != nil && f.Decode != nil && f.Little {
		return true
	}
	min, _ := r.Check.Range()
	return min >= 0 || f.Name == "imm of BF" || f.Name == "imm of BFL" || f.Name == "imm of BFCSEL" || f.Name == "imm25 of BL, BLX (Thumb)"
}

func armPlace(r *machine.Reloc) []byte {
	if r.Name == "R_ARM_CALL" {
		return []byte{0, 0, 0, 0xeb}
	}
	return []byte{0, 0, 0x8f, 0xe2}
}

func FuzzApply(f *testing.F) {
	f.Add(uint8(0), uint16(2), []byte{1, 2, 3, 4}, uint64(5), int64(-4), uint64(7), false)
	f.Add(uint8(5), uint16(28), []byte{0, 0, 0, 0xeb}, uint64(1<<33), int64(-8), uint64(7), true)
	f.Add(uint8(6), uint16(61), []byte{0x80, 0x80, 1}, uint64(1<<33), int64(-8), uint64(7), false)
	f.Fuzz(func(t *testing.T, which uint8, typ uint16, place []byte, s uint64, a int64, p uint64, big bool) {
		ms := all.All()
		m := ms[int(which)%len(ms)]
		r := m.Relocs.Lookup(uint32(typ))
		if r == nil {
			return
		}
		var order binary.ByteOrder = binary.LittleEndian
		if big {
			order = binary.BigEndian
		}
		before := bytes.Clone(place)
		_, _ = r.Addend(place, order)
		err := r.Apply(place, order, &machine.Values{S: s, A: a, P: p, G: s, GOT: p, L: s, B: p, T: s & 1})
		if err != nil {
			if !bytes.Equal(before, place) {
				t.Errorf("%v, and the place was changed", err)
			}
			return
		}
		if n := r.Width(); n > 0 && !bytes.Equal(before[n:], place[n:]) {
			t.Errorf("%s wrote past its %d bytes", r.Name, n)
		}
	})
}

func BenchmarkApply(b *testing.B) {
	for _, c := range []struct {
		m    *machine.Machine
		name string
	}{
		{amd64.Machine, "R_X86_64_PC32"},
		{aarch64.Machine, "R_AARCH64_ADR_PREL_PG_HI21"},
		{aarch64.Machine, "R_AARCH64_CALL26"},
		{riscv64.Machine, "R_RISCV_CALL_PLT"},
		{arm.Machine, "R_ARM_THM_CALL"},
	} {
		b.Run(c.name, func(b *testing.B) {
			typ := c.m.Relocs.ByName(c.name).Type
			place := make([]byte, 8)
			v := machine.Values{S: 0x401000, A: -4, P: 0x400100}
			for b.Loop() {
				if err := c.m.Relocs.Lookup(typ).Apply(place, binary.LittleEndian, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
