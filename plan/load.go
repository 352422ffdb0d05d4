package plan

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
)

// badAddr is BAD_ADDR.
func (e *execve) badAddr(a uint64) bool { return a >= e.abi.TaskSize }

// sum adds fields of a header: in 32-bit files the kernel's sum has 32 bits.
func (e *execve) sum(a, b uint64) uint64 {
	if e.abi.Word() == 4 {
		return uint64(uint32(a + b))
	}
	return a + b
}

// totalMappingSize is total_mapping_size: the span of the PT_LOADs.
func (e *execve) totalMappingSize(p *Program) uint64 {
	low, high, any := ^uint64(0), uint64(0), false
	for _, h := range p.loads {
		start, end := down(h.Vaddr, e.page), e.sum(h.Vaddr, h.Memsz)
		if e.has(changeTotalSize) {
			low, high = min(low, start), max(high, end)
		} else {
			if !any {
				low = start
			}
			high = end // of the last
		}
		any = true
	}
	if !any {
		return 0
	}
	return e.sum(high, -low)
}

// maximumAlignment is maximum_alignment: the largest p_align that is a power of
// two, and then a page at least; 0 where none is. It says which header asks for
// it.
func (e *execve) maximumAlignment() (align uint64, index int) {
	align, index = 0, -1
	for i, h := range e.prog.loads {
		if a := h.Align; a&(a-1) == 0 && a > align {
			align, index = a, i
		}
	}
	return up(align, e.page), index
}

// segment is one PT_LOAD on its way into memory.
type segment struct {
	*elffile.Prog
	index  int
	origin Origin
	prot   elf.ProgFlag
}

func (e *execve) segment(h *elffile.Prog, index int, o Origin) segment {
	return segment{h, index, o, h.Flags & (elf.PF_R | elf.PF_W | elf.PF_X)}
}

// elfMap is elf_map: the file pages of a segment. With total, room for the whole
// image is taken first and the rest of it given back.
func (e *execve) elfMap(s segment, addr uint64, how placing, total uint64) (uint64, string) {
	po := s.Vaddr & (e.page - 1)
	size := up(s.Filesz+po, e.page)
	off := s.Off - po
	addr = down(addr, e.page)
	if size == 0 {
		return addr, ""
	}
	m := Mapping{Prot: s.prot, Index: s.index, Origin: s.origin, Rule: ruleFile}
	if total == 0 {
		return e.vmMmap(m, addr, size, off, how)
	}
	total = up(total, e.page)
	at, errno := e.vmMmap(m, addr, total, off, how)
	if errno == "" && total > size {
		e.out.unmap(image.Range{Start: image.Addr(at + size), Size: total - size})
	}
	return at, errno
}

// elfLoad is elf_load: the file pages, the cleared end of the last one, and the
// zero pages behind.
func (e *execve) elfLoad(s segment, addr uint64, how placing, total uint64) (uint64, string) {
	po := s.Vaddr & (e.page - 1)
	at, zero := down(addr, e.page), down(addr, e.page)
	if s.Filesz > 0 {
		var errno string
		if at, errno = e.elfMap(s, addr, how, total); errno != "" {
			return 0, errno
		}
		zero = at + po + s.Filesz
		if s.Memsz > s.Filesz && !e.padzero(zero) && s.prot&elf.PF_W != 0 {
			return 0, "EFAULT"
		}
	}
	if s.Memsz > s.Filesz {
		if errno := e.vmBrkFlags(s.origin, s.index, up(zero, e.page), up(at+po+s.Memsz, e.page), s.prot); errno != "" {
			return 0, errno
		}
	}
	return at, ""
}

// padzero clears from an address to the end of its page. It fails where the
// page cannot be written, or is beyond the end of the file.
func (e *execve) padzero(addr uint64) bool {
	if addr%e.page == 0 {
		return true
	}
	a := image.Addr(addr)
	m := e.out.At(a)
	if m == nil || m.Prot&elf.PF_W == 0 {
		return false
	}
	if m.Off != Anonymous && m.Off+int64(a-m.Start) >= int64(up(e.fileSize(m.Origin), e.page)) {
		return false
	}
	m.area.touch()
	if m.Off == Anonymous {
		return true
	}
	m.Zeroed = image.MakeRange(a, image.Addr(up(addr, e.page)))
	return true
}

