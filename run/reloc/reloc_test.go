package reloc

import (
	"debug/elf"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/machine/all"
	"elfwright/run/memory"
	"elfwright/run/place"
)

var machines = []struct {
	m elf.Machine
	c elf.Class
}{
	{elf.EM_X86_64, elf.ELFCLASS64}, {elf.EM_386, elf.ELFCLASS32}, {elf.EM_AARCH64, elf.ELFCLASS64}, {elf.EM_ARM, elf.ELFCLASS32}, {elf.EM_RISCV, elf.ELFCLASS64},
}

// words are how the machines' documents name the kinds.
var words = map[kind][]string{
	none: {"NONE", "NULL"}, relative: {"_RELATIVE"}, copyData: {"_COPY"}, irelative: {"_IRELATIVE"}, tlsdesc: {"TLSDESC", "TLS_DESC"},
	module: {"DTPMOD"}, dtpoff: {"DTPOFF", "DTPREL"}, tpoff: {"TPOFF", "TPREL"}, tpoffNeg: {"TPOFF32"}, symbol: {"GLOB_DAT"},
	slot: {"JUMP_SLOT"}, slotOnly: {"JUMP_SLOT", "JMP_SLOT"}, word: {"_64", "_32", "ABS64", "ABS32", "GLOB_DAT"},
}

// TestKinds holds the kinds against the machines' tables: each type is called what
// it does, and each type that a dynamic linker carries out has a kind or a formula.
func TestKinds(t *testing.T) {
	for _, m := range machines {
		k, table := kindsOf(m.m, m.c), all.Lookup(m.m, m.c).Relocs
		for typ, kind := range k.list {
			if kind == byRow {
				continue
			}
			name := table.Name(uint32(typ))
			if !slices.ContainsFunc(words[kind], func(w string) bool { return strings.Contains(name, w) }) {
				t.Errorf("%v: type %d, %s, has kind %d", m.m, typ, name, kind)
			}
		}
		for typ := range uint32(2048) {
			row := table.Lookup(typ)
			if row == nil || !row.Dynamic || k.of(typ) != byRow || row.Static() || strings.Contains(row.Name, "_AUTH_") { // signed pointers: neither glibc nor musl has them
				continue
			}
			t.Errorf("%v: %s is dynamic, and nothing carries it out", m.m, row.Name)
		}
	}
	if kindsOf(elf.EM_X86_64, elf.ELFCLASS32) != nil || kindsOf(elf.EM_S390, elf.ELFCLASS64) != nil {
		t.Error("kinds of a machine that there are none for")
	}
}

const base, start = 0x5000_0000, 0x1000

// bench is a worker with an object of one segment of 64 bytes at 0x1000, loaded at
// 0x50000000, whose thread-local storage is module 3, at 0x40 from the thread pointer.
func bench(m elf.Machine, c elf.Class, flags elf.ProgFlag) *worker {
	mach := all.Lookup(m, c)
	f := &elffile.File{Name: "lib.so", Format: elffile.Format{Class: c, Data: elf.ELFDATA2LSB}}
	f.Header.Machine = m
	o := &load.Object{Object: &object.Object{File: f, Machine: mach}, Path: "/lib.so"}
	p := &memory.Process{Objects: make([]memory.Object, 1)}
	p.Objects[0] = memory.Object{
		Object:   &place.Object{Object: o, Base: base, Module: 3, Offset: 0x40},
		Segments: []memory.Segment{{Start: start, End: start + 0x1000, FileEnd: start + 64, Flags: flags, Bytes: make([]byte, 64)}},
	}
	w := &worker{m: p, o: &p.Objects[0], k: kindsOf(m, c), size: uint64(f.AddrSize()), table: &elffile.RelocTable{Name: "RELA", Kind: "RELA", HasAddend: true}}
	w.opt = Options{Libc: load.Glibc, TLSDesc: 0x7777}
	return w
}

