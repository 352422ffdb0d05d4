package linkset

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/internal/elftest"
)

// 100 objects with 100 functions each, a section for every one.
const (
	sectionUnits    = 100
	sectionsPerUnit = 100
	patternGroups   = 320 // of functions, by name
)

// Sections writes 100 objects with 10,000 small sections, and a script of 500
// patterns with wildcards of every kind: in names of sections and of files,
// sorted, kept, and with files left out.
func Sections(dir string) (*Set, error) {
	w := &writer{dir: dir}
	var paths []string
	for i := range sectionUnits {
		paths = append(paths, w.file(fmt.Sprintf("lib%02d/part%03d.o", i/10, i), sectionUnit(i)))
	}
	script := w.file("sections.lds", []byte(sectionsScript()))
	objects := w.list("objects.rsp", paths)
	return &Set{
		Name: "sections",
		LD:   []string{"ld.bfd", "--no-warn-rwx-segments"},
		Args: []string{"-m", "elf_x86_64", "-z", "noexecstack", "--gc-sections", "-T", script, objects},
	}, w.err
}

// piece names function k of unit i: its group is part of the section's name.
func piece(i, k int) string { return fmt.Sprintf("g%03d.f%d_%d", (i*37+k*11)%patternGroups, i, k) }

func pieceSymbol(i, k int) string { return fmt.Sprintf("f%d_%d", i, k) }

// sectionUnit is an object of which every fifth function is called by none.
func sectionUnit(i int) []byte {
	o, r := newObject(elf.EM_X86_64, elf.ELFCLASS64, 0, fmt.Sprintf("part%03d.c", i)), newRnd(i)
	for k := range sectionsPerUnit {
		name, flags := ".text."+piece(i, k), code
		switch k % 10 {
		case 7:
			name, flags = ".rodata."+piece(i, k), alloc
		case 8:
			name, flags = ".data."+piece(i, k), write
		case 9:
			name, flags = ".bss."+piece(i, k), write
		}
		n := r.skewed(16, 240) &^ 7
		s := elftest.Section{Name: name, Flags: flags, Align: 8, Type: elf.SHT_PROGBITS, Data: r.bytes(n)}
		if k%10 == 9 {
			s.Type, s.Data, s.Size = elf.SHT_NOBITS, nil, uint64(n)
		}
		o.section(s)
		typ := elf.STT_OBJECT
		if flags == code {
			typ = elf.STT_FUNC
		}
		o.global(elftest.Symbol{Name: pieceSymbol(i, k), Section: name, Size: uint64(n), Type: typ})
		if k%10 < 9 {
			o.relocate(name, sectionCalls(o, r, i, k, n, flags))
		}
	}
	if i == 0 {
		o.global(elftest.Symbol{Name: "start", Section: ".text." + piece(0, 0), Type: elf.STT_FUNC})
	}
	o.section(elftest.Section{Name: ".init_call", Flags: alloc, Align: 8, Data: make([]byte, 8)})
	o.relocate(".init_call", []reloc{{0, x86Abs64, o.ref(pieceSymbol(i, 0)), 0}})
	o.note("cc (linkset) 12.2.0")
	return o.encode()
}

// sectionCalls refers to the next function and to others, but never to one whose
// number is 4 modulo 5.
func sectionCalls(o *object, r *rnd, i, k, n int, flags elf.SectionFlag) []reloc {
	var list []reloc
	used := func(i, k int) symbol {
		if k%5 == 4 && k%10 != 9 {
			k--
		}
		return o.ref(pieceSymbol(i, k))
	}
	for off := 0; off+8 <= n; off += 24 {
		to := used(r.below(sectionUnits), r.below(sectionsPerUnit))
		if off == 0 {
			next := k + 1
			if next%5 == 4 && next%10 != 9 {
				next++
			}
			to = used(i, next%sectionsPerUnit)
		}
		x := reloc{off, x86Abs64, to, 0}
		if flags == code {
			x = reloc{off + 1, x86PLT, to, -4}
		}
		list = append(list, x)
	}
	return list
}

// sectionsScript has 320 patterns of code by group, 160 of data, and some that
// look at files.
func sectionsScript() string {
	var b strings.Builder
	b.WriteString("ENTRY(start)\nSECTIONS\n{\n  . = 0x400000;\n")
	b.WriteString("  .init_call : { __start_calls = .; KEEP(*(SORT_BY_NAME(.init_call))) __stop_calls = .; }\n")
	for part := range 8 {
		fmt.Fprintf(&b, "  .text%d : {\n", part)
		for g := part * patternGroups / 8; g < (part+1)*patternGroups/8; g++ {
			switch g % 5 {
			case 0:
				fmt.Fprintf(&b, "    *part?%d?.o(.text.g%03d.*)\n    *(EXCLUDE_FILE(*part?%d?.o) .text.g%03d.*)\n", g%10, g, g%10, g)
			case 1:
				fmt.Fprintf(&b, "    *(SORT(.text.g%03d.f*))\n", g)
			case 2:
				fmt.Fprintf(&b, "    *(.text.[fg]%03d.f?_* .text.g%03d.*)\n", g, g)
			default:
				fmt.Fprintf(&b, "    *(.text.g%03d.*)\n", g)
			}
		}
		b.WriteString("    *(.text)\n  }\n")
	}
	for _, kind := range []string{".rodata", ".data", ".bss"} {
		fmt.Fprintf(&b, "  . = ALIGN(0x1000);\n  %s : {\n", kind)
		for g := range 32 {
			fmt.Fprintf(&b, "    *(%s.g%02d?.f[0-9]*)\n", kind, g)
		}
		fmt.Fprintf(&b, "    *(%[1]s %[1]s.*)\n  }\n", kind)
	}
	b.WriteString("  /DISCARD/ : { *(.note.GNU-stack) }\n}\n")
	return b.String()
}
