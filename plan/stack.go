package plan

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
)

// Stack is the new stack and what the kernel puts on it, from SP upward: argc,
// the pointers to the arguments, 0, those to the environment, 0, the auxiliary
// vector; then the random bytes, the platform's name, and the strings.
type Stack struct {
	image.Range
	Prot elf.ProgFlag
	SP   image.Addr
	Argv image.Addr // of the first pointer; argc is at SP
	Envp image.Addr
	Auxv image.Addr

	Random, Platform image.Addr
	ArgStart         image.Addr // the strings of the arguments
	EnvStart, EnvEnd image.Addr // those of the environment
	Execfn           image.Addr // the path
}

// Limits of execve (fs/exec.c, bprm_stack_limits; include/uapi/linux/limits.h).
const (
	argMax       = 128 << 10
	argMost      = 6 << 20   // 3/4 of _STK_LIM
	stackExpand  = 128 << 10 // what setup_arg_pages adds
	argStrPages  = 32        // MAX_ARG_STRLEN
	stackAligned = 16
)

// kernelWord is sizeof(void *) in the kernel, which is not always the program's.
func (e *execve) kernelWord() uint64 {
	if e.abi != nil && !e.abi.Compat {
		return e.abi.Word()
	}
	return 8
}

// copyStrings puts path, environment and arguments where the stack will be
// (do_execveat_common), and refuses what is too much.
func (e *execve) copyStrings() *failure {
	if e.call.Path == "" {
		e.call.Path = e.prog.Name
	}
	if len(e.call.Args) == 0 && e.has(changeEmptyArgv) {
		e.call.Args = []string{""}
	}
	if e.abi == nil {
		return nil
	}
	limit := max(min(argMost, e.host.StackLimit/4), argMax)
	pointers := uint64(max(len(e.call.Args), 1)+len(e.call.Env)) * e.kernelWord()
	tooBig := func(format string, args ...any) *failure {
		return e.fail("E2BIG", "bprm_stack_limits", -1, format, args...)
	}
	if pointers >= limit {
		return tooBig("0x%x bytes of pointers to arguments and environment are more than 0x%x", pointers, limit)
	}
	s := &e.out.Stack
	top := e.host.StackTop
	s.Execfn = top - image.Addr(e.kernelWord()) - image.Addr(len(e.call.Path)+1)
	s.EnvEnd = s.Execfn
	envSize, err := e.stringsSize("environment string", e.call.Env)
	if err != nil {
		return err
	}
	argSize, err := e.stringsSize("argument", e.call.Args)
	if err != nil {
		return err
	}
	s.EnvStart = s.EnvEnd - image.Addr(envSize)
	s.ArgStart = s.EnvStart - image.Addr(argSize)
	if used := uint64(top - s.ArgStart); used-e.kernelWord() > limit-pointers || used > e.host.StackLimit {
		return tooBig("arguments and environment need 0x%x bytes, and with their pointers may have 0x%x", used+pointers, min(limit, e.host.StackLimit))
	}
	e.step(PhaseCheck, "bprm_stack_limits", FromProgram, -1, "arguments: %d, environment strings: %d; 0x%x of at most 0x%x bytes",
		len(e.call.Args), len(e.call.Env), uint64(top-s.ArgStart)+pointers, limit)
	return nil
}

// stringsSize is how many bytes strings take with their NULs (copy_strings).
func (e *execve) stringsSize(what string, list []string) (total uint64, err *failure) {
	for i, s := range list {
		n := uint64(len(s) + 1)
		if most := argStrPages * e.page; n > most {
			return 0, e.fail("E2BIG", "copy_strings", -1, "%s %d has 0x%x bytes, more than 0x%x", what, i, n, most)
		}
		total += n
	}
	return total, nil
}

