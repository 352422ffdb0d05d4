package show

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

// printView prints one view of a file.
func printView(t testing.TB, name string, data []byte, opt Options) (string, []error) {
	t.Helper()
	f, err := elffile.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	report, err := Print(&out, f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), report.Faults
}

// TestAttributesLikeReadelf assembles every attribute with many values, and
// compares each line with readelf's.
func TestAttributesLikeReadelf(t *testing.T) {
	for _, m := range []struct {
		triple    string
		directive string
		tags      map[uint64]attrTag
		values    uint64
		head      string // of a first line that the assembler wants
	}{
		{"arm-linux-gnueabihf", ".eabi_attribute", armVendor.tags, 10, ".syntax unified\n"},
		{"riscv64-linux-gnu", ".attribute", map[uint64]attrTag{4: riscvVendor.tags[4], 6: riscvVendor.tags[6], 5: riscvVendor.tags[5]}, 3, ""},
	} {
		t.Run(m.triple, func(t *testing.T) {
			samples.Need(t, m.triple+"-as", m.triple+"-readelf")
			for v := range m.values {
				var source strings.Builder
				source.WriteString(m.head)
				for tag, kind := range m.tags {
					if kind.name == "Tag_FramePointer_use" {
						continue // newer than the readelf here
					}
					source.WriteString(attributeLine(m.directive, tag, kind, v))
				}
				compareAttributes(t, m.triple, source.String())
			}
		})
	}
}

func attributeLine(directive string, tag uint64, kind attrTag, v uint64) string {
	switch kind.form {
	case attrString:
		if kind.name == "Tag_RISCV_arch" {
			return fmt.Sprintf("%s %d, \"rv64i2p0_c2p0\"\n", directive, tag)
		}
		return fmt.Sprintf("%s %d, \"text%d\"\n", directive, tag, v)
	case attrBoth:
		return fmt.Sprintf("%s %d, %d, \"gnu\"\n", directive, tag, v&1)
	case attrNested:
		return fmt.Sprintf("%s %d, \"\\006\\%03o\"\n", directive, tag, v+1)
	}
	if kind.name == "Tag_CPU_arch_profile" {
		v = uint64("\x00ARMSX"[min(v, 5)])
	}
	if v >= uint64(len(kind.values)) && len(kind.values) > 0 {
		v = 0
	}
	return fmt.Sprintf("%s %d, %d\n", directive, tag, v)
}

