package elffile

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

// readelf prints a file that has the given bytes.
func readelf(t *testing.T, data []byte, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("readelf", append(args, "-W", name)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, _ := cmd.Output() // it also fails where it found something odd
	return string(out)
}

var namedMachines = []elf.Machine{elf.EM_NONE, elf.EM_X86_64, elf.EM_386, elf.EM_AARCH64, elf.EM_ARM, elf.EM_RISCV, elf.EM_MIPS, elf.EM_PPC64, elf.EM_S390, elf.EM_IA_64, elf.EM_PARISC}

// numbers are the numbers around all limits and names.
func numbers(named ...uint32) []uint32 {
	for _, base := range []uint32{0x60000000, 0x6474e550, 0x6fff4700, 0x6ffffe00, 0x6ffffff0, 0x70000000, 0x70000020, 0x7ffffff8, 0x80000000} {
		for i := range uint32(24) {
			named = append(named, base+i)
		}
	}
	for i := range uint32(50) {
		named = append(named, i)
	}
	slices.Sort(named)
	return slices.Compact(named)
}

func TestProgTypeNames(t *testing.T) {
	samples.Need(t, "readelf")
	// Those that readelf does not know are told apart here.
	ours := regexp.MustCompile(`^(PAX|OPENBSD|SEL4|LONE|ELFTIN|ELFWRIGHT|EW_|SUNW|GNU_MBIND|ARM_ARCHEXT)`)
	for _, m := range namedMachines {
		d := elftest.File{Machine: m, Type: elf.ET_EXEC}
		var types []elf.ProgType
		for _, v := range numbers() {
			types = append(types, elf.ProgType(v))
		}
		types = append(types, ProgTypes(m)...)
		for _, v := range types {
			d.Segments = append(d.Segments, elftest.Segment{Type: v, Off: 0x999999})
		}
		var got []string
		for line := range strings.Lines(readelf(t, d.Bytes(), "-l")) {
			if name, rest, ok := strings.Cut(line, "0x999999"); ok && !strings.Contains(rest, "0x999999") {
				got = append(got, strings.TrimSpace(name))
			}
		}
		if len(got) != len(types) {
			t.Fatalf("readelf shows %d of %d program headers", len(got), len(types))
		}
		for i, v := range types {
			name := ProgTypeName(m, v)
			if !strings.HasPrefix(name, got[i]) && !ours.MatchString(name) { // readelf cuts to 14 characters
				t.Errorf("%v: p_type 0x%x: %q, readelf %q", m, uint32(v), name, got[i])
			}
		}
	}
}

func TestSectionTypeNames(t *testing.T) {
	samples.Need(t, "readelf")
	// Those that readelf does not know, or not on HP's systems for IA-64.
	ours := regexp.MustCompile(`^(SUNW|LLVM|ANDROID|CREL|GNU_INCREMENTAL_INPUTS|GNU_ATTRIBUTES)`)
	// In readelf 2.40 the first two numbers have a second name, from Solaris and
	// before Solaris; what it prints for SHT_NULL is also "NULL".
	for _, m := range namedMachines {
		d := elftest.File{Machine: m, Type: elf.ET_EXEC}
		types := slices.DeleteFunc(numbers(), func(v uint32) bool { return v == 0 || v == 0x6ffffff0 || v == 0x6ffffffc })
		for _, v := range types {
			d.Sections = append(d.Sections, elftest.Section{Type: elf.SectionType(v), Addr: 0x9999, Off: 64, Size: 0})
		}
		var got []string
		line := regexp.MustCompile(`\] +(\S.*?) +0+9999 0000`)
		for _, x := range line.FindAllStringSubmatch(readelf(t, d.Bytes(), "-S"), -1) {
			got = append(got, x[1])
		}
		if len(got) != len(types) {
			t.Fatalf("readelf shows %d of %d section headers", len(got), len(types))
		}
		for i, v := range types {
			name := SectionTypeName(m, elf.SectionType(v))
			if !strings.HasPrefix(name, got[i]) && !ours.MatchString(name) {
				t.Errorf("%v: sh_type 0x%x: %q, readelf %q", m, v, name, got[i])
			}
		}
	}
}

func TestDynTagNames(t *testing.T) {
	samples.Need(t, "readelf")
	ours := regexp.MustCompile(`^(ANDROID|CREL|SUNW)`)
	for _, m := range namedMachines {
		tags := slices.DeleteFunc(numbers(0x6fffe000, 0x40000026), func(v uint32) bool { return v == 0 })
		var dyn elftest.Dynamic
		for _, v := range tags {
			dyn = append(dyn, elftest.Dyn{Tag: elf.DynTag(v), Val: 1})
		}
		d := elftest.File{Machine: m, Type: elf.ET_DYN, Segments: []elftest.Segment{{Type: elf.PT_LOAD, Whole: true}, {Type: elf.PT_DYNAMIC, Sections: []string{".dynamic"}}},
			Sections: []elftest.Section{{Name: ".dynamic", Flags: elf.SHF_ALLOC, Content: dyn}}}
		got := make(map[uint64]string)
		for _, x := range regexp.MustCompile(`(?m)^ 0x([0-9a-f]{16}) \((.*?)\)(?: |$)`).FindAllStringSubmatch(readelf(t, d.Bytes(), "-d"), -1) {
			var v uint64
			fmt.Sscanf(x[1], "%x", &v)
			got[v] = x[2]
		}
		if len(got) < len(tags) {
			t.Fatalf("readelf shows %d of %d dynamic entries", len(got), len(tags))
		}
		for _, v := range tags {
			name := DynTagName(m, elf.DynTag(v))
			// On HP-PA readelf takes all numbers between the named ones for HP-UX's.
			if name != got[uint64(v)] && !ours.MatchString(name) && m != elf.EM_PARISC {
				t.Errorf("%v: d_tag 0x%x: %q, readelf %q", m, v, name, got[uint64(v)])
			}
		}
	}
}

func TestSymbolNames(t *testing.T) {
	samples.Need(t, "readelf")
	for _, m := range namedMachines {
		var syms elftest.Symbols
		for i := range 256 {
			syms = append(syms, elftest.Symbol{Name: "x", Value: 0x9999, Bind: elf.SymBind(i >> 4), Type: elf.SymType(i & 15), Other: uint8(i & 3), Index: elf.SectionIndex(0xff00 + i&^1)})
		}
		// GNU's own types and bindings are shown for files that say they use them.
		d := elftest.File{Machine: m, Type: elf.ET_REL, OSABI: elf.ELFOSABI_LINUX, Sections: []elftest.Section{{Name: ".symtab", Content: syms}}}
		lines := regexp.MustCompile(`(?m)^ *\d+: 0+9999 +0 (.*) x$`).FindAllStringSubmatch(readelf(t, d.Bytes(), "-s"), -1)
		if len(lines) != 256 {
			t.Fatalf("readelf shows %d of 256 symbols", len(lines))
		}
		for i, x := range lines {
			s := syms[i]
			want := fmt.Sprintf("%s %s %s %s", SymTypeName(m, s.Type), SymBindName(s.Bind), VisibilityName(elf.SymVis(s.Other&3)), SectionIndexName(m, uint16(s.Index)))
			if got := x[1]; strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") && !strings.HasPrefix(got, "HP_") {
				t.Errorf("%v: %q, readelf %q", m, want, got)
			}
		}
	}
}

