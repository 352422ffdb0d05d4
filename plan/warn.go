package plan

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
)

// Warning is something that surprises people, though Linux does as it always
// does.
type Warning struct {
	Code   string // stable: "writable-bss"
	Origin Origin
	Index  int // of the program header, or -1
	Text   string
}

func (e *execve) warning(code string, o Origin, index int, format string, args ...any) {
	e.out.Warnings = append(e.out.Warnings, Warning{code, o, index, fmt.Sprintf(format, args...)})
}

// warn collects the warnings that need the whole.
func (e *execve) warn() {
	if e.abi == nil {
		return
	}
	e.warnHeaders()
	for _, o := range []Origin{FromProgram, FromInterp} {
		if p := e.file(o); p != nil {
			for i, h := range p.loads {
				e.warnSegment(p, o, i, h)
			}
		}
	}
	e.warnReplaced()
	e.warnFile()
	if e.host.StackLimit == Unlimited {
		e.warning("no-stack-limit", FromKernel, -1, "without a stack limit mmap begins at 0x%x, a third of the address space, instead of below the stack", e.mmapBase)
	}
}

// warnHeaders looks at the table and at headers that are not PT_LOAD.
func (e *execve) warnHeaders() {
	p := e.prog
	if p.Reread != "" {
		e.warning("ident-ignored", FromProgram, -1, "%s", p.Reread)
	}
	if most := int(e.page) / int(e.abi.Phent()); len(p.Progs) > most && e.has(changeTableLimit) {
		e.warning("many-headers", FromProgram, -1, "%d program headers: kernels before 6.17 take %d and refuse more with ENOEXEC", len(p.Progs), most)
	}
	for _, t := range []struct {
		t   elf.ProgType
		say string
	}{{elf.PT_INTERP, "the first one counts"}, {elf.PT_GNU_STACK, "the last one counts"}, {ptGnuProperty, "the last one counts"}} {
		if n := p.count(t.t); n > 1 {
			e.warning("several", FromProgram, -1, "%d headers of type %s: %s", n, elffile.ProgTypeName(p.Header.Machine, t.t), t.say)
		}
	}
	if e.stackExec != 0 {
		e.warning("executable-stack", FromProgram, p.last(elf.PT_GNU_STACK), "the stack is executable")
	}
	if e.readImpliesExec {
		e.warning("read-implies-exec", FromProgram, -1, "without PT_GNU_STACK every readable mapping is executable")
	}
	if i := p.last(elf.PT_GNU_STACK); i >= 0 && p.Progs[i].Memsz != 0 {
		e.warning("stack-size-ignored", FromProgram, i, "p_memsz 0x%x of PT_GNU_STACK is not looked at: the stack's size is RLIMIT_STACK", p.Progs[i].Memsz)
	}
	if e.out.Outcome.Fate == Runs && e.tableAddr() < 0 && p.count(elf.PT_LOAD) > 0 {
		e.warning("table-not-loaded", FromProgram, -1, "no PT_LOAD has the program header table at 0x%x: AT_PHDR is wrong, and a C library that looks there finds no PT_TLS", p.Header.Phoff)
	}
}

// tableAddr is the index of the PT_LOAD with the start of the table, or -1.
func (e *execve) tableAddr() int {
	for i, h := range e.prog.loads {
		if t := e.prog.Header.Phoff; h.Off <= t && t-h.Off < h.Filesz {
			return i
		}
	}
	return -1
}

// warnSegment looks at one PT_LOAD.
func (e *execve) warnSegment(p *Program, o Origin, i int, h *elffile.Prog) {
	size := uint64(p.Body.Size())
	zero := h.Memsz > h.Filesz
	end := h.Vaddr + h.Filesz
	if h.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
		e.warning("wx", o, i, "writable and executable")
	}
	if zero && h.Flags&elf.PF_W == 0 {
		if up(end, e.page) < up(h.Vaddr+h.Memsz, e.page) {
			e.warning("writable-bss", o, i, "flags %s, but the pages behind the file bytes are writable: vm_brk_flags gives rw- whatever p_flags says", Prot(h.Flags))
		}
		if h.Filesz > 0 && end%e.page != 0 {
			e.warning("bss-not-cleared", o, i, "not writable, so that [0x%x, 0x%x) cannot be cleared and shows what the file has there", end, up(end, e.page))
		}
	}
	if !zero && o == FromProgram && end%e.page != 0 && h.Off+h.Filesz < size && h.Flags&elf.PF_W != 0 {
		e.warning("tail-shows-file", o, i, "p_memsz is p_filesz: the last page shows the next 0x%x bytes of the file", min(up(end, e.page)-end, size-h.Off-h.Filesz))
	}
	if h.Align&(h.Align-1) != 0 {
		e.warning("align-ignored", o, i, "p_align 0x%x is not a power of two and is not looked at", h.Align)
	}
	if sum := h.Off + h.Filesz; h.Filesz > 0 && (sum < h.Off || up(sum, e.page) > up(size, e.page)) {
		e.warning("beyond-file", o, i, "reaches beyond the end of the file (0x%x): it is mapped, and touching it is SIGBUS", size)
	}
}

// warnReplaced tells of headers that lie over earlier ones.
func (e *execve) warnReplaced() {
	for _, r := range e.out.Replaced {
		if r.Name == nameStack {
			continue
		}
		var by *Mapping
		if by = e.out.At(r.Start); by == nil || by.Origin == r.Origin && by.Index == r.Index {
			continue
		}
		e.warning("replaced", by.Origin, by.Index, "takes %v from program header %d of the %s: later headers silently replace earlier ones", r.Range, r.Index, r.Origin)
	}
}

// ptRISCVAttributes is PT_RISCV_ATTRIBUTES, which linkers load nowhere.
const ptRISCVAttributes elf.ProgType = 0x70000003

// warnFile tells what a strip would move or drop: bytes that the program may
// look for by their file offset, in no PT_LOAD.
func (e *execve) warnFile() {
	p := e.prog
	for i := range p.Progs {
		h := &p.Progs[i]
		if h.Type == elf.PT_LOAD || h.Type == elf.PT_NULL || h.Type == ptRISCVAttributes || h.Filesz == 0 || e.loaded(h) {
			continue
		}
		e.warning("not-loaded", FromProgram, i, "names file bytes [0x%x, 0x%x), which no PT_LOAD has: strip and objcopy may move them", h.Off, h.Off+h.Filesz)
	}
	if end, size := p.covered(), uint64(p.Body.Size()); end < size {
		e.warning("overlay", FromProgram, -1, "0x%x bytes at the end of the file are in no segment, section or table: strip drops them", size-end)
	}
}

// loaded says whether a PT_LOAD has the file bytes of a header.
func (e *execve) loaded(h *elffile.Prog) bool {
	want := image.Range{Start: image.Addr(h.Off), Size: h.Filesz}
	for _, l := range e.prog.loads {
		if (image.Range{Start: image.Addr(l.Off), Size: l.Filesz}).Covers(want) {
			return true
		}
	}
	return false
}

// covered is where what the headers name ends in the file.
func (p *Program) covered() uint64 {
	h := &p.Header
	end := max(h.Phoff+uint64(h.Phnum)*uint64(h.Phentsize), h.Shoff+p.Shnum()*uint64(h.Shentsize))
	for i := range p.Progs {
		end = max(end, p.Progs[i].Off+p.Progs[i].Filesz)
	}
	for i := range p.Sections() {
		if s := &p.Sections()[i]; s.Type != elf.SHT_NOBITS {
			end = max(end, s.Off+s.Size)
		}
	}
	return end
}
