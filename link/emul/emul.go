// Package emul has the emulations: what the names that ld's -m takes stand for,
// and the default script of each. An emulation is a machine with a class and a
// byte order, and an environment: Linux, or none ("elf" in the name, as
// arm-none-eabi-ld has it).
//
// The default layout is a text like any other script, made from a template, so
// that --verbose can print it, INSERT can name its sections and no second way
// of laying out exists. Which sections it names, in which order and with which
// symbols, are the facts of GNU ld 2.40's scripts.
package emul

import (
	"debug/elf"
	"strings"
)

// Emulation is what an output is made for.
type Emulation struct {
	Name    string // the first is how we print it
	Aliases []string
	Machine elf.Machine
	Class   elf.Class
	Data    elf.Data
	Formats Formats // names of OUTPUT_FORMAT and --oformat
	Arch    string  // of OUTPUT_ARCH
	Bare    bool    // no operating system: no headers in the first segment, no RELRO

	base uint64 // address of the text segment of an executable
	look look
}

// Formats are BFD's names of a machine's formats.
type Formats struct{ Little, Big string }

// look is in what the default scripts of machines differ.
type look struct {
	rel, rela    bool   // .rel.*, .rela.* sections
	large        bool   // .ldata, .lbss, .lrodata
	small        bool   // .sdata, .sbss
	arm          bool   // unwind tables, glue sections
	bssBounds    bool   // __bss_start__, __bss_end__, _bss_end__, __end__
	separateCode bool   // the default of -z separate-code
	gotInRelro   bool   // .got.plt's reserved words are made read-only
	gotWhole     bool   // one .got that has .got.plt too
	fill         string // of code
	pltAlign     bool
	plts         []string // other PLT sections
	attributes   string
}

var (
	lookX86 = look{separateCode: true, gotInRelro: true, plts: []string{".plt.got", ".plt.sec"}, attributes: ".gnu.attributes"}
	lookA64 = look{rela: true, bssBounds: true, gotInRelro: true, fill: " =0x1f2003d5", attributes: ".ARM.attributes"}
	lookArm = look{rel: true, rela: true, arm: true, bssBounds: true, gotWhole: true, attributes: ".gnu.attributes"}
	lookRV  = look{rela: true, small: true, gotWhole: true, attributes: ".gnu.attributes"}
)

// emulations has every emulation, the usual one of a machine first.
var emulations = []Emulation{
	{Name: "elf_x86_64", Machine: elf.EM_X86_64, Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Formats: Formats{Little: "elf64-x86-64"}, Arch: "i386:x86-64",
		base: 0x400000, look: lookX86.with(func(l *look) { l.rela, l.large = true, true })},
	{Name: "elf_i386", Aliases: []string{"elf_i386_fbsd"}, Machine: elf.EM_386, Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB, Formats: Formats{Little: "elf32-i386"}, Arch: "i386",
		base: 0x08048000, look: lookX86.with(func(l *look) { l.rel = true })},
	{Name: "aarch64linux", Machine: elf.EM_AARCH64, Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Formats: formatsA64, Arch: "aarch64",
		base: 0x400000, look: lookA64.with(func(l *look) { l.pltAlign = true })},
	{Name: "aarch64linuxb", Machine: elf.EM_AARCH64, Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB, Formats: formatsA64, Arch: "aarch64",
		base: 0x400000, look: lookA64.with(func(l *look) { l.pltAlign = true })},
	{Name: "aarch64elf", Machine: elf.EM_AARCH64, Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Formats: formatsA64, Arch: "aarch64",
		base: 0x400000, look: lookA64, Bare: true},
	{Name: "aarch64elfb", Machine: elf.EM_AARCH64, Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB, Formats: formatsA64, Arch: "aarch64",
		base: 0x400000, look: lookA64, Bare: true},
	{Name: "armelf_linux_eabi", Aliases: []string{"armelf_linux"}, Machine: elf.EM_ARM, Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB, Formats: formatsArm, Arch: "arm",
		base: 0x10000, look: lookArm},
	{Name: "armelfb_linux_eabi", Aliases: []string{"armelfb_linux"}, Machine: elf.EM_ARM, Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB, Formats: formatsArm, Arch: "arm",
		base: 0x10000, look: lookArm},
	{Name: "armelf", Machine: elf.EM_ARM, Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB, Formats: formatsArm, Arch: "arm",
		base: 0x8000, look: lookArm.with(func(l *look) { l.attributes = ".ARM.attributes" }), Bare: true},
	{Name: "armelfb", Machine: elf.EM_ARM, Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB, Formats: formatsArm, Arch: "arm",
		base: 0x8000, look: lookArm.with(func(l *look) { l.attributes = ".ARM.attributes" }), Bare: true},
	{Name: "elf64lriscv", Aliases: []string{"elf64lriscv_lp64f", "elf64lriscv_lp64"}, Machine: elf.EM_RISCV, Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Formats: Formats{Little: "elf64-littleriscv"}, Arch: "riscv",
		base: 0x10000, look: lookRV},
	{Name: "elf32lriscv", Aliases: []string{"elf32lriscv_ilp32f", "elf32lriscv_ilp32"}, Machine: elf.EM_RISCV, Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB, Formats: Formats{Little: "elf32-littleriscv"}, Arch: "riscv",
		base: 0x10000, look: lookRV},
}

