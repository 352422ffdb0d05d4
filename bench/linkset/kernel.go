package linkset

import (
	"debug/elf"
	"fmt"

	"elfwright/internal/elftest"
)

// kernelUnits is how many objects the kernel has.
const kernelUnits = 2000

const (
	alloc = elf.SHF_ALLOC
	code  = elf.SHF_ALLOC | elf.SHF_EXECINSTR
	write = elf.SHF_ALLOC | elf.SHF_WRITE
)

// part is a section that some of the kernel's objects have.
type part struct {
	name      string
	percent   int // of the objects
	flags     elf.SectionFlag
	align     uint64
	low, high int // bytes, or entries of a table
	every     int // bytes to a relocation, about; 0: none
	nobits    bool
}

// codeAndData are sections that programs fill. The first is where functions are.
var codeAndData = []part{
	{name: ".text", percent: 100, flags: code, align: 16, low: 1200, high: 16000, every: 28},
	{name: ".text.unlikely", percent: 45, flags: code, align: 1, low: 40, high: 600, every: 18},
	{name: ".init.text", percent: 42, flags: code, align: 16, low: 60, high: 1600, every: 13},
	{name: ".exit.text", percent: 12, flags: code, align: 1, low: 20, high: 200, every: 10},
	{name: ".noinstr.text", percent: 4, flags: code, align: 16, low: 60, high: 700, every: 17},
	{name: ".sched.text", percent: 2, flags: code, align: 16, low: 100, high: 1500, every: 28},
	{name: ".ref.text", percent: 2, flags: code, align: 1, low: 50, high: 500, every: 17},
	{name: ".entry.text", percent: 1, flags: code, align: 64, low: 300, high: 2400, every: 90},
	{name: ".altinstr_aux", percent: 11, flags: code, align: 1, low: 30, high: 140, every: 6},
	{name: ".rodata", percent: 75, flags: alloc, align: 32, low: 40, high: 2600, every: 50},
	{name: ".init.rodata", percent: 15, flags: alloc, align: 32, low: 20, high: 1000, every: 250},
	{name: ".data", percent: 80, flags: write, align: 32, low: 30, high: 3000, every: 60},
	{name: ".data..read_mostly", percent: 20, flags: write, align: 64, low: 8, high: 300, every: 400},
	{name: ".data..ro_after_init", percent: 9, flags: write, align: 32, low: 8, high: 900, every: 60},
	{name: ".data..cacheline_aligned", percent: 2, flags: write, align: 64, low: 64, high: 2000},
	{name: ".data..page_aligned", percent: 1, flags: write, align: 4096, low: 4096, high: 4097},
	{name: ".data..percpu", percent: 6, flags: write, align: 32, low: 8, high: 600, every: 200},
	{name: ".data.once", percent: 8, flags: write, align: 1, low: 1, high: 8},
	{name: ".init.data", percent: 12, flags: write, align: 32, low: 8, high: 3000, every: 300},
	{name: ".bss", percent: 75, flags: write, align: 32, low: 8, high: 4000, nobits: true},
	{name: ".bss..page_aligned", percent: 1, flags: write, align: 4096, low: 4096, high: 4097, nobits: true},
	{name: ".bss..brk", percent: 1, flags: write, align: 1, low: 4096, high: 4097, nobits: true},
}

// table is a section of equal entries that refer to functions and data; in the
// script it lies between a symbol for its start and one for its end.
type table struct {
	name      string
	percent   int
	flags     elf.SectionFlag
	align     uint64
	low, high int // entries
	entry     int // bytes
	refs      []slot
}

// slot is a relocated field of an entry: a 32-bit distance or a 64-bit address.
type slot struct {
	off  int
	wide bool
}

var (
	near1 = []slot{{0, false}}
	near2 = []slot{{0, false}, {4, false}}
	wide1 = []slot{{0, true}}
	wide2 = []slot{{0, true}, {8, true}}
)