// TestSelf carries out each kind of relocation against the object itself (symbol 0),
// and looks at the words.
func TestSelf(t *testing.T) {
	for _, tc := range []struct {
		m     elf.Machine
		c     elf.Class
		typ   uint32
		place uint64 // before, where there is no addend in the table
		a     int64
		rel   bool
		want  []uint64
	}{
		{elf.EM_X86_64, elf.ELFCLASS64, 8, 9, 0x10, false, []uint64{base + 0x10}},
		{elf.EM_X86_64, elf.ELFCLASS64, 38, 9, -1, false, []uint64{base - 1}},
		{elf.EM_X86_64, elf.ELFCLASS64, 1, 9, 5, false, []uint64{base + 5}},
		{elf.EM_X86_64, elf.ELFCLASS64, 6, 9, 5, false, []uint64{base}},
		{elf.EM_X86_64, elf.ELFCLASS64, 7, 9, 5, false, []uint64{base}},
		{elf.EM_X86_64, elf.ELFCLASS64, 16, 9, 5, false, []uint64{3}},
		{elf.EM_X86_64, elf.ELFCLASS64, 17, 9, 5, false, []uint64{5}},
		{elf.EM_X86_64, elf.ELFCLASS64, 18, 9, 5, false, []uint64{0x45}},
		{elf.EM_X86_64, elf.ELFCLASS64, 36, 9, 5, false, []uint64{0x7777, 0x45}},
		{elf.EM_X86_64, elf.ELFCLASS64, 0, 9, 5, false, []uint64{9}},
		{elf.EM_386, elf.ELFCLASS32, 8, 0x10, 0, true, []uint64{base + 0x10}},
		{elf.EM_386, elf.ELFCLASS32, 1, 5, 0, true, []uint64{base + 5}},
		{elf.EM_386, elf.ELFCLASS32, 6, 5, 0, true, []uint64{base}},
		{elf.EM_386, elf.ELFCLASS32, 14, 5, 0, true, []uint64{0x45}},
		{elf.EM_386, elf.ELFCLASS32, 37, 5, 0, true, []uint64{1<<32 - 0x40 + 5}},
		{elf.EM_386, elf.ELFCLASS32, 35, 5, 0, true, []uint64{3}},
		{elf.EM_AARCH64, elf.ELFCLASS64, 1027, 9, 0x10, false, []uint64{base + 0x10}},
		{elf.EM_AARCH64, elf.ELFCLASS64, 1025, 9, 5, false, []uint64{base + 5}},
		{elf.EM_AARCH64, elf.ELFCLASS64, 1026, 9, 5, false, []uint64{base + 5}},
		{elf.EM_AARCH64, elf.ELFCLASS64, 1030, 9, 5, false, []uint64{0x45}},
		{elf.EM_AARCH64, elf.ELFCLASS64, 1031, 9, 5, false, []uint64{0x7777, 0x45}},
		{elf.EM_ARM, elf.ELFCLASS32, 23, 0x10, 0, true, []uint64{base + 0x10}},
		{elf.EM_ARM, elf.ELFCLASS32, 22, 5, 0, true, []uint64{base}},
		{elf.EM_ARM, elf.ELFCLASS32, 13, 5, 0, true, []uint64{0x45, 0x7777}},
		{elf.EM_RISCV, elf.ELFCLASS64, 3, 9, 0x10, false, []uint64{base + 0x10}},
		{elf.EM_RISCV, elf.ELFCLASS64, 5, 9, 5, false, []uint64{base + 5}},
		{elf.EM_RISCV, elf.ELFCLASS64, 9, 9, 5, false, []uint64{1<<64 - 0x800 + 5}},
		{elf.EM_RISCV, elf.ELFCLASS64, 11, 9, 5, false, []uint64{0x45}},
	} {
		w := bench(tc.m, tc.c, elf.PF_R|elf.PF_W)
		w.table.HasAddend = !tc.rel
		seg := &w.o.Segments[0]
		w.o.PutAddr(seg.Bytes[8:], tc.place)
		w.one(&elffile.Reloc{Off: start + 8, Type: tc.typ, Addend: tc.a})
		if w.errs != nil {
			t.Errorf("%v %s: %v", tc.m, w.typeName(tc.typ), w.errs)
			continue
		}
		var got []uint64
		for i := range tc.want {
			got = append(got, w.o.Addr(seg.Bytes[8+i*int(w.size):]))
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%v %s: 0x%x, want 0x%x", tc.m, w.typeName(tc.typ), got, tc.want)
		}
	}
}

// TestFaults are relocations that name what is not there.
func TestFaults(t *testing.T) {
	const rw = elf.PF_R | elf.PF_W
	for _, tc := range []struct {
		flags elf.ProgFlag
		off   uint64
		typ   uint32
		sym   uint32
		want  string
	}{
		{rw, 0x99000, 8, 0, "lib.so: RELA[0], r_offset at 0x0: 0x99000 is in no segment"},
		{rw, start + 0xffc, 8, 0, "lib.so: RELA[0], r_offset at 0x0: 0x1ffc + 8 is past the end of its segment (0x2000)"},
		{elf.PF_R, start, 8, 0, "lib.so: RELA[0], r_offset at 0x0: 0x1000 is in a segment without PF_W (program header 0), and there is no DT_TEXTREL"},
		{rw, start, 1, 7, "lib.so: RELA[0], r_info at 0x8: symbol 7 is not one of 0"},
		{rw, start, 999, 0, "lib.so: RELA[0], r_info at 0x8: relocation type 999 is none that a dynamic linker carries out"},
		{rw, start, 22, 0, "lib.so: RELA[0], r_info at 0x8: R_X86_64_GOTTPOFF is none that a dynamic linker carries out"},
	} {
		w := bench(elf.EM_X86_64, elf.ELFCLASS64, tc.flags)
		w.one(&elffile.Reloc{Off: tc.off, Type: tc.typ, Sym: tc.sym})
		if len(w.errs) != 1 || w.errs[0].Error() != tc.want {
			t.Errorf("%v, want %s", w.errs, tc.want)
		}
	}
	w := bench(elf.EM_X86_64, elf.ELFCLASS64, rw)
	for range 2*maxErrors + 1 {
		w.one(&elffile.Reloc{Off: 1, Type: 8})
	}
	if len(w.errs) != maxErrors || w.more != maxErrors+1 {
		t.Errorf("%d faults are told, %d counted", len(w.errs), w.more)
	}
	w.opt.Libc = load.Musl
	w.errs = nil
	w.one(&elffile.Reloc{Off: start, Type: 37})
	if len(w.errs) != 1 || !strings.Contains(w.errs[0].Error(), "musl knows no indirect functions") {
		t.Errorf("%v", w.errs)
	}
}
