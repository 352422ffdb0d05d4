package lines

import (
	"debug/elf"
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
	"elfwright/machine/amd64"
)

// debugNames are the sections that lines are read from.
var debugNames = []string{".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_line_str"}

// seedTables are the debug sections of a small source, by version of DWARF.
func seedTables(f *testing.F, version string) [][]byte {
	obj := filepath.Join(f.TempDir(), "a.o")
	cmd := exec.Command("gcc", "-g", "-gdwarf-"+version, "-c", "-o", obj, "-xc", "-")
	cmd.Stdin = strings.NewReader("int f(int x)\n{\n\treturn x + 1;\n}\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		f.Fatalf("%v\n%s", err, out)
	}
	file, err := elf.Open(obj)
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	all := make([][]byte, len(debugNames))
	for i, name := range debugNames {
		if s := file.Section(name); s != nil {
			all[i], _ = s.Data()
		}
	}
	return all
}

// FuzzLine looks lines up in tables that may be anything.
func FuzzLine(f *testing.F) {
	f.Add([]byte{}, []byte{}, []byte{}, []byte{}, []byte{}, uint64(0))
	if samples.Missing("gcc") == "" {
		for _, version := range []string{"2", "3", "4", "5"} {
			b := seedTables(f, version)
			f.Add(b[0], b[1], b[2], b[3], b[4], uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, info, abbrev, line, str, lineStr []byte, off uint64) {
		o := &model.Object{File: "a.o", Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Symbols: []*model.Symbol{nil}}
		text := &model.Section{Obj: o, Name: ".text", Index: 1, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Data: make([]byte, 64), Size: 64}
		o.Sections = []*model.Section{nil, text}
		for i, b := range [][]byte{info, abbrev, line, str, lineStr} {
			s := &model.Section{Obj: o, Name: debugNames[i], Index: int32(2 + i), Type: elf.SHT_PROGBITS, Data: b, Size: uint64(len(b))}
			o.Sections = append(o.Sections, s)
		}
		at := New(amd64.Machine).Line(text, off)
		if at != "" && !strings.Contains(at, ":") {
			t.Errorf("a line without a number: %q", at)
		}
	})
}
