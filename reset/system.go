package reset

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// OS is what a program runs on, as far as the code must know: on Linux it gives
// back what C libraries ask the kernel for, or overwrite on the stack.
type OS string

// The systems; "" is found out.
const (
	Linux  OS = "linux"
	NoneOS OS = "none" // or another one
)

// ntGNUABITag is a note that C libraries for GNU systems have (LSB, "ABI note tag"):
// its first word is 0 for Linux.
const ntGNUABITag = 1

// byStack is a weak sign of Linux: GNU tools give it to all their programs.
const byStack = "PT_GNU_STACK"

// system tells what a program runs on, and by what.
func system(f *elffile.File, asked OS) (OS, string, error) {
	switch asked {
	case Linux, NoneOS:
		return asked, "asked for", nil
	case "":
	default:
		return "", "", fmt.Errorf("system %q is not one of %s, %s", asked, Linux, NoneOS)
	}
	if k := bootHeader(f); k != "" {
		return NoneOS, k, nil
	}
	if _, ok := vector(f); ok {
		return NoneOS, "a vector table", nil
	}
	if f.Header.OSABI() == elf.ELFOSABI_LINUX {
		return Linux, "EI_OSABI", nil
	}
	stack := false
	for i := range f.Progs {
		p := &f.Progs[i]
		stack = stack || p.Type == elf.PT_GNU_STACK
		for _, n := range progNotes(f, i) {
			if n.Name == "GNU" && n.Type == ntGNUABITag && len(n.Desc) >= 4 && f.U32(n.Desc) == 0 {
				return Linux, "the ABI tag", nil
			}
		}
	}
	// i386 alone asks the kernel for something when a library without that note,
	// such as musl, starts.
	if f.Header.Machine == elf.EM_386 && stack && f.Header.OSABI() == elf.ELFOSABI_NONE {
		return Linux, byStack, nil
	}
	return NoneOS, "nothing says Linux", nil
}

// progNotes are those of a program header. mold gives one of alignment 8 to notes of
// alignment 4, too: so it is read both ways.
func progNotes(f *elffile.File, i int) []elffile.Note {
	p := &f.Progs[i]
	if p.Type != elf.PT_NOTE {
		return nil
	}
	b, err := f.ProgData(i)
	if err != nil {
		return nil
	}
	list, _ := elffile.ParseNotes(f.Format, b, int64(p.Off), p.Align)
	more, _ := elffile.ParseNotes(f.Format, b, int64(p.Off), 4)
	return append(list, more...)
}

// bootHeader is what tells that a boot loader starts a program; "" if nothing does.
func bootHeader(f *elffile.File) string {
	if _, ok := multibootFlags(f); ok {
		return "a Multiboot header"
	}
	if multiboot2(f) {
		return "a Multiboot2 header"
	}
	if pvh(f) {
		return "a note for PVH"
	}
	return ""
}

// The areas at the beginning of a file in which loaders look for headers (Multiboot
// Specification 0.6.96, 3.1.1; 2.0, 3.1.1).
const (
	multibootArea  = 8192
	multiboot2Area = 32768
)

// multibootFlags returns the flags of a Multiboot header.
func multibootFlags(f *elffile.File) (flags uint32, found bool) {
	scan(f, multibootArea, 4, func(b []byte) bool {
		if magic := f.U32(b); magic == 0x1badb002 && magic+f.U32(b[4:])+f.U32(b[8:]) == 0 {
			flags, found = f.U32(b[4:]), true
		}
		return !found
	})
	return flags, found
}

// multiboot2 says whether there is a Multiboot2 header.
func multiboot2(f *elffile.File) (found bool) {
	scan(f, multiboot2Area, 8, func(b []byte) bool {
		magic := f.U32(b)
		found = magic == 0xe85250d6 && magic+f.U32(b[4:])+f.U32(b[8:])+f.U32(b[12:]) == 0
		return !found
	})
	return found
}

// scan looks at 16 bytes at each step of the beginning of a PC's program.
func scan(f *elffile.File, area int64, step int, look func([]byte) bool) {
	if m := f.Header.Machine; m != elf.EM_386 && m != elf.EM_X86_64 {
		return
	}
	b := make([]byte, min(area, f.Body.Size())+16)
	n, _ := f.Body.ReadAt(b[:len(b)-16], 0)
	for at := 0; at < n && look(b[at:at+16]); at += step {
	}
}

// pvh says whether a note tells Xen, and QEMU, where to start (Linux
// include/xen/interface/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY).
func pvh(f *elffile.File) bool {
	const phys32Entry = 18
	for i := range f.Progs {
		for _, n := range progNotes(f, i) {
			if n.Name == "Xen" && n.Type == phys32Entry {
				return true
			}
		}
	}
	return false
}
