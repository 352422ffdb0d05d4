package reset

import (
	"debug/elf"
	"errors"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
)

// warn says what may surprise, and refuses what would go wrong without a word.
func (n *install) warn() error {
	f := n.f
	if n.mem.code && f.Header.Machine == elf.EM_ARM {
		n.warning("caches", "a writable segment is executable: in user mode the code cannot make the instruction cache agree with what it restores")
	}
	if err := errors.Join(n.threads(), n.bootLoader()); err != nil {
		return err
	}
	if n.osWhy == byStack {
		n.warning("os", "it is taken for a program of Linux by %s alone: a reset makes a system call; say --os=none if there is none, or --os=linux", byStack)
	}
	if n.os != Linux {
		if n.opt.Shape == Deflate && n.hook == nil {
			n.warning("deflate", "a loader that does not start the program at e_entry finds writable memory without its bytes; --hook-entry helps against that")
		}
		return n.heap()
	}
	return nil
}

// threads refuses programs of Go: a thread of their runtime, sysmon, is there from
// the start on, and would find memory changed under it. Where nothing of the runtime
// runs, or it has no threads, as without an operating system, it is said with --os.
func (n *install) threads() error {
	for i := range n.f.Progs {
		for _, note := range progNotes(n.f, i) {
			if note.Name == "Go" && n.opt.OS != NoneOS {
				return refusef(n.f, "it is a program of Go, whose runtime has several threads from the start on; --os=none says that this one has not")
			}
		}
	}
	return nil
}

// bootLoader refuses programs whose boot loader would not start the code.
func (n *install) bootLoader() error {
	f := n.f
	kind := bootHeader(f)
	if kind == "" {
		return nil
	}
	const addresses = 1 << 16 // load_addr and so on are in the header (Multiboot 3.1.3)
	if flags, ok := multibootFlags(f); ok && flags&addresses != 0 {
		return refusef(f, "its Multiboot header has addresses (bit 16 of its flags): the loader takes them, and the entry, for those of the program headers, and would not load the new segments")
	}
	if pvh(f) {
		if n.opt.Shape == Deflate {
			return refusef(f, "%s names its own entry, at which writable memory would have no bytes; --shape=keep leaves them", kind)
		}
		n.warning("entry", "%s names its own entry: a loader that takes that one starts the program as before", kind)
		return nil
	}
	if f.Header.Machine == elf.EM_X86_64 {
		return refusef(f, "it has %s: such loaders start it in 32-bit mode, in which the code for x86-64 does not run", kind)
	}
	return nil
}

// heaps are symbols by which C libraries find where their heap begins, if the
// linker's script has been asked for them: newlib's sbrk and picolibc's.
var heaps = []string{"end", "__heap_start", "__HeapBase", "__heap_base"}

// heap looks for a heap that begins where the new segments would be. _end is in
// every program that GNU ld has linked, whether it is used or not.
func (n *install) heap() error {
	if n.opt.At != 0 {
		return nil
	}
	top := uint64(0)
	for i := range n.f.Progs {
		if p := &n.f.Progs[i]; p.Type == elf.PT_LOAD {
			top = max(top, p.Vaddr+p.Memsz)
		}
	}
	named := false
	for _, f := range append(slices.Clone(n.opt.Symbols), n.f) {
		img := image.FromFile(f)
		if err := img.ReadSymbols(f); err != nil {
			return err
		}
		for i := range img.Symbols {
			s := &img.Symbols[i]
			if s.Section == elf.SHN_UNDEF || uint64(s.Value) > top || top-uint64(s.Value) > heapGap {
				continue
			}
			if slices.Contains(heaps, s.Name) {
				return refusef(n.f, "%s, 0x%x, is where its memory ends: a heap that begins there would overwrite the new segments; say with --at where there is memory for them", s.Name, uint64(s.Value))
			}
			named = named || s.Name == "_end"
		}
	}
	if named {
		n.warning("heap", "the new segments are behind the program's memory (_end): if a heap or a stack is there, say --at")
	}
	return nil
}

// heapGap is how far below the end of memory such a symbol is, at most: it is
// aligned.
const heapGap = 64

// sameBootHeader checks that loaders still find their header.
func (n *install) sameBootHeader(now *elffile.File) error {
	if was, is := bootHeader(n.f), bootHeader(now); was != is {
		return refusef(n.f, "%s would not be in the beginning of the file any more", was)
	}
	return nil
}
