package reset_test

import (
	"debug/elf"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/reset"
)

// TestPersistentNames: which memory a name means, and what is said where it means none.
func TestPersistentNames(t *testing.T) {
	program := elftest.ExecSections(elftest.Kinds()[0])
	program.Overlay = nil
	base := program.Base + 0x200000
	for i := range program.Sections {
		if s := &program.Sections[i]; s.Name == ".symtab" {
			object := func(name string, bind elf.SymBind, value, size uint64) elftest.Symbol {
				return elftest.Symbol{Name: name, Section: ".bss", Bind: bind, Type: elf.STT_OBJECT, Value: value, Size: size}
			}
			list := s.Content.(elftest.Symbols)
			locals := append(list[:2:2], object("twice", elf.STB_LOCAL, 0x10, 8), object("twice", elf.STB_LOCAL, 0x20, 8),
				object("both", elf.STB_LOCAL, 0x30, 8), object("alone", elf.STB_LOCAL, 0x40, 8))
			s.Content = append(append(locals, list[2:]...), object("empty", elf.STB_GLOBAL, 0x50, 0), object("both", elf.STB_WEAK, 0x60, 8), object("both", elf.STB_GLOBAL, 0x70, 8))
		}
	}
	f, err := elffile.Parse("small", program.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		addr uint64 // from .bss
		size uint64
		want string
	}{
		{"alone", 0x40, 8, ""},
		{"both", 0x70, 8, ""},
		{".bss", 0, 0x2000, ""},
		{".b*", 0, 0x2000, ""},
		{"0x600018..0x600028", 0x10, 0x10, ""},
		{"empty", 0, 0, "empty: the symbol has no size: say 0x600058..END"},
		{"twice", 0, 0, "twice: 2 local symbols of small have that name: say the range instead"},
		{"_start", 0, 0, "_start: no symbol of a variable is called so in small"},
		{"buffr", 0, 0, "perhaps buffer"},
		{".text", 0, 0, "no writable section is called .text"},
	} {
		r, err := reset.Apply(f, reset.Options{Persistent: []string{tc.name}})
		if tc.want != "" {
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if k := r.Report.Kept[0]; uint64(k.Addr) != base+8+tc.addr || k.Size != tc.size || k.Why != "persistent" {
			t.Errorf("%s: %+v", tc.name, k)
		}
	}
}
