package compare

import (
	"bytes"
	"debug/elf"
	"testing"
	"time"

	"elfwright/internal/elftest"
)

// TestCost compares files that make much of few bytes: names that overlap,
// sections, segments and symbols that all have the same bytes.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs the short tests, has a cost of its own")
	}
	k := elftest.Kinds()[0]
	long := string(bytes.Repeat([]byte("n"), 100<<10))
	bytesOf := func(first byte) elftest.File {
		f := elftest.File{Class: k.Class, Order: k.Order, Type: elf.ET_EXEC, Machine: k.Machine, Base: 0x400000}
		data := bytes.Repeat([]byte{first, 2, 3}, 1<<17)
		f.Sections = []elftest.Section{{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Data: data}}
		f.Segments = []elftest.Segment{{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Sections: []string{".text"}, Align: 0x1000}}
		return f
	}
	for name, edit := range map[string]func(f *elftest.File){
		"names": func(f *elftest.File) {
			syms := make(elftest.Symbols, 0, 30000)
			for i := range 30000 {
				syms = append(syms, elftest.Symbol{Name: long, Section: ".text", Value: uint64(i), Size: 1, Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL})
			}
			f.Sections = append(f.Sections, elftest.Section{Name: ".symtab", Type: elf.SHT_SYMTAB, Content: syms})
		},
		"symbols": func(f *elftest.File) {
			size := uint64(len(f.Sections[0].Data))
			syms := make(elftest.Symbols, 0, 30000)
			for i := range uint64(30000) {
				syms = append(syms, elftest.Symbol{Name: "s" + num(i).String(), Section: ".text", Value: i, Size: size - i, Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL})
			}
			f.Sections = append(f.Sections, elftest.Section{Name: ".symtab", Type: elf.SHT_SYMTAB, Content: syms})
		},
		"sections": func(f *elftest.File) {
			first := f.Sections[0]
			for i := range 20000 {
				s := elftest.Section{Name: long, Key: num(uint64(i)).String(), Type: elf.SHT_PROGBITS, Off: 0x40, Size: uint64(len(first.Data))}
				f.Sections = append(f.Sections, s)
			}
		},
		"segments": func(f *elftest.File) {
			for i := range 30000 {
				f.Segments = append(f.Segments, elftest.Segment{Type: elf.PT_LOAD, Flags: elf.PF_R, Off: 1 + uint64(i%7), Filesz: 1 << 30, Memsz: 1 << 40, Vaddr: uint64(i), Align: 1})
				f.Sections = append(f.Sections, elftest.Section{Name: ".s", Key: num(uint64(i)).String(), Before: []byte{1}, Data: []byte{byte(i)}})
			}
		},
		"notes": func(f *elftest.File) {
			for range 30000 {
				f.Segments = append(f.Segments, elftest.Segment{Type: elf.PT_NOTE, Off: 0x1000, Filesz: 1 << 18, Align: 4})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := bytesOf(1), bytesOf(4)
			edit(&a)
			edit(&b)
			old, new := a.Bytes(), b.Bytes()
			start := time.Now()
			r := diff(t, old, new)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%d bytes took %v", len(old), took)
			} else {
				t.Logf("%d bytes took %v", len(old), took)
			}
			text(t, r)
		})
	}
}