var tables = []table{
	{".orc_unwind_ip", 100, alloc, 4, 60, 700, 4, near1},
	{".orc_unwind", 100, alloc, 2, 60, 700, 6, nil},
	{"__mcount_loc", 85, alloc, 1, 4, 40, 8, wide1},
	{"__bug_table", 45, write, 1, 1, 16, 12, near2},
	{"__jump_table", 25, write, 8, 1, 12, 16, []slot{{0, false}, {4, false}, {8, true}}},
	{".smp_locks", 40, alloc, 4, 1, 14, 4, near1},
	{"__ex_table", 13, alloc, 4, 1, 12, 12, []slot{{0, false}, {4, false}, {8, false}}},
	{".altinstructions", 22, alloc, 1, 1, 16, 14, near2},
	{".altinstr_replacement", 22, code, 1, 1, 12, 5, []slot{{1, false}}},
	{".parainstructions", 3, alloc, 8, 1, 6, 16, wide1},
	{".retpoline_sites", 30, alloc, 1, 1, 20, 4, near1},
	{".return_sites", 95, alloc, 1, 4, 60, 4, near1},
	{".static_call_sites", 5, write, 4, 1, 8, 8, near2},
	{".init.setup", 13, write, 8, 1, 5, 24, wide2},
	{"__param", 10, alloc, 8, 1, 8, 40, []slot{{0, true}, {8, true}, {16, true}, {32, true}}},
	{"__tracepoints_ptrs", 4, alloc, 4, 1, 10, 4, near1},
	{"_ftrace_events", 4, write, 8, 1, 10, 8, wide1},
	{"__syscalls_metadata", 4, write, 8, 1, 8, 8, wide1},
	{".pci_fixup_header", 2, alloc, 16, 1, 10, 16, []slot{{12, false}}},
	{".initcallearly.init", 2, alloc, 4, 1, 2, 4, near1},
	{".initcall1.init", 2, alloc, 4, 1, 2, 4, near1},
	{".initcall4.init", 5, alloc, 4, 1, 3, 4, near1},
	{".initcall6.init", 12, alloc, 4, 1, 2, 4, near1},
	{".initcall7.init", 4, alloc, 4, 1, 2, 4, near1},
	{".con_initcall.init", 1, alloc, 4, 1, 2, 4, near1},
	{".exitcall.exit", 8, write, 8, 1, 2, 8, wide1},
	{".discard.addressable", 20, write, 8, 1, 4, 8, wide1},
	{".discard.unreachable", 40, 0, 4, 1, 10, 4, near1},
	{".discard.noendbr", 5, 0, 4, 1, 6, 8, wide1},
	{".modinfo", 8, alloc, 1, 3, 20, 12, nil},
	{"__tracepoints_strings", 4, alloc, 32, 1, 10, 24, nil},
}

// Kernel writes the objects, a thin archive of them and the script; with debug
// the objects have DWARF sections.
func Kernel(dir string, debug bool) (*Set, error) {
	w := &writer{dir: dir}
	ar := elftest.Archive{Thin: true, Index: elftest.Index32}
	for i := range kernelUnits {
		u := newUnit(i)
		u.fill(debug)
		name := fmt.Sprintf("%s/%s/unit%04d.o", words[i/200], words[20+i/20%10], i)
		data := u.encode()
		w.file(name, data)
		ar.Members = append(ar.Members, elftest.Member{Name: name, Data: data, Symbols: u.exports})
	}
	archive := w.file("kernel.a", ar.Bytes())
	script := w.file("kernel.lds", []byte(kernelScript()))
	s := &Set{
		Name: "kernel",
		LD:   []string{"ld.bfd", "--no-warn-rwx-segments"},
		Args: []string{"-m", "elf_x86_64", "-z", "max-page-size=0x200000", "-z", "noexecstack", "--build-id=sha1", "--orphan-handling=warn",
			"-T", script, "--whole-archive", archive, "--no-whole-archive"},
	}
	if debug {
		s.Name = "kernel with DWARF"
	}
	return s, w.err
}

// unit is one object of the kernel.
type unit struct {
	*object
	*rnd
	index   int
	exports []string
	homes   []symbol // section symbols of data
	sizes   []int    // bytes behind each
	text    symbol
	length  int    // of .text
	str     symbol // of .rodata.str1.1
	offs    []int  // where its strings begin
}

func newUnit(i int) *unit {
	return &unit{
		object: newObject(elf.EM_X86_64, elf.ELFCLASS64, 0, fmt.Sprintf("unit%04d.c", i)),
		rnd:    newRnd(i), index: i,
	}
}

// functions is how many global functions a unit has.
func functions(unit int) int { return 3 + unit*7%11 }

