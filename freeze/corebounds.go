package freeze

import (
	"bytes"
	"debug/elf"
	"encoding/binary"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/image"
)

// bounds finds what the kernel keeps of where the parts of a process are, and does
// not write into cores: code and data from the program headers, arguments and
// environment from the stack, the heap from what is mapped behind the program.
func (c *fromCore) bounds() {
	st := &c.out.Stat
	st.StartCode, st.EndCode, st.StartData, st.EndData = 0, 0, 0, 0
	end := c.program()
	if end == 0 {
		c.refuse("the program headers", "are not where the core says that they are (AT_PHDR)", "")
		return
	}
	if !c.strings() {
		c.refuse("arguments and environment", "are not found on the stack", "")
		return
	}
	start, brk := c.heap(end)
	st.StartBrk, c.out.Brk = start, uint64(brk)
	c.warn("where the heap is (brk) is not in a core; it is taken to be [0x%x, 0x%x)", uint64(start), uint64(brk))
}

// program reads the program headers as load_elf_binary does, and returns where the
// program ends; 0: they are not to be had.
func (c *fromCore) program() image.Addr {
	const atPhdr, atPhnum, most = 3, 5, 1 << 12
	at, ok1 := c.Aux(atPhdr)
	n, ok2 := c.Aux(atPhnum)
	if !ok1 || !ok2 || n == 0 || n > most {
		return 0
	}
	format := elffile.Format{Class: amd64.Machine.Class, Data: amd64.Machine.Orders[0]}
	b := make([]byte, int(n)*format.PhdrSize())
	if got, _ := c.ReadAt(b, int64(at)); got < len(b) {
		return 0
	}
	var progs []phdr
	bias, end := uint64(0), uint64(0)
	for ; len(b) > 0; b = b[format.PhdrSize():] {
		// Elf64_Phdr: type, flags, offset, vaddr, paddr, filesz, memsz, align.
		p := phdr{elf.ProgType(format.U32(b)), elf.ProgFlag(format.U32(b[4:])), format.U64(b[16:]), format.U64(b[32:]), format.U64(b[40:])}
		progs = append(progs, p)
		if p.typ == elf.PT_PHDR {
			bias = at - p.vaddr
		}
	}
	if m := c.ModuleAt(at); m != nil {
		bias = m.Bias
	}
	c.moves = bias != 0
	st := &c.out.Stat
	st.StartCode = image.Addr(^uint64(0))
	for _, p := range progs {
		if p.typ != elf.PT_LOAD {
			continue
		}
		first, last := image.Addr(p.vaddr+bias), image.Addr(p.vaddr+bias+p.filesz)
		if p.flags&elf.PF_X != 0 {
			st.StartCode, st.EndCode = min(st.StartCode, first), max(st.EndCode, last)
		}
		st.StartData, st.EndData = max(st.StartData, first), max(st.EndData, last)
		end = max(end, p.vaddr+bias+p.memsz)
	}
	if st.EndCode == 0 {
		return 0
	}
	return image.Addr((end + page - 1) &^ (page - 1))
}

type phdr struct {
	typ                  elf.ProgType
	flags                elf.ProgFlag
	vaddr, filesz, memsz uint64
}

// heap finds the heap: memory that follows the program, or the first that lies not
// far behind it (the kernel randomises by up to 32 MiB, or 1 GiB). That of a program
// without a dynamic linker that lies anywhere is at a place of its own
// (load_elf_binary, ELF_ET_DYN_BASE).
func (c *fromCore) heap(end image.Addr) (start, brk image.Addr) {
	const far, atBase = 1 << 30, 7
	own := image.Addr(amd64.taskSizes[0]/3*2) &^ (page - 1)
	if base, _ := c.Aux(atBase); base == 0 && c.moves {
		end = own
	}
	for i := range c.out.Maps {
		m := &c.out.Maps[i]
		plain := m.Name == "" && !m.Shared && m.Prot == elf.PF_R|elf.PF_W
		switch {
		case !plain || m.End() <= end:
		case m.Start < end && end != own:
			return end, m.End() // the kernel has merged it with .bss
		case uint64(m.Start-end) <= far:
			m.Name = "[heap]"
			return m.Start, m.End()
		}
	}
	return end, end
}

// strings finds arguments and environment: create_elf_tables puts argc, the
// arguments, a zero, the environment, a zero and the auxiliary vector one behind the
// other.
func (c *fromCore) strings() bool {
	m := c.stackMap()
	if m == nil {
		return false
	}
	const most = 16 << 20 // the kernel lets arguments have up to a quarter of the stack
	from := uint64(m.End()) - min(m.Size, most)
	b := make([]byte, uint64(m.End())-from)
	if n, _ := c.ReadAt(b, int64(from)); n < len(b) {
		return false
	}
	at := bytes.LastIndex(b, c.Auxv[:min(len(c.Auxv), 64)])
	if at < 16 || at%8 != 0 {
		return false
	}
	w := func(i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
	i := at - 16 // the last of the environment
	for i >= 8 && w(i) != 0 {
		i -= 8
	}
	env := i + 8
	args := i
	for i -= 8; i >= 0; i -= 8 {
		if w(i) == uint64(args-i-8)/8 {
			return c.setStrings(from, i, env, at, w)
		}
	}
	return false
}

// setStrings notes them: argc is at i, the environment's pointers at env, the
// auxiliary vector at end.
func (c *fromCore) setStrings(from uint64, i, env, end int, w func(int) uint64) bool {
	const atExecfn = 31
	last, ok := c.Aux(atExecfn) // the string behind the environment
	if !ok {
		return false
	}
	st := &c.out.Stat
	st.StartStack = image.Addr(from + uint64(i))
	st.EnvEnd, st.EnvStart, st.ArgEnd, st.ArgStart = image.Addr(last), image.Addr(last), image.Addr(last), image.Addr(last)
	if env < end-8 {
		st.EnvStart, st.ArgEnd, st.ArgStart = image.Addr(w(env)), image.Addr(w(env)), image.Addr(w(env))
	}
	if w(i) > 0 {
		st.ArgStart = image.Addr(w(i + 8))
	}
	return st.ArgStart <= st.ArgEnd && st.EnvStart <= st.EnvEnd
}

func (c *fromCore) stackMap() *capture.Map {
	for i := range c.out.Maps {
		if m := &c.out.Maps[i]; m.Name == "[stack]" {
			return m
		}
	}
	return nil
}
