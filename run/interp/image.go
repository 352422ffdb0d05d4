package interp

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/machine/all"
	"elfwright/run/launch"
	"elfwright/run/serve"
)

// Libc is whose dynamic linker it is.
type Libc int

const (
	Glibc Libc = iota // its dynamic linker is a file of its own
	Musl              // it is the C library, too
)

// Options say what the program and the dynamic linker are to see.
type Options struct {
	Libc        Libc
	StopAtEntry bool // the process stops itself before the program's first instruction
	StopAtMain  bool // and before main

	ExecFn string // AT_EXECFN: the path that the program is started by
	Exe    string // what the dynamic linker, and the C library, read /proc/self/exe as: an absolute path; empty: what it is
	Comm   string // name of the process

	LibraryPath string // LD_LIBRARY_PATH, for the dynamic linker alone
	Preload     string // LD_PRELOAD, likewise
	Vars        []string

	Links []launch.Link // where the C library reads links: it is to read Exe, too

	Root  string // an absolute path: where the dynamic linker looks for libraries
	Dirs  []string
	Files []launch.File
}

// Image is a program and its dynamic linker as one file.
type Image struct {
	Body   *elffile.Body
	Parts  []Part
	Served *serve.Sites // of the dynamic linker; nil: nothing is served
	Why    error        // why nothing is served
}

// Part is a segment of an image.
type Part struct {
	Of   string // the file that it comes from; "" for what is ours
	Prog elffile.Prog
}

// maxProgs is how many program headers Linux takes on all machines: those of a
// page (load_elf_phdrs; the limit went away in 6.17). gVisor has it, too.
const maxProgs = 4096 / 56

// maxAlign is the largest p_align that is kept; a file would have to have holes
// of that size.
const maxAlign = 1 << 30

// top is where addresses of user space end with the fewest levels of page tables
// that Linux is built with for the machines here (AArch64, 39 bits).
const top = 1 << 39

// Make makes the image of a program and its dynamic linker.
func Make(prog, ld *elffile.File, opt Options) (*Image, error) {
	code, err := codeFor(prog, ld)
	if err != nil {
		return nil, err
	}
	b := &builder{prog: prog, ld: ld, opt: opt, code: code, page: all.Lookup(prog.Header.Machine, prog.Class).MaxPageSize}
	b.out.Body = &elffile.Body{}
	if err := b.place(); err != nil {
		return nil, err
	}
	if opt.StopAtMain {
		if b.main, err = mainSlot(prog, b.minPage()); err != nil {
			return nil, err
		}
	}
	if err := b.ours(); err != nil {
		return nil, err
	}
	return &b.out, b.headers()
}

// codeFor finds the code for two files that can be in one process.
func codeFor(prog, ld *elffile.File) (*launch.Code, error) {
	code := launch.Lookup(prog.Header.Machine, prog.Class, prog.Data)
	if code == nil {
		return nil, prog.HeaderError("e_machine", "%s, %v, %v: no code that starts a dynamic linker on this machine yet; there is for x86-64 and little-endian AArch64",
			elffile.MachineName(prog.Header.Machine), prog.Class, prog.Data)
	}
	if ld.Header.Machine != prog.Header.Machine || ld.Format != prog.Format {
		return nil, ld.HeaderError("e_machine", "the dynamic linker is for %s, %v, %v, the program for %s, %v, %v",
			elffile.MachineName(ld.Header.Machine), ld.Class, ld.Data, elffile.MachineName(prog.Header.Machine), prog.Class, prog.Data)
	}
	for _, f := range []*elffile.File{prog, ld} {
		if t := f.Header.Type; t != elf.ET_EXEC && t != elf.ET_DYN {
			return nil, f.HeaderError("e_type", "%s is neither EXEC nor DYN", elffile.TypeName(t))
		}
		if err := f.CheckProgs(); err != nil {
			return nil, err
		}
	}
	if ld.Header.Type != elf.ET_DYN {
		return nil, ld.HeaderError("e_type", "%s: the dynamic linker has addresses of its own, and cannot be put beside a program", elffile.TypeName(ld.Header.Type))
	}
	return code, nil
}