func (u *unit) fill(debug bool) {
	var bodies []part
	for _, p := range codeAndData {
		if !u.chance(p.percent) {
			continue
		}
		n := u.skewed(p.low, p.high)
		s := elftest.Section{Name: p.name, Flags: p.flags, Align: p.align, Type: elf.SHT_PROGBITS}
		s.Data = u.bytes(n)
		if p.nobits {
			s.Type, s.Data, s.Size = elf.SHT_NOBITS, nil, uint64(n)
		}
		x := u.section(s)
		if p.flags&elf.SHF_EXECINSTR == 0 {
			u.homes, u.sizes = append(u.homes, x), append(u.sizes, n)
		}
		if p.name == ".text" {
			u.text, u.length = x, n
		}
		p.low = n
		bodies = append(bodies, p)
	}
	u.str, u.offs = u.strings(".rodata.str1.1", alloc, u.texts(4, 40))
	u.symbols()
	for _, p := range bodies {
		u.relocate(p.name, u.bodyRelocs(p))
	}
	u.tables()
	u.export()
	if debug {
		u.debug()
	}
	u.note("cc (linkset) 12.2.0")
}

func (u *unit) texts(low, high int) []string {
	list := make([]string, u.skewed(low, high))
	for i := range list {
		list[i] = u.phrase()
	}
	return list
}

// symbols names functions and variables, a third of them for other units.
func (u *unit) symbols() {
	n := functions(u.index)
	step := u.length / (2 * n)
	for k := range 2 * n {
		s := elftest.Symbol{Section: ".text", Value: uint64(k * step), Size: uint64(step), Type: elf.STT_FUNC}
		if k < n {
			s.Name = fmt.Sprintf("%s_%s", u.word(), u.word())
			u.local(s)
			continue
		}
		s.Name = function(u.index, k-n)
		u.global(s)
		u.exports = append(u.exports, s.Name)
	}
	if u.index == 0 {
		u.global(elftest.Symbol{Name: "kernel_start", Section: ".text", Type: elf.STT_FUNC})
	}
	if u.index%6 == 0 {
		u.global(elftest.Symbol{Name: fmt.Sprintf("weak_%s", function(u.index/12, 0)), Section: ".text", Type: elf.STT_FUNC, Bind: elf.STB_WEAK})
	}
	for range u.below(8) {
		u.local(elftest.Symbol{Name: fmt.Sprintf("%s_%s.%d", u.word(), u.word(), u.below(20)), Section: ".rodata.str1.1", Type: elf.STT_OBJECT, Size: 8})
	}
}

// another is a function elsewhere: near by, or one of those that all use.
func (u *unit) another() symbol {
	i := u.below(40)
	if u.chance(50) {
		i = min(u.index/20*20+u.below(20), kernelUnits-1)
	}
	return u.ref(function(i, u.below(functions(i))))
}

// datum is a place in a data section of this unit, or in its code if it has none.
func (u *unit) datum() (symbol, int64) {
	if len(u.homes) == 0 {
		return u.text, int64(u.below(u.length))
	}
	k := u.below(len(u.homes))
	return u.homes[k], int64(u.below(u.sizes[k]))
}

const (
	x86Abs64 = uint32(elf.R_X86_64_64)
	x86PC32  = uint32(elf.R_X86_64_PC32)
	x86Abs32 = uint32(elf.R_X86_64_32)
	x86S32   = uint32(elf.R_X86_64_32S)
	x86PLT   = uint32(elf.R_X86_64_PLT32)
)

// bodyRelocs spreads relocations over a section: in code calls, distances and
// absolute addresses as 4 : 3 : 2, in data addresses.
func (u *unit) bodyRelocs(p part) []reloc {
	if p.every == 0 {
		return nil
	}
	var list []reloc
	for off := 4 + u.below(p.every); off+12 <= p.low; off += 8 + u.below(2*p.every-8+1) {
		r := reloc{off: off}
		switch k := u.below(9); {
		case p.flags&elf.SHF_EXECINSTR == 0:
			r.off, r.typ = off&^7, x86Abs64
			if k < 4 {
				r.sym, r.addend = u.text, int64(u.below(u.length))
			} else {
				r.sym, r.addend = u.datum()
			}
		case k < 4:
			r.typ, r.sym, r.addend = x86PLT, u.another(), -4
		case k < 7:
			r.typ = x86PC32
			r.sym, r.addend = u.datum()
			r.addend -= 4
		case k < 8:
			r.typ = x86S32
			r.sym, r.addend = u.datum()
		default:
			r.typ, r.sym, r.addend = x86S32, u.str, int64(u.offs[u.below(len(u.offs))])
		}
		if len(list) > 0 && r.off < list[len(list)-1].off+8 {
			continue
		}
		list = append(list, r)
	}
	return list
}