func TestHeaderNames(t *testing.T) {
	samples.Need(t, "readelf")
	field := func(out, name string) string {
		_, rest, _ := strings.Cut(out, name+":")
		line, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSpace(line)
	}
	for m, want := range machineNames {
		if got := field(readelf(t, elftest.File{Machine: m}.Bytes(), "-h"), "Machine"); got != want {
			t.Errorf("e_machine %d: %q, readelf %q", m, want, got)
		}
	}
	for _, tc := range []struct {
		m    elf.Machine
		want string
	}{{elf.EM_NORC, "NORC"}, {0x1234, "<unknown>: 0x1234"}} {
		if got := MachineName(tc.m); got != tc.want {
			t.Errorf("e_machine 0x%x: %q", uint16(tc.m), got)
		}
	}
	for v := range 256 {
		for _, m := range []elf.Machine{elf.EM_X86_64, elf.EM_ARM, elf.EM_AMDGPU, 140} {
			if v > 20 && v < 60 || v > 100 && v < 250 || m != elf.EM_X86_64 && v < 60 {
				continue
			}
			d := elftest.File{Machine: m, OSABI: elf.OSABI(v)}
			if got, want := field(readelf(t, d.Bytes(), "-h"), "OS/ABI"), OSABIName(m, elf.OSABI(v)); got != want && v != 255 {
				t.Errorf("%v: EI_OSABI %d: %q, readelf %q", m, v, want, got)
			}
		}
	}
	for _, v := range []elf.Type{0, 1, 2, 3, 4, 5, 0xfdff, 0xfe00, 0xfeff, 0xff00, 0xffff} {
		if got, want := field(readelf(t, elftest.File{Type: v}.Bytes(), "-h"), "Type"), TypeName(v); got != want {
			t.Errorf("e_type 0x%x: %q, readelf %q", uint16(v), want, got)
		}
	}
}

func TestSectionFlagNames(t *testing.T) {
	samples.Need(t, "readelf")
	for _, m := range namedMachines {
		d := elftest.File{Machine: m, Type: elf.ET_EXEC, OSABI: elf.ELFOSABI_LINUX}
		var flags []uint64
		for i := range 32 {
			flags = append(flags, 1<<i)
		}
		flags = append(flags, 7, 0xf0000, 0x0e000000, 0x37, 0xf07) // of OS and processor bits readelf shows no more after an unknown one
		for _, v := range flags {
			d.Sections = append(d.Sections, elftest.Section{Type: elf.SHT_PROGBITS, Flags: elf.SectionFlag(v), Addr: 0x9999, Off: 64})
		}
		out := readelf(t, d.Bytes(), "-S")
		lines := regexp.MustCompile(`PROGBITS +0+9999 000040 000000 00 (.*?) +0 +0 +1`).FindAllStringSubmatch(out, -1)
		if len(lines) != len(flags) {
			t.Fatalf("readelf shows %d of %d section headers\n%s", len(lines), len(flags), out)
		}
		for i, v := range flags {
			if got, want := SectionFlagLetters(m, v), strings.TrimSpace(lines[i][1]); got != want {
				t.Errorf("%v: sh_flags 0x%x: %q, readelf %q", m, v, got, want)
			}
		}
	}
	if got := SectionFlagNames(elf.EM_X86_64, 0x10000006|1<<40); fmt.Sprint(got) != "[ALLOC EXEC LARGE UNKNOWN (0000010000000000)]" {
		t.Errorf("%q", got)
	}
	if got := ProgFlagLetters(elf.PF_R | elf.PF_X); got != "R E" {
		t.Errorf("%q", got)
	}
}
