package reset

import (
	"debug/elf"

	"elfwright/elffile"
)

// warn says what may surprise.
func (n *install) warn() {
	f := n.f
	if n.mem.code && f.Header.Machine == elf.EM_ARM {
		n.warning("caches", "a writable segment is executable: in user mode the code cannot make the instruction cache agree with what it restores")
	}
	if n.opt.Shape == Deflate && !n.opt.HookEntry {
		n.warning("deflate", "a loader that does not start the program at e_entry finds writable memory without its bytes; --hook-entry helps against that")
	}
}

// linux says whether a program is for Linux, as far as a file tells: GNU tools give
// its programs a PT_GNU_STACK, and a boot loader's have a header for that one.
func linux(f *elffile.File) bool {
	stack := false
	for i := range f.Progs {
		p := &f.Progs[i]
		stack = stack || p.Type == elf.PT_GNU_STACK
		if p.Type == elf.PT_NOTE && pvh(f, i) {
			return false
		}
	}
	abi := f.Header.OSABI()
	return stack && !multiboot(f) && (abi == elf.ELFOSABI_NONE || abi == elf.ELFOSABI_LINUX)
}

// multibootArea is where a multiboot header is (Multiboot Specification 0.6.96,
// 3.1.1): aligned to 4 bytes in the beginning of the file.
const multibootArea = 8192

// multiboot says whether a file has a multiboot header.
func multiboot(f *elffile.File) bool {
	_, found := multibootFlags(f)
	return found
}

func multibootFlags(f *elffile.File) (flags uint32, found bool) {
	if f.Data != elf.ELFDATA2LSB {
		return 0, false
	}
	b := make([]byte, min(multibootArea, f.Body.Size()))
	n, _ := f.Body.ReadAt(b, 0)
	for at := 0; at+12 <= n; at += 4 {
		if magic := f.U32(b[at:]); magic == 0x1badb002 && magic+f.U32(b[at+4:])+f.U32(b[at+8:]) == 0 {
			return f.U32(b[at+4:]), true
		}
	}
	return 0, false
}

// pvh says whether notes have Xen's, by which QEMU finds the entry of a kernel.
func pvh(f *elffile.File, i int) bool {
	p := &f.Progs[i]
	b, err := f.ProgData(i)
	if err != nil {
		return false
	}
	notes, _ := elffile.ParseNotes(f.Format, b, int64(p.Off), p.Align)
	for _, n := range notes {
		if n.Name == "Xen" {
			return true
		}
	}
	return false
}
