package elftest_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

func Example() {
	file := elftest.File{
		Class: elf.ELFCLASS32, Order: binary.BigEndian,
		Type: elf.ET_EXEC, Machine: elf.EM_PPC, Base: 0x10000,
		Segments: []elftest.Segment{{Type: elf.PT_LOAD, Flags: elf.PF_R, Whole: true}},
		Sections: []elftest.Section{{Name: ".text", Flags: elf.SHF_ALLOC, Data: []byte("code")}},
		Set:      map[string]uint64{"phdr[0].p_filesz": 0xffffffff},
	}.Bytes()
	f, err := elf.NewFile(bytes.NewReader(file))
	fmt.Println(f.Section(".text").Addr, f.Progs[0].Filesz, err)
	// Output: 65620 4294967295 <nil>
}

// goodKinds runs a test for each well-formed file.
func goodKinds(t *testing.T, test func(t *testing.T, name string, data []byte)) {
	for name, data := range elftest.WellFormed() {
		t.Run(name, func(t *testing.T) { test(t, name, data) })
	}
}

func TestReadelfHasNoComplaint(t *testing.T) {
	samples.Need(t, "readelf")
	dir := t.TempDir()
	goodKinds(t, func(t *testing.T, name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("readelf", "-hlSsrdVAngIW", path)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		if err := cmd.Run(); err != nil {
			t.Errorf("readelf: %v", err)
		}
		for line := range strings.Lines(complaint.String()) {
			// Extended numbering of small counts is legal and odd.
			if !strings.Contains(line, "[ 0]: Unexpected value") {
				t.Errorf("readelf: %s", line)
			}
		}
	})
}

func TestStandardReaderAgrees(t *testing.T) {
	for _, k := range elftest.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			f := open(t, elftest.Shared(k).Bytes())
			if f.Class != k.Class || f.ByteOrder != k.Order || f.Machine != k.Machine || f.Type != elf.ET_DYN {
				t.Errorf("header: %+v", f.FileHeader)
			}
			libs, err := f.ImportedLibraries()
			equal(t, "DT_NEEDED", libs, []string{"libc.so.6"}, err)
			run, err := f.DynString(elf.DT_RUNPATH)
			equal(t, "DT_RUNPATH", run, []string{"$ORIGIN/../lib"}, err)
			needs, err := f.DynamicVersionNeeds()
			equal(t, "needs", len(needs[0].Needs), 2, err)
			syms, err := f.DynamicSymbols()
			var got []string
			for _, s := range syms {
				got = append(got, s.Name+"@"+s.Version)
			}
			slices.Sort(got)
			equal(t, "symbols", got, []string{"ELFTEST_1@ELFTEST_1", "answer@ELFTEST_2", "counter@ELFTEST_1",
				"puts@GLIBC_2.2.5", "question@ELFTEST_1"}, err)
		})
	}
}

func TestStandardReaderDecompresses(t *testing.T) {
	want := make([]byte, 4096)
	copy(want, "compressible")
	for _, k := range elftest.Kinds() {
		f := open(t, elftest.Object(k).Bytes())
		for _, name := range []string{".debug_info", ".debug_str"} {
			got, err := f.Section(name).Data()
			equal(t, k.Name+" "+name, got, want, err)
		}
	}
}

func open(t *testing.T, data []byte) *elf.File {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func equal[T any](t *testing.T, what string, got, want T, err error) {
	t.Helper()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s = %v, %v; want %v", what, got, err, want)
	}
}

// TestProgramsRun runs what elftest calls a program; the kernel and qemu decide.
func TestProgramsRun(t *testing.T) {
	samples.Need(t, "qemu-aarch64_be", "qemu-armeb")
	emulator := map[string]string{"64be": "qemu-aarch64_be", "32be": "qemu-armeb"}
	dir := t.TempDir()
	for name, data := range elftest.WellFormed() {
		form, kind, _ := strings.Cut(name, "-64")
		if form == name {
			form, kind, _ = strings.Cut(name, "-32")
			kind = "32" + kind
		} else {
			kind = "64" + kind
		}
		if !slices.Contains([]string{"exec", "sections", "spare-headers", "vendor-types"}, form) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o755); err != nil {
				t.Fatal(err)
			}
			argv := []string{path}
			if e := emulator[kind]; e != "" {
				argv = []string{e, path}
			}
			err := exec.Command(argv[0], argv[1:]...).Run()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 42 {
				t.Errorf("%v: %v, want exit status 42", argv, err)
			}
		})
	}
}

// TestExtendedNumbering builds a file with more sections and symbols in them
// than 16 bits count.
func TestExtendedNumbering(t *testing.T) {
	samples.Need(t, "readelf")
	const n = 66000
	f := elftest.File{Type: elf.ET_REL, Machine: elf.EM_X86_64}
	for i := range n {
		f.Sections = append(f.Sections, elftest.Section{Name: fmt.Sprintf(".s%d", i)})
	}
	f.Sections = append(f.Sections,
		elftest.Section{Name: ".symtab", Content: elftest.Symbols{{Name: "last", Section: ".s65999", Bind: elf.STB_GLOBAL}}},
		elftest.Section{Name: ".symtab_shndx", Content: elftest.SymbolIndexes{}})
	path := filepath.Join(t.TempDir(), "many.o")
	if err := os.WriteFile(path, f.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("readelf", "-hsW", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"0 (66005)", "65535 (66004)", "66000 last"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("readelf does not say %q:\n%s", want, out)
		}
	}
}