// setupArgPages makes the stack's mapping (setup_arg_pages).
func (e *execve) setupArgPages() *failure {
	s := &e.out.Stack
	top := e.host.StackTop
	start := s.ArgStart.Down(e.page)
	size := uint64(top - start)
	if grown := min(down(e.host.StackLimit, e.page), size+stackExpand); grown > size {
		start = top - image.Addr(grown)
	}
	s.Range = image.MakeRange(start, top)
	s.Prot = elf.PF_R | elf.PF_W | e.stackExec
	e.out.StackEnd = top
	e.out.place(Mapping{Range: s.Range, Prot: s.Prot, Off: Anonymous, Index: e.prog.last(elf.PT_GNU_STACK), Rule: "setup_arg_pages", Origin: FromKernel, Name: nameStack})
	e.step(PhaseStack, "setup_arg_pages", FromProgram, -1, "the stack ends at %v%s; it is there before the segments", top, e.randomly(e.abi.RandomStack))
	return nil
}

// createElfTables is create_elf_tables: what the stack holds.
func (e *execve) createElfTables() *failure {
	s := &e.out.Stack
	word := image.Addr(e.abi.Word())
	p := s.ArgStart
	if !e.abi.RawStack {
		p = p.Down(stackAligned) // arch_align_stack
	}
	high := p
	if e.abi.Platform != "" {
		p -= image.Addr(len(e.abi.Platform) + 1)
		s.Platform = p
	}
	p -= randomBytes
	s.Random = p
	tags := e.auxTags()
	p -= image.Addr(2*len(tags)) * word
	argc, envc := image.Addr(len(e.call.Args)), image.Addr(len(e.call.Env))
	s.SP = (p - (argc+1+envc+1+1)*word).Down(stackAligned)
	s.Argv = s.SP + word
	s.Envp = s.Argv + (argc+1)*word
	s.Auxv = s.Envp + (envc+1)*word
	if err := e.extendStack(); err != nil {
		return err
	}
	if err := e.stackWritable(image.MakeRange(s.SP, high), image.MakeRange(s.ArgStart, s.EnvEnd)); err != nil {
		return err
	}
	for _, t := range tags {
		e.out.Auxv = append(e.out.Auxv, e.auxValue(t))
	}
	e.step(PhaseTables, "create_elf_tables", FromProgram, -1, "argc at %v, argv, envp, %d entries of the auxiliary vector at %v", s.SP, len(tags), s.Auxv)
	return nil
}

// extendStack is find_extend_vma: the stack grows down to sp.
func (e *execve) extendStack() *failure {
	s := &e.out.Stack
	fail := func(errno, format string, args ...any) *failure {
		f := e.fail(errno, "find_extend_vma_locked", -1, format, args...)
		f.origin = FromKernel
		return f
	}
	if e.out.At(s.SP) != nil {
		return nil
	}
	i := e.out.after(s.SP)
	if i == len(e.out.Mappings) || e.out.Mappings[i].Name != nameStack {
		return fail("EFAULT", "the stack is gone: a segment was mapped over it")
	}
	m := &e.out.Mappings[i]
	start := s.SP.Down(e.page)
	switch size := uint64(m.End() - start); {
	case size > e.host.StackLimit:
		return fail("EFAULT", "the stack would need 0x%x bytes, more than its limit 0x%x", size, e.host.StackLimit)
	case i > 0 && uint64(start-e.out.Mappings[i-1].End()) < e.guard():
		return fail("EFAULT", "the stack would come within 0x%x bytes of %v", e.guard(), e.out.Mappings[i-1].Range)
	}
	m.Range = image.MakeRange(start, m.End())
	s.Range = image.MakeRange(start, s.End())
	return nil
}

// stackWritable says whether the kernel can write its tables: a later segment
// may lie over the stack.
func (e *execve) stackWritable(tables, text image.Range) *failure {
	over := false
	for i := range e.out.Mappings {
		m := &e.out.Mappings[i]
		if m.Name == nameStack || !m.Overlaps(tables) && !m.Overlaps(text) {
			continue
		}
		if m.Overlaps(tables) && (m.Prot&elf.PF_W == 0 || !e.backed(m, m.Intersect(tables))) {
			return &failure{"EFAULT", "create_elf_tables", m.Origin, m.Index, "the stack was replaced by a mapping that cannot be written to"}
		}
		over = over || m.Overlaps(text)
		e.warning("stack-replaced", m.Origin, m.Index, "lies over the stack: the kernel made it before the segments, and arguments or environment are lost")
	}
	if over {
		return e.walkStrings()
	}
	return nil
}