var (
	formatsA64 = Formats{"elf64-littleaarch64", "elf64-bigaarch64"}
	formatsArm = Formats{"elf32-littlearm", "elf32-bigarm"}
)

func (l look) with(change func(*look)) look {
	change(&l)
	return l
}

// ByName finds the emulation that -m names, or nil.
func ByName(name string) *Emulation {
	for i := range emulations {
		e := &emulations[i]
		if e.Name == name {
			return e
		}
		for _, a := range e.Aliases {
			if a == name {
				return e
			}
		}
	}
	return nil
}

// For finds the first emulation of a machine, or nil.
func For(m elf.Machine, c elf.Class, d elf.Data) *Emulation {
	for i := range emulations {
		if e := &emulations[i]; e.Machine == m && e.Class == c && e.Data == d {
			return e
		}
	}
	return nil
}

// ByFormat finds the emulation of an ELF format's BFD name, or nil.
func ByFormat(name string) *Emulation {
	for i := range emulations {
		e := &emulations[i]
		if e.Format() == name {
			return e
		}
	}
	return nil
}

// Format is BFD's name for the emulation's files.
func (e *Emulation) Format() string {
	if e.Data == elf.ELFDATA2MSB {
		return e.Formats.Big
	}
	return e.Formats.Little
}

// Ordered is the emulation as -EB (big) or -EL has it, or nil if the machine has
// not that order.
func (e *Emulation) Ordered(big bool) *Emulation {
	d := elf.ELFDATA2LSB
	if big {
		d = elf.ELFDATA2MSB
	}
	for i := range emulations {
		if o := &emulations[i]; o.Machine == e.Machine && o.Class == e.Class && o.Bare == e.Bare && o.Data == d {
			return o
		}
	}
	return nil
}

// Names are all names that -m takes.
func Names() []string {
	var names []string
	for _, e := range emulations {
		names = append(append(names, e.Name), e.Aliases...)
	}
	return names
}

// prefixes are what a cross linker's name begins with, and its emulation.
var prefixes = []struct{ prefix, emulation string }{
	{"x86_64-", "elf_x86_64"}, {"i386-", "elf_i386"}, {"i486-", "elf_i386"}, {"i586-", "elf_i386"}, {"i686-", "elf_i386"},
	{"aarch64-none-elf-", "aarch64elf"}, {"aarch64-elf-", "aarch64elf"}, {"aarch64_be-none-elf-", "aarch64elfb"}, {"aarch64_be-", "aarch64linuxb"}, {"aarch64-", "aarch64linux"},
	{"arm-none-eabi-", "armelf"}, {"arm-eabi-", "armelf"}, {"armeb-none-eabi-", "armelfb"}, {"armeb-", "armelfb_linux_eabi"}, {"arm-", "armelf_linux_eabi"}, {"armv7", "armelf_linux_eabi"},
	{"riscv64-", "elf64lriscv"}, {"riscv32-", "elf32lriscv"}, {"riscv-none-", "elf64lriscv"},
}

// ByProgram finds the emulation that the name a linker is started under tells,
// as aarch64-linux-gnu-ld, or nil.
func ByProgram(name string) *Emulation {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	for _, p := range prefixes {
		if strings.HasPrefix(name, p.prefix) {
			return ByName(p.emulation)
		}
	}
	return nil
}