func TestExtendedProgramHeaders(t *testing.T) {
	f := elftest.File{Type: elf.ET_CORE, Machine: elf.EM_X86_64, Segments: make([]elftest.Segment, 70000),
		Sections: []elftest.Section{{Name: "note0", Type: elf.SHT_NOTE}}}
	data := f.Bytes()
	get := fieldGetter(t, data)
	if a, b := get("e_phnum"), get("shdr[0].sh_info"); a != 0xffff || b != 70000 {
		t.Errorf("e_phnum %d, sh_info of section 0 %d; want 65535 and 70000", a, b)
	}
}

func fieldGetter(t *testing.T, data []byte) func(string) uint64 {
	order := binary.ByteOrder(binary.LittleEndian)
	if data[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		order = binary.BigEndian
	}
	all := map[string]elftest.Field{}
	for _, f := range elftest.Fields(data) {
		all[f.Name] = f
	}
	return func(name string) uint64 {
		t.Helper()
		f, ok := all[name]
		if !ok {
			t.Fatalf("no field %q", name)
		}
		return f.Get(data, order)
	}
}

// TestRelr decodes what Relr encoded with the rule of the gABI.
func TestRelr(t *testing.T) {
	for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
		word := uint64(map[elf.Class]int{elf.ELFCLASS32: 4, elf.ELFCLASS64: 8}[class])
		offs := []uint64{0, word, 3 * word, 31 * word, 32 * word, 63 * word, 64 * word, 65 * word, 127 * word, 1000 * word, 1000*word + 2}
		f := elftest.File{Class: class, Type: elf.ET_DYN, Base: 0x1000, Sections: []elftest.Section{
			{Name: ".relr.dyn", Flags: elf.SHF_ALLOC, Content: elftest.Relr{Section: ".data", Offs: offs}},
			{Name: ".data", Flags: elf.SHF_ALLOC, Align: 8, Data: make([]byte, 2000*word)},
		}}
		file := open(t, f.Bytes())
		table, err := file.Section(".relr.dyn").Data()
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		var next uint64
		for ; len(table) > 0; table = table[word:] {
			v := uint64(binary.LittleEndian.Uint32(table))
			if word == 8 {
				v = binary.LittleEndian.Uint64(table)
			}
			if v&1 == 0 {
				got, next = append(got, v), v+word
				continue
			}
			for i := uint64(0); i < word*8-1; i++ {
				if v>>(i+1)&1 != 0 {
					got = append(got, next+i*word)
				}
			}
			next += (word*8 - 1) * word
		}
		base := file.Section(".data").Addr
		for i := range got {
			got[i] -= base
		}
		equal(t, class.String(), got, offs, nil)
	}
}

// TestCoreNoteSizes compares with sizeof(struct elf_prstatus) and
// sizeof(struct elf_prpsinfo) of each machine.
func TestCoreNoteSizes(t *testing.T) {
	want := map[elf.Machine][2]uint64{elf.EM_X86_64: {336, 136}, elf.EM_386: {144, 124}, elf.EM_AARCH64: {392, 136}, elf.EM_ARM: {148, 124}}
	for _, k := range elftest.Kinds() {
		get := fieldGetter(t, elftest.Core(k).Bytes())
		got := [2]uint64{get("note0[0].n_descsz"), get("note0[1].n_descsz")}
		equal(t, k.Name, got, want[k.Machine], nil)
	}
}

func TestMistakesPanic(t *testing.T) {
	for name, f := range map[string]elftest.File{
		"unknown link":   {Sections: []elftest.Section{{Name: ".a", Link: ".b"}}},
		"unknown field":  {Set: map[string]uint64{"shdr[0].sh_link": 1}},
		"unknown symbol": {Sections: []elftest.Section{{Name: ".symtab", Content: elftest.Symbols{}}, {Name: ".rela", Content: elftest.Rela{{Sym: "x"}}, Link: ".symtab"}}},
		"unsorted symbols": {Sections: []elftest.Section{
			{Name: ".dynsym", Content: elftest.Symbols{{Name: "a", Index: 1}, {Name: "b"}, {Name: "d", Index: 1}, {Name: "c", Index: 1}}},
			{Name: ".gnu.hash", Content: elftest.GNUHash{Buckets: 2}}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f.Bytes()
		})
	}
}

func TestMalformedDiffer(t *testing.T) {
	seen := map[string]string{}
	n := 0
	for name, data := range elftest.Corpus() {
		n++
		if other, ok := seen[string(data)]; ok {
			t.Errorf("%s equals %s", name, other)
		}
		seen[string(data)] = name
	}
	if n < 400 {
		t.Errorf("corpus has %d files, want at least 400", n)
	}
}