// loadElfBinary is the loop of load_elf_binary over the PT_LOADs.
func (e *execve) loadElfBinary() *failure {
	var old oldBss
	first := true
	for i, h := range e.prog.loads {
		s := e.segment(h, i, FromProgram)
		if !e.has(changeElfLoad) {
			if errno := e.setOldBss(&old); errno != "" {
				return e.fail(errno, "set_brk", old.index, "the zero pages behind the segments cannot be had")
			}
		}
		if err := e.loadSegment(s, first); err != nil {
			return err
		}
		first = false
		if err := e.taskSizeCheck(s, h.Vaddr, "EINVAL"); err != nil {
			return err
		}
		old.add(e, s)
		e.account(h)
	}
	if !e.has(changeElfLoad) {
		if err := e.lastOldBss(&old); err != nil {
			return err
		}
	}
	e.finishProgram(first)
	return nil
}

// loadSegment places a segment, the first one by the rules of its e_type.
func (e *execve) loadSegment(s segment, first bool) *failure {
	how, total := fixed, uint64(0)
	if first && e.prog.Header.Type == elf.ET_EXEC {
		how = noReplace
		e.step(PhaseLoad, "load_elf_binary", FromProgram, s.index, "ET_EXEC: the addresses are those of the file")
	}
	if first && e.prog.Header.Type == elf.ET_DYN {
		if total = e.totalMappingSize(e.prog); total == 0 {
			return e.fail("EINVAL", "total_mapping_size", s.index, "the segments have no size")
		}
		var err *failure
		if how, err = e.chooseBias(s, total); err != nil {
			return err
		}
	}
	want := e.bias + s.Vaddr
	at, errno := e.loadOne(s, want, how, total)
	if errno == "" && e.badAddr(at) {
		errno = "EINVAL"
	}
	if errno != "" {
		return e.fail(errno, "elf_load", s.index, "%s", e.why(errno, s, want))
	}
	if first && e.prog.Header.Type == elf.ET_DYN {
		e.bias += at - down(want, e.page)
		e.step(PhaseLoad, "load_elf_binary", FromProgram, s.index, "load bias 0x%x", e.bias)
	}
	return nil
}

// loadOne loads a segment as the version does. A segment without file bytes is
// not asked whether its address is one before it is used.
func (e *execve) loadOne(s segment, addr uint64, how placing, total uint64) (at uint64, errno string) {
	if e.has(changeElfLoad) {
		return e.elfLoad(s, addr, how, total)
	}
	return e.elfMap(s, addr, how, total)
}

// chooseBias is what load_elf_binary does once for ET_DYN.
func (e *execve) chooseBias(s segment, total uint64) (placing, *failure) {
	align, index := e.maximumAlignment()
	_, interp := e.prog.Interp()
	how := asHint
	switch pie := e.call.Interp != nil; {
	case pie:
		e.bias = e.abi.DynBase
		if e.host.Base != 0 {
			e.bias = uint64(e.host.Base)
		}
		how = noReplace
		e.bias = e.alignBias(align, index)
		at := "lands at"
		if s.Vaddr%e.page != 0 {
			at = "has a p_vaddr within a page, and lands a page below" // ELF_PAGESTART of the difference
		}
		e.step(PhaseLoad, "load_elf_binary", FromProgram, s.index,
			"ET_DYN with an interpreter (%s): the first PT_LOAD %s ELF_ET_DYN_BASE, 0x%x%s", interp, at, e.bias, e.randomly(e.abi.RandomPIE))
	case e.host.Base != 0:
		e.bias, how = uint64(e.host.Base), noReplace
	case align > e.page && e.has(changeStaticPie):
		at, errno := e.loadOne(s, 0, asHint, total)
		if errno != "" {
			return how, e.fail(errno, "elf_load", s.index, "no room for 0x%x bytes: %s", total, e.why(errno, s, 0))
		}
		e.out.unmap(image.Range{Start: image.Addr(at), Size: up(total, e.page)})
		e.bias, how = at, noReplace
		e.bias = e.alignBias(align, index)
		e.step(PhaseLoad, "load_elf_binary", FromProgram, s.index,
			"ET_DYN without an interpreter: a trial mapping came to 0x%x, aligned down to 0x%x", at, e.bias).since(changeStaticPie)
	default:
		e.bias = 0
		e.step(PhaseLoad, "load_elf_binary", FromProgram, s.index,
			"ET_DYN without an interpreter: placed as mmap places 0x%x bytes", total)
	}
	e.bias = down(e.bias-s.Vaddr, e.page)
	return how, nil
}

