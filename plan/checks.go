package plan

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

const (
	x86Kernel   = elf.EM_X86_64
	i386Kernel  = elf.EM_386
	riscvKernel = elf.EM_RISCV
)

// findABI chooses the loader by e_machine, and for machines with two of them by
// the size of a program header, which both check.
func (e *execve) findABI() *ABI {
	h := &e.prog.Header
	for _, c := range []elf.Class{elf.ELFCLASS64, elf.ELFCLASS32} {
		a := LookupABI(h.Machine, c, e.host.Native32)
		if a != nil && (h.Phentsize == a.Phent() || LookupABI(h.Machine, elf.ELFCLASS32, false) == nil || c == elf.ELFCLASS32) {
			return a
		}
	}
	return nil
}

// checks are what execve refuses with an errno, in the order of
// load_elf_binary.
func (e *execve) checks() *failure {
	h := &e.prog.Header
	if err := e.copyStrings(); err != nil {
		return err
	}
	switch {
	case h.Type != elf.ET_EXEC && h.Type != elf.ET_DYN:
		return e.fail("ENOEXEC", "load_elf_binary", -1, "e_type is %s, not EXEC or DYN", elffile.TypeName(h.Type))
	case e.abi == nil:
		return e.fail("ENOEXEC", "elf_check_arch", -1, "e_machine is %d (%s), for which no rules are known here", h.Machine, elffile.MachineName(h.Machine))
	}
	if err := e.checkArch(e.prog); err != "" {
		return e.fail("ENOEXEC", "elf_check_arch", -1, "%s", err)
	}
	e.step(PhaseCheck, "load_elf_binary", FromProgram, -1, "magic bytes, e_type %s, e_machine %d (%s)", elffile.TypeName(h.Type), h.Machine, e.abi.Name)
	if err := e.loadElfPhdrs(e.prog); err != "" {
		return e.fail("ENOEXEC", "load_elf_phdrs", -1, "%s", err)
	}
	e.step(PhaseCheck, "load_elf_phdrs", FromProgram, -1, "%d program headers of %d bytes at 0x%x", h.Phnum, h.Phentsize, h.Phoff).since(changeTableLimit)
	for _, check := range []func() *failure{e.openInterp, e.stackFlags, e.checkInterp, e.parseElfProperties} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkArch is elf_check_arch beyond e_machine.
func (e *execve) checkArch(p *Program) string {
	h := &p.Header
	switch {
	case e.abi.Kernel == elf.EM_AARCH64 && !e.abi.Compat && p.Big(), e.abi.Kernel == elf.EM_ARM && p.Big():
		e.step(PhaseCheck, "elf_check_arch", FromProgram, -1, "the file is big-endian, and so must be the kernel")
	case e.abi.Kernel == elf.EM_RISCV && p.Class != e.abi.Class:
		return fmt.Sprintf("EI_CLASS is %v, the kernel's is %v", p.Class, e.abi.Class)
	case e.abi.Machines[0] == elf.EM_ARM && h.Entry&3 == 2:
		return fmt.Sprintf("e_entry 0x%x is neither Thumb (odd) nor a multiple of 4", h.Entry)
	}
	return ""
}

// loadElfPhdrs checks the size of the program header table (load_elf_phdrs).
func (e *execve) loadElfPhdrs(p *Program) string {
	h := &p.Header
	size := uint64(h.Phnum) * uint64(h.Phentsize)
	limit := e.page
	if e.has(changeTableLimit) {
		limit = maxTable
	}
	switch {
	case h.Phentsize != e.abi.Phent():
		return fmt.Sprintf("e_phentsize is %d, and must be %d", h.Phentsize, e.abi.Phent())
	case h.Phnum == 0:
		return "there is no program header"
	case size > min(limit, maxTable):
		return fmt.Sprintf("%d program headers are 0x%x bytes, more than 0x%x", h.Phnum, size, limit)
	case len(p.Progs) < int(h.Phnum):
		return fmt.Sprintf("the file ends within its program header table: %d of %d are there", len(p.Progs), h.Phnum)
	}
	return ""
}

// openInterp reads PT_INTERP: the first one alone.
func (e *execve) openInterp() *failure {
	i, path := e.prog.Interp()
	if i < 0 {
		e.call.Interp, e.call.InterpErr = nil, ""
		e.step(PhaseCheck, "load_elf_binary", FromProgram, -1, "no PT_INTERP: no interpreter")
		return nil
	}
	h := &e.prog.Progs[i]
	if h.Filesz > pathMax || h.Filesz < 2 {
		return e.fail("ENOEXEC", "load_elf_binary", i, "PT_INTERP has %d bytes, and may have 2 to %d", h.Filesz, pathMax)
	}
	b, err := e.prog.ProgData(i)
	if err != nil {
		return e.fail("EIO", "elf_read", i, "PT_INTERP reaches beyond the end of the file")
	}
	if b[len(b)-1] != 0 {
		return e.fail("ENOEXEC", "load_elf_binary", i, "PT_INTERP does not end with a NUL")
	}
	if e.call.InterpErr != "" && e.call.InterpErr != "ELIBBAD" {
		return e.fail(e.call.InterpErr, "open_exec", i, "the interpreter %q cannot be opened for execution", path)
	}
	e.step(PhaseCheck, "open_exec", FromProgram, i, "the interpreter is %s", path)
	return nil
}

// stackFlags looks at PT_GNU_STACK: the last one counts, and of it PF_X alone.
func (e *execve) stackFlags() *failure {
	i := e.prog.last(elf.PT_GNU_STACK)
	switch {
	case i < 0 && e.abi.NoStackExec:
		e.readImpliesExec = true
		e.stackExec = elf.PF_X
		e.step(PhaseCheck, "elf_read_implies_exec", FromProgram, -1, "no PT_GNU_STACK: every readable mapping is executable, the stack as well")
	case i < 0:
		e.step(PhaseCheck, "setup_arg_pages", FromProgram, -1, "no PT_GNU_STACK: the stack is rw-, as is this machine's default")
	case e.prog.Progs[i].Flags&elf.PF_X != 0:
		e.stackExec = elf.PF_X
		e.step(PhaseCheck, "setup_arg_pages", FromProgram, i, "PT_GNU_STACK with PF_X: the stack is rwx")
	default:
		e.step(PhaseCheck, "setup_arg_pages", FromProgram, i, "PT_GNU_STACK without PF_X: the stack is rw-")
	}
	return nil
}

// checkInterp checks the interpreter's headers.
func (e *execve) checkInterp() *failure {
	i, path := e.prog.Interp()
	if i < 0 {
		return nil
	}
	bad := func(format string, args ...any) *failure {
		return e.fail("ELIBBAD", "load_elf_binary", i, "interpreter %s: %s", path, fmt.Sprintf(format, args...))
	}
	in := e.call.Interp
	switch {
	case in == nil:
		return bad("not an ELF file")
	case !slices.Contains(e.abi.Machines, in.Header.Machine):
		return bad("e_machine is %d (%s), the program's is %d", in.Header.Machine, elffile.MachineName(in.Header.Machine), e.prog.Header.Machine)
	}
	if err := e.checkArch(in); err != "" {
		return bad("%s", err)
	}
	if err := e.loadElfPhdrs(in); err != "" {
		return bad("%s", err)
	}
	e.step(PhaseCheck, "load_elf_phdrs", FromInterp, -1, "e_type %s, %d program headers", elffile.TypeName(in.Header.Type), in.Header.Phnum)
	return nil
}