// backed says whether the file has the pages of a part of a mapping.
func (e *execve) backed(m *Mapping, r image.Range) bool {
	if m.Off == Anonymous || r.Empty() {
		return true
	}
	last := uint64(m.Off) + uint64(r.Start-m.Start) + r.Size - 1
	return down(last, e.page) < e.fileSize(m.Origin)
}

// walkStrings looks for the arguments and the environment as create_elf_tables
// does, string by string, where they were replaced by a segment's bytes.
func (e *execve) walkStrings() *failure {
	s := &e.out.Stack
	b := e.replacedStrings()
	p := 0
	next := func(n int) *failure {
		for range n {
			end := bytes.IndexByte(b[min(p, len(b)):], 0)
			if end < 0 || uint64(end) >= argStrPages*e.page {
				return e.fail("EINVAL", "create_elf_tables", -1, "the strings of arguments and environment were replaced by bytes without an end")
			}
			p += end + 1
		}
		return nil
	}
	if err := next(len(e.call.Args)); err != nil {
		return err
	}
	s.EnvStart = s.ArgStart + image.Addr(p)
	if err := next(len(e.call.Env)); err != nil {
		return err
	}
	s.EnvEnd = s.ArgStart + image.Addr(p)
	return nil
}

// replacedStrings is what memory holds from the first argument on, as far as it
// can be read, to the end of the stack.
func (e *execve) replacedStrings() []byte {
	s := &e.out.Stack
	b := make([]byte, e.host.StackTop-s.ArgStart)
	p := b[:0]
	for _, str := range append(append(slices.Clone(e.call.Args), e.call.Env...), e.call.Path) {
		p = append(append(p, str...), 0)
	}
	all := image.MakeRange(s.ArgStart, e.host.StackTop)
	for _, m := range e.out.Mappings {
		x := m.Intersect(all)
		if x.Empty() || m.Name == nameStack {
			continue
		}
		if at := x.Start - s.ArgStart; m.Prot&(elf.PF_R|elf.PF_W) == 0 || !e.backed(&m, x) {
			return b[:at] // mappings ascend: what is in front is known
		}
		to := b[x.Start-s.ArgStart:][:x.Size]
		clear(to)
		if m.Off != Anonymous {
			file := Plan{file: e.file(m.Origin).Body}
			if c, err := elffile.Bytes(file.content(&m, x)); err == nil {
				copy(to, c)
			}
		}
	}
	return b
}

// setBrk decides where the heap starts.
func (e *execve) setBrk() *failure {
	end := e.brkEnd
	static := e.prog.Header.Type == elf.ET_DYN && e.call.Interp == nil
	random := e.randomly(e.abi.RandomBrk)
	switch {
	case static && e.has(changeBrkMoved):
		end = e.abi.DynBase
		e.step(PhaseBrk, "load_elf_binary", FromProgram, -1, "a static PIE has its heap at ELF_ET_DYN_BASE, 0x%x, and not behind its segments%s", up(end, e.page), random).since(changeBrkMoved)
	case static:
		e.step(PhaseBrk, "load_elf_binary", FromProgram, -1, "behind the highest end of a PT_LOAD, 0x%x; with randomisation, at ELF_ET_DYN_BASE", end).since(changeBrkMoved)
	default:
		e.step(PhaseBrk, "load_elf_binary", FromProgram, e.brkIndex(), "behind the highest end of all PT_LOADs, 0x%x, whatever their order and flags%s", end, random).since(changeBrkGap)
	}
	e.out.StartBrk = image.Addr(up(end, e.page))
	st := &e.out.Steps[len(e.out.Steps)-1]
	st.Text = fmt.Sprintf("start_brk %v: %s", e.out.StartBrk, st.Text)
	return nil
}

// brkIndex is the header with the highest end.
func (e *execve) brkIndex() int {
	for i, h := range e.prog.loads {
		if e.sum(h.Vaddr, h.Memsz)+e.bias == e.brkEnd {
			return i
		}
	}
	return -1
}