func (u *unit) tables() {
	count := 0
	for _, t := range tables {
		if !u.chance(t.percent) {
			continue
		}
		if t.name != ".orc_unwind" { // it has as many entries as .orc_unwind_ip
			count = u.skewed(t.low, t.high)
		}
		u.section(elftest.Section{Name: t.name, Flags: t.flags, Align: t.align, Type: elf.SHT_PROGBITS, Data: make([]byte, count*t.entry)})
		var list []reloc
		for i := range count {
			for _, s := range t.refs {
				r := reloc{off: i*t.entry + s.off, typ: x86PC32, sym: u.text, addend: int64(u.length * i / count)}
				if s.wide {
					r.typ = x86Abs64
				}
				list = append(list, r)
			}
		}
		u.relocate(t.name, list)
	}
}

// export makes an entry of the table of exported symbols, each in a section of
// its own that the script sorts.
func (u *unit) export() {
	for k, name := range u.exports {
		if k > 2 {
			return
		}
		kind := "___ksymtab"
		if u.chance(60) {
			kind = "___ksymtab_gpl"
		}
		section := kind + "+" + name
		u.section(elftest.Section{Name: section, Flags: alloc, Align: 4, Data: make([]byte, 12)})
		str, _ := u.names(name)
		u.relocate(section, []reloc{{0, x86PC32, u.refs[name], 0}, {4, x86PC32, str, 0}})
	}
}

// names puts an exported name where all are kept.
func (u *unit) names(name string) (symbol, int) {
	key := "strings of " + name
	return u.section(elftest.Section{Name: "__ksymtab_strings", Key: key, Align: 1, Entsize: 1,
		Flags: alloc | elf.SHF_MERGE | elf.SHF_STRINGS, Data: append([]byte(name), 0)}), 0
}

// debug adds DWARF sections as a compiler sizes and links them; no linker looks
// at what they say.
func (u *unit) debug() {
	abbrev := u.section(elftest.Section{Name: ".debug_abbrev", Align: 1, Data: u.bytes(u.skewed(600, 3000))})
	shared := newRnd(u.index % 12)
	var list []string
	for range 200 {
		list = append(list, fmt.Sprintf("%s_%s_%s", shared.word(), shared.word(), shared.word()))
	}
	for range u.skewed(20, 200) {
		list = append(list, fmt.Sprintf("%s_%s_%d", u.word(), u.word(), u.index))
	}
	str, offs := u.strings(".debug_str", 0, list)
	lineStr, _ := u.strings(".debug_line_str", 0, []string{"/build/linux", fmt.Sprintf("unit%04d.c", u.index), "include/linux/list.h", "include/linux/types.h"})
	line := u.section(elftest.Section{Name: ".debug_line", Align: 1, Data: u.bytes(u.length / 2)})
	u.relocate(".debug_line", []reloc{{34, x86Abs32, lineStr, 0}, {42, x86Abs32, lineStr, 12}, {80, x86Abs64, u.text, 0}})
	info := u.section(elftest.Section{Name: ".debug_info", Align: 1, Data: u.bytes(u.length * 4)})
	relocs := []reloc{{8, x86Abs32, abbrev, 0}, {12, x86Abs32, line, 0}}
	for off := 20 + u.below(8); off+8 <= u.length*4; off += 8 + u.below(12) {
		if u.chance(85) {
			relocs = append(relocs, reloc{off, x86Abs32, str, int64(offs[u.below(len(offs))])})
		} else {
			relocs = append(relocs, reloc{off, x86Abs64, u.text, int64(u.below(u.length))})
		}
	}
	u.relocate(".debug_info", relocs)
	u.section(elftest.Section{Name: ".debug_aranges", Align: 16, Data: make([]byte, 48)})
	u.relocate(".debug_aranges", []reloc{{6, x86Abs32, info, 0}, {16, x86Abs64, u.text, 0}})
	u.section(elftest.Section{Name: ".debug_rnglists", Align: 1, Data: u.bytes(40)})
	u.relocate(".debug_rnglists", []reloc{{13, x86Abs64, u.text, 0}})
}