func compareAttributes(t *testing.T, triple, source string) {
	t.Helper()
	object := filepath.Join(t.TempDir(), "a.o")
	as := exec.Command(triple+"-as", "-o", object, "-")
	as.Stdin = strings.NewReader(source)
	if out, err := as.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(triple+"-readelf", "-A", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	text, faults := printView(t, "a.o", data, Options{Views: Arch})
	if len(faults) > 0 {
		t.Error(faults)
	}
	lines := func(s string) []string {
		var list []string
		for _, line := range strings.Split(s, "\n") {
			if strings.HasPrefix(line, "  Tag") {
				// readelf has a slip of the pen here.
				list = append(list, strings.ReplaceAll(strings.TrimSpace(line), "sapce", "space"))
			}
		}
		return list
	}
	if diff := cmp.Diff(lines(string(out)), lines(text)); diff != "" {
		t.Errorf("(-readelf +ours)\n%s", diff)
	}
}

// archFile is an object with one section of the machine.
func archFile(m elf.Machine, f elffile.Format, typ elf.SectionType, data []byte) []byte {
	file := elftest.File{Class: f.Class, Order: f.Order(), Type: elf.ET_REL, Machine: m,
		Sections: []elftest.Section{{Name: ".attributes", Type: typ, Data: data}}}
	return file.Bytes()
}

// attributes frames a vendor's attributes for the whole file.
func attributes(f elffile.Format, vendor string, body ...any) []byte {
	list := (&fieldWriter{Format: f}).put(body...).b
	w := &fieldWriter{Format: f}
	w.put(uint8('A'), uint32(4+len(vendor)+1+5+len(list)), vendor, uint8(1), uint32(5+len(list)), list)
	return w.b
}

// TestAttributes reads attributes in every format, whatever the machine.
func TestAttributes(t *testing.T) {
	kinds := documented(t)
	for _, f := range formats {
		for _, c := range []struct {
			machine elf.Machine
			typ     elf.SectionType
			data    []byte
			want    string
		}{
			{elf.EM_ARM, shtAttributes, attributes(f, "aeabi", uint8(6), uint8(10), uint8(25), uint8(5)), "Tag_CPU_arch: v7\n  Tag_ABI_align_preserved: 8-byte and up to 32-byte extended\n"},
			{elf.EM_ARM, shtAttributes, attributes(f, "aeabi", uint8(33), "text", uint8(80), uint8(0x85), uint8(1)), "Tag_unknown_33: \"text\"\n  Tag_unknown_80: 133\n"},
			{elf.EM_RISCV, shtAttributes, attributes(f, "riscv", uint8(14), uint8(3), uint8(5), "rv64i"), "Tag_RISCV_atomic_abi: A7\n  Tag_RISCV_arch: \"rv64i\"\n"},
			{elf.EM_S390, shtGNUAttributes, attributes(f, "gnu", uint8(8), uint8(2)), "Tag_GNU_S390_ABI_Vector: 2\n"},
			{elf.EM_PPC, shtGNUAttributes, attributes(f, "gnu", uint8(4), uint8(1), uint8(12), uint8(2)), "Tag_GNU_Power_ABI_FP: 1\n  Tag_GNU_Power_ABI_Struct_Return: 2\n"},
			{elf.EM_AARCH64, shtAttributes, (&fieldWriter{Format: f}).put(uint8('A'), uint32(4+23+2+4), "aeabi_feature_and_bits", uint8(1), uint8(0), uint8(0), uint8(1), uint8(1), uint8(0)).b, "Tag_Feature_BTI: 1\n  Tag_Feature_PAC: 0\n"},
			{elf.EM_MIPS, shtMIPSABIFlags, (&fieldWriter{Format: f}).put(uint16(0), uint8(32), uint8(2), uint8(1), uint8(1), uint8(0), uint8(5), uint32(0), uint32(0x10), uint32(1), uint32(0)).b, "ISA level: 32"},
			{elf.EM_X86_64, elf.SHT_PROGBITS, nil, "nothing special"},
		} {
			text, faults := printView(t, "a.o", archFile(c.machine, f, c.typ, c.data), Options{Views: Arch})
			if !strings.Contains(text, c.want) || len(faults) > 0 {
				t.Errorf("%v %v %v: %v\n%s", c.machine, f.Class, f.Data, faults, text)
			}
			doc, _ := printView(t, "a.o", archFile(c.machine, f, c.typ, c.data), Options{Views: Arch, JSON: true})
			checkDocumented(t, kinds, "arch", parseJSON(t, doc)["arch"])
			for n := range c.data {
				if _, faults := printView(t, "a.o", archFile(c.machine, f, c.typ, c.data[:n]), Options{Views: Arch}); n > 0 && n != 1 && len(faults) == 0 {
					t.Errorf("%v: %d of %d bytes are not told to be cut", c.machine, n, len(c.data))
				}
			}
		}
	}
}

func FuzzAttributes(f *testing.F) {
	machines := []elf.Machine{elf.EM_ARM, elf.EM_RISCV, elf.EM_AARCH64, elf.EM_S390, elf.EM_MIPS}
	types := []elf.SectionType{shtAttributes, shtGNUAttributes, shtMIPSABIFlags}
	for i := range machines {
		f.Add(uint8(i), uint8(0), attributes(formats[0], "aeabi", uint8(6), uint8(10), uint8(32), uint8(1), "gnu", uint8(65), "\x06\x02"))
		f.Add(uint8(i), uint8(1), attributes(formats[3], "gnu", uint8(4), uint8(1)))
	}
	f.Fuzz(func(t *testing.T, m, typ uint8, data []byte) {
		machine := machines[int(m)%len(machines)]
		file := archFile(machine, formats[m>>4&3], types[int(typ)%len(types)], data)
		printView(t, "fuzz", file, Options{Views: Arch})
		doc, _ := printView(t, "fuzz", file, Options{Views: Arch, JSON: true})
		parseJSON(t, doc)
	})
}