// builder makes an image.
type builder struct {
	prog, ld *elffile.File
	opt      Options
	code     *launch.Code
	page     uint64

	out   Image
	end   uint64 // where addresses that are taken end
	bias  uint64 // of the dynamic linker
	where uint64 // address of our code
	extra []elffile.Prog
	main  slot
}

// place puts the program and the dynamic linker into addresses and into the file.
func (b *builder) place() error {
	_, end, align, err := b.extent(b.prog)
	if err != nil {
		return err
	}
	ldLow, ldEnd, ldAlign, err := b.extent(b.ld)
	if err != nil {
		return err
	}
	// The program comes at its own addresses.
	b.copy(b.prog, 0, roundUp(b.head(), align), align)
	b.bias = roundUp(end+b.page, ldAlign) - ldLow
	b.copy(b.ld, b.bias, roundUp(uint64(b.out.Body.Size()), ldAlign), ldAlign)
	b.end = b.bias + ldEnd
	return nil
}

// head is room for the ELF header and the program headers.
func (b *builder) head() uint64 {
	return uint64(b.prog.EhdrSize() + maxProgs*b.prog.PhdrSize())
}

// extent is which addresses a file takes, and how they are to be aligned.
func (b *builder) extent(f *elffile.File) (low, end, align uint64, err error) {
	low, align = ^uint64(0), b.page
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		e := p.Vaddr + p.Memsz
		if e < p.Vaddr || e > top-maxAlign {
			return 0, 0, 0, f.ProgError(i, "p_vaddr", "0x%x + p_memsz 0x%x is beyond 0x%x, and nothing can be put above it", p.Vaddr, p.Memsz, uint64(top-maxAlign))
		}
		if low != ^uint64(0) && p.Vaddr < end {
			return 0, 0, 0, f.ProgError(i, "p_vaddr", "0x%x is below the end of the segment before it, 0x%x", p.Vaddr, end)
		}
		if p.Vaddr%b.minPage() != p.Off%b.minPage() {
			return 0, 0, 0, f.ProgError(i, "p_offset", "0x%x is not p_vaddr 0x%x modulo the page size 0x%x", p.Off, p.Vaddr, b.minPage())
		}
		if p.Align > maxAlign {
			return 0, 0, 0, f.ProgError(i, "p_align", "0x%x is more than 0x%x", p.Align, uint64(maxAlign))
		}
		if p.Align&(p.Align-1) == 0 { // Linux does not look at others (maximum_alignment)
			align = max(align, p.Align)
		}
		low, end = min(low, p.Vaddr), max(end, e)
	}
	if low == ^uint64(0) {
		return 0, 0, 0, f.HeaderError("e_phnum", "none of the %d program headers is a PT_LOAD", len(f.Progs))
	}
	return low &^ (align - 1), end, align, nil
}

func (b *builder) minPage() uint64 { return min(b.page, 0x1000) }

// copy takes the segments of a file to a bias and to an offset. Whole pages come
// along, as they do when the file is mapped.
func (b *builder) copy(f *elffile.File, bias, off, align uint64) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		from := p.Off &^ (b.page - 1)
		to := min(roundUp(p.Off+p.Filesz, b.page), uint64(f.Body.Size()))
		if from < to {
			b.out.Body.Put(int64(off+from), f.Body.Window(int64(from), int64(to-from)))
		}
		b.out.Parts = append(b.out.Parts, Part{Of: f.Name, Prog: moved(p, bias, off)})
	}
	if f != b.prog {
		return
	}
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_GNU_STACK, // the kernel asks it
			elf.PT_DYNAMIC, elf.PT_NOTE, elf.PT_GNU_EH_FRAME: // debuggers and tracers do
			b.extra = append(b.extra, moved(p, bias, off))
		}
	}
}

func moved(p elffile.Prog, bias, off uint64) elffile.Prog {
	if p.Type != elf.PT_GNU_STACK {
		p.Vaddr, p.Paddr, p.Off = p.Vaddr+bias, p.Vaddr+bias, p.Off+off
	}
	return p
}

func roundUp(v, align uint64) uint64 { return (v + align - 1) &^ (align - 1) }
