package show

import (
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"elfwright/internal/elftest"
)

// Machines that are not described are shown with numbers, and with the names
// that are known anyway; nothing of the rest is missing.
func TestOtherMachines(t *testing.T) {
	kinds := map[string]elftest.Kind{}
	for _, k := range elftest.Kinds() {
		kinds[k.Name] = k
	}
	for _, c := range []struct {
		kind    elftest.Kind
		machine elf.Machine
		want    string
	}{
		{kinds["64be"], elf.EM_S390, " R_390_8 "},
		{kinds["64be"], elf.EM_PPC64, " R_PPC64_ADDR32 "},
		{kinds["64le"], elf.EM_PPC64, " R_PPC64_ADDR32 "},
		{kinds["64be"], elf.EM_SPARCV9, " R_SPARC_8 "},
		{kinds["32be"], elf.EM_PPC, " R_PPC_ADDR24 "},
		{kinds["32le"], elf.EM_MIPS, " R_MIPS_32 "},
		{kinds["64le"], elf.EM_LOONGARCH, " R_LARCH_32 "},
		{kinds["32le"], elf.EM_XTENSA, " unrecognized: "},
		{kinds["64be"], elf.Machine(0xfeed), " unrecognized: "},
	} {
		for _, make := range []func(elftest.Kind) elftest.File{elftest.Shared, elftest.Object, elftest.Core} {
			f := make(c.kind)
			f.Machine = c.machine
			f.Flags = 0x12345678
			data := f.Bytes()
			opt := everything
			text, _ := output(t, "x", data, opt)
			if !strings.Contains(text, "0x12345678") {
				t.Errorf("%v: e_flags is missing", c.machine)
			}
			opt.JSON = true
			doc, _ := output(t, "x", data, opt)
			document(t, doc)
		}
		f := elftest.File{Class: c.kind.Class, Order: c.kind.Order, Type: elf.ET_REL, Machine: c.machine, Sections: relocated(c.kind)}
		text, r := output(t, "x", f.Bytes(), Options{Views: Relocs})
		if !strings.Contains(text, c.want) {
			t.Errorf("%v: want %q, faults %v, got:\n%s", c.machine, c.want, r.Faults, text)
		}
	}
}

// relocated is a section with one relocation of type 1 or 2.
func relocated(k elftest.Kind) []elftest.Section {
	var order binary.AppendByteOrder = binary.LittleEndian
	if k.Order == binary.BigEndian {
		order = binary.BigEndian
	}
	typ := uint32(1)
	var rel []byte
	if k.Class == elf.ELFCLASS32 {
		typ = 2
		rel = order.AppendUint32(order.AppendUint32(order.AppendUint32(nil, 4), typ), 8)
	} else {
		rel = order.AppendUint64(order.AppendUint64(order.AppendUint64(nil, 4), uint64(typ)), 8)
	}
	return []elftest.Section{
		{Name: ".text", Type: elf.SHT_PROGBITS, Content: elftest.Bytes("0123456789abcdef")},
		{Name: ".rela.text", Type: elf.SHT_RELA, Content: elftest.Bytes(rel), Entsize: uint64(len(rel))},
	}
}

// A relocation of 64-bit MIPS has three types, and in a little-endian file its
// r_info is not in the order of a little-endian number.
func TestMips64(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		rel := order.AppendUint64(nil, 0x10)
		rel = order.AppendUint32(rel, 0)
		rel = append(rel, 1, byte(elf.R_MIPS_HI16), byte(elf.R_MIPS_SUB), byte(elf.R_MIPS_GPREL16))
		rel = order.AppendUint64(rel, 1<<64-4)
		f := elftest.File{Class: elf.ELFCLASS64, Order: order.(binary.ByteOrder), Type: elf.ET_REL, Machine: elf.EM_MIPS, Sections: []elftest.Section{
			{Name: ".rela.text", Type: elf.SHT_RELA, Content: elftest.Bytes(rel), Entsize: 24},
		}}
		text, _ := output(t, "x", f.Bytes(), Options{Views: Relocs})
		for _, want := range []string{
			"0000000000000010  0000000001051807 R_MIPS_GPREL16", " -4\n",
			"                    Type2: R_MIPS_SUB\n", "                    Type3: R_MIPS_HI16\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%v: %q is missing in:\n%s", order, want, text)
			}
		}
	}
}

func TestSymbolOther(t *testing.T) {
	for _, c := range []struct {
		m     elf.Machine
		other uint8
		want  string
	}{
		{elf.EM_AARCH64, 0x80, "VARIANT_PCS"},
		{elf.EM_RISCV, 0x80, "VARIANT_PCS"},
		{elf.EM_X86_64, 0x80, "<other>: 80"},
		{elf.EM_PPC64, 0x60, "<localentry>: 8"},
		{elf.EM_PPC64, 0x20, "<localentry>: 1"},
		{elf.EM_MIPS, 0x80, "MICROMIPS"},
		{elf.EM_MIPS, 0xf0, "MIPS16"},
		{elf.Machine(0x9026), 0x88, "STD GPLOAD"},
	} {
		if got := symbolOther(c.m, c.other); got != c.want {
			t.Errorf("%v, 0x%x: %q, want %q", c.m, c.other, got, c.want)
		}
	}
}
