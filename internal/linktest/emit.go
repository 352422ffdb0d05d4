package linktest

import (
	"debug/elf"
	"fmt"
	"slices"
	"testing"
)

// Emitted lists the relocations of a program's .text, which --emit-relocs left, as
// text; without those types that leave says are not to be compared.
func Emitted(t testing.TB, file string, addends bool, leave ...uint32) (list []string) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	word := 8
	if f.Class == elf.ELFCLASS32 {
		word = 4
	}
	for _, s := range f.Sections {
		if s.Name != ".rela.text" && s.Name != ".rel.text" {
			continue
		}
		d, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(d) >= int(s.Entsize); d = d[s.Entsize:] {
			r := reloc(d, f.ByteOrder, word, s.Type == elf.SHT_RELA)
			if slices.Contains(leave, r.Type) {
				continue
			}
			line := fmt.Sprintf("%#x type %d", r.Off, r.Type)
			if r.Sym != 0 {
				line += " " + syms[r.Sym-1].Name
			}
			if addends {
				line += fmt.Sprintf("%+d", r.Addend)
			}
			list = append(list, line)
		}
	}
	slices.Sort(list)
	return list
}