// alignBias lowers the base to the largest p_align.
func (e *execve) alignBias(align uint64, index int) uint64 {
	switch {
	case !e.has(changeHugeAlign), align == 0:
		return e.bias
	case align <= e.page:
		return down(e.bias, e.page)
	}
	to := down(e.bias, align)
	e.step(PhaseLoad, "maximum_alignment", FromProgram, index, "p_align 0x%x lowers the base from 0x%x to 0x%x", align, e.bias, to).since(changeHugeAlign)
	return to
}

func (e *execve) randomly(span uint64) string {
	if span == 0 {
		return ""
	}
	return "; randomisation adds up to 0x" + hex(span)
}

// taskSizeCheck is the check behind each segment. For the program it looks at
// p_vaddr as the file has it, for the interpreter with the bias.
func (e *execve) taskSizeCheck(s segment, k uint64, errno string) *failure {
	t := e.abi.TaskSize
	f := func(format string, args ...any) *failure {
		err := e.fail(errno, "load_elf_binary", s.index, format, args...)
		err.origin = s.origin
		return err
	}
	switch {
	case e.badAddr(k):
		return f("p_vaddr 0x%x is beyond TASK_SIZE 0x%x", s.Vaddr, t)
	case s.Filesz > s.Memsz:
		return f("p_filesz 0x%x is more than p_memsz 0x%x", s.Filesz, s.Memsz)
	case s.Memsz > t || t-s.Memsz < k:
		return f("p_vaddr 0x%x + p_memsz 0x%x is beyond TASK_SIZE 0x%x", s.Vaddr, s.Memsz, t)
	}
	return nil
}

// account keeps what mm_struct has of the segments: its code, data and brk.
func (e *execve) account(h *elffile.Prog) {
	p := &e.out
	k, end := h.Vaddr, e.sum(h.Vaddr, h.Filesz)
	code, codeEnd := uint64(p.Code.Start), uint64(p.Code.End())
	data, dataEnd := uint64(p.Data.Start), uint64(p.Data.End())
	if !e.firstDone {
		e.firstDone = true
		code = ^uint64(0)
		codeEnd, data, dataEnd = 0, 0, 0
	}
	if h.Flags&elf.PF_X != 0 {
		code, codeEnd = min(code, k), max(codeEnd, end)
	}
	p.Code = image.MakeRange(image.Addr(code), image.Addr(codeEnd))
	p.Data = image.MakeRange(image.Addr(max(data, k)), image.Addr(max(dataEnd, end)))
	e.brkEnd = max(e.brkEnd, e.sum(h.Vaddr, h.Memsz))
}

// finishProgram adds the bias to what was collected.
func (e *execve) finishProgram(none bool) {
	p := &e.out
	b := image.Addr(e.bias)
	p.Bias = b
	p.ProgramEntry = image.Addr(e.prog.Header.Entry) + b
	if none {
		p.Code.Start, p.Code.Size = ^image.Addr(0), 1
	}
	p.Code.Start += b
	p.Data.Start += b
	e.brkEnd += e.bias
	e.findPhdr()
}

// findPhdr computes AT_PHDR.
func (e *execve) findPhdr() {
	p, table := &e.out, e.prog.Header.Phoff
	if !e.has(changeAtPhdr) {
		for _, h := range e.prog.loads {
			p.Phdr = image.Addr(e.bias + h.Vaddr - h.Off + table)
			return
		}
	}
	// The last PT_LOAD whose file bytes hold e_phoff.
	p.Phdr = image.Addr(e.bias)
	for _, h := range e.prog.loads {
		if h.Off <= table && table < h.Off+h.Filesz {
			p.Phdr = image.Addr(e.bias + table - h.Off + h.Vaddr)
		}
	}
}
