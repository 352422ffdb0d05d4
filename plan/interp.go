package plan

import (
	"debug/elf"
	"fmt"
	"strconv"

	"elfwright/image"
)

// loadElfInterp is load_elf_interp: the interpreter's segments, and the address
// of the first instruction.
func (e *execve) loadElfInterp() *failure {
	p := &e.out
	in := e.call.Interp
	if in == nil {
		p.Entry = p.ProgramEntry
		if e.badAddr(uint64(p.Entry)) {
			return e.fail("EINVAL", "load_elf_binary", -1, "e_entry %v is beyond TASK_SIZE", p.Entry)
		}
		return nil
	}
	fail := func(errno string, index int, format string, args ...any) *failure {
		return &failure{errno, "load_elf_interp", FromInterp, index, fmt.Sprintf(format, args...)}
	}
	if in.Header.Type != elf.ET_EXEC && in.Header.Type != elf.ET_DYN {
		return fail("EINVAL", -1, "the interpreter's e_type is neither EXEC nor DYN")
	}
	total := e.totalMappingSize(in)
	if total == 0 {
		return fail("EINVAL", -1, "the interpreter has no PT_LOAD")
	}
	bias, err := e.interpSegments(in, total, fail)
	if err != nil {
		return err
	}
	p.InterpBias = image.Addr(bias)
	p.Entry = image.Addr(bias + in.Header.Entry)
	if e.badAddr(uint64(p.Entry)) {
		return fail("EINVAL", -1, "the interpreter's entry %v is beyond TASK_SIZE", p.Entry)
	}
	return nil
}

// interpSegments is the loop over the interpreter's PT_LOADs.
func (e *execve) interpSegments(in *Program, total uint64, fail func(string, int, string, ...any) *failure) (bias uint64, err *failure) {
	known := false
	old := oldBss{origin: FromInterp, index: -1}
	for i, h := range in.loads {
		s := e.segment(h, i, FromInterp)
		how := fixed
		if in.Header.Type == elf.ET_DYN && !known {
			how = asHint
			if e.bias != 0 {
				bias = -h.Vaddr
			}
		}
		at, errno := e.loadOne(s, bias+h.Vaddr, how, total)
		total = 0
		if errno != "" {
			return 0, fail(errno, i, "%s", e.why(errno, s, bias+h.Vaddr))
		}
		if e.badAddr(at) {
			// The loop ends, and the address passes for the load bias: it is no errno.
			return at, nil
		}
		if in.Header.Type == elf.ET_DYN && !known {
			bias, known = at-down(h.Vaddr, e.page), true
			e.step(PhaseInterp, "load_elf_interp", FromInterp, i, "load bias 0x%x: the interpreter is placed as mmap places it", bias)
		}
		if err := e.taskSizeCheck(s, bias+h.Vaddr, "ENOMEM"); err != nil {
			return 0, err
		}
		old.bias = bias
		old.add(e, s)
	}
	if in.Header.Type == elf.ET_EXEC {
		e.step(PhaseInterp, "load_elf_interp", FromInterp, -1, "an ET_EXEC interpreter lands at its own addresses, over whatever is there")
	}
	if !e.has(changeElfLoad) {
		return bias, e.lastOldBss(&old)
	}
	return bias, nil
}

// why explains the errno of a segment that could not be placed.
func (e *execve) why(errno string, s segment, addr uint64) string {
	po := s.Vaddr & (e.page - 1)
	switch errno {
	case "EINVAL":
		if (s.Off-po)%e.page != 0 {
			return fmt.Sprintf("p_vaddr 0x%x and p_offset 0x%x differ modulo the page size 0x%x", s.Vaddr, s.Off, e.page)
		}
		return fmt.Sprintf("p_offset 0x%x and p_filesz 0x%x overflow", s.Off, s.Filesz)
	case "EEXIST":
		return fmt.Sprintf("at 0x%x there is something already: the stack is there before the segments", down(addr, e.page))
	case "EPERM":
		return fmt.Sprintf("0x%x is below vm.mmap_min_addr 0x%x", down(addr, e.page), e.minAddr)
	case "ENOMEM":
		return fmt.Sprintf("there is no room at 0x%x for p_memsz 0x%x, or not as much memory (vm.overcommit_memory)", addr, s.Memsz)
	case "EFAULT":
		return "the end of its last file page cannot be cleared: it is beyond the end of the file"
	case "EOVERFLOW":
		return "it reaches beyond what a file can have"
	}
	return errno
}

func hex(n uint64) string { return strconv.FormatUint(n, 16) }

// setupAdditionalPages is arch_setup_additional_pages: the vdso, found room for
// in one search.
func (e *execve) setupAdditionalPages() *failure {
	var total uint64
	for _, s := range e.host.VDSO {
		total += s.Size
	}
	if total == 0 {
		return nil
	}
	at, errno := e.getUnmappedArea(FromKernel, 0, total, 0, asHint)
	if errno != "" {
		return &failure{errno, "map_vdso", FromKernel, -1, "no room for the vdso"}
	}
	for _, s := range e.host.VDSO {
		e.out.place(Mapping{
			Range: image.Range{Start: image.Addr(at), Size: s.Size}, Prot: s.Prot, Off: 0, Index: -1,
			Rule: "arch_setup_additional_pages", Origin: FromKernel, Name: s.Name,
		})
		if s.Name == "[vdso]" {
			e.out.VDSO = image.Addr(at)
		}
		at += s.Size
	}
	e.step(PhaseKernel, "arch_setup_additional_pages", FromKernel, -1, "the vdso comes last, at %v", e.out.VDSO)
	return nil
}
