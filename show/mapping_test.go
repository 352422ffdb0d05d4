package show

import (
	"debug/elf"
	"testing"

	"elfwright/elffile"
)

func TestInSegment(t *testing.T) {
	const alloc, tls = uint64(elf.SHF_ALLOC), uint64(elf.SHF_ALLOC | elf.SHF_TLS)
	load := elffile.Prog{Type: elf.PT_LOAD, Off: 0x1000, Vaddr: 0x401000, Filesz: 0x100, Memsz: 0x200}
	as := func(typ elf.ProgType) elffile.Prog { p := load; p.Type = typ; return p }
	bits := func(off, size uint64) elffile.Section {
		return elffile.Section{Type: elf.SHT_PROGBITS, Flags: alloc, Off: 0x1000 + off, Addr: 0x401000 + off, Size: size}
	}
	bss := elffile.Section{Type: elf.SHT_NOBITS, Flags: alloc, Off: 0x1100, Addr: 0x401100, Size: 0x100}
	tbss := bss
	tbss.Flags = tls
	tdata := bits(0, 0x10)
	tdata.Flags = tls
	comment := bits(0, 0x10)
	comment.Flags, comment.Addr = 0, 0
	far := bits(0, 0x10)
	far.Addr += 0x1000
	wrap := bits(0x10, 1<<64-8)
	for _, c := range []struct {
		name string
		s    elffile.Section
		seg  elffile.Prog
		want bool
	}{
		{"at the start", bits(0, 0x10), load, true},
		{"all of it", bits(0, 0x100), load, true},
		{"one byte too long", bits(0, 0x101), load, false},
		{"behind it", bits(0x100, 0x10), load, false},
		{"empty at its end", bits(0x100, 0), load, false},
		{"empty inside", bits(0x80, 0), load, true},
		{"its memory", bss, load, true},
		{"address elsewhere", far, load, false},
		{"a size that wraps around", wrap, load, false},
		{"no memory, in a LOAD", comment, load, false},
		{"no memory, in a NOTE", comment, as(elf.PT_NOTE), true},
		{".tbss in a LOAD", tbss, load, false},
		{".tbss in its template", tbss, as(elf.PT_TLS), true},
		{".tdata in a LOAD", tdata, load, true},
		{".tdata in RELRO", tdata, as(elf.PT_GNU_RELRO), true},
		{".tdata in a NOTE", tdata, as(elf.PT_NOTE), false},
		{"data in the TLS template", bits(0, 0x10), as(elf.PT_TLS), false},
		{"data in PT_PHDR", bits(0, 0x10), as(elf.PT_PHDR), false},
		{"empty at the start of DYNAMIC", bits(0, 0), as(elf.PT_DYNAMIC), false},
		{"empty inside DYNAMIC", bits(8, 0), as(elf.PT_DYNAMIC), true},
		{"in PT_GNU_STACK without room", elffile.Section{Type: elf.SHT_PROGBITS, Flags: alloc, Size: 1}, elffile.Prog{Type: elf.PT_GNU_STACK}, false},
	} {
		if got := inSegment(&c.s, &c.seg); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
