package interp

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/run/launch"
	"elfwright/run/serve"
)

// Types of the auxiliary vector (Linux, include/uapi/linux/auxvec.h).
const (
	atPhdr   = 3
	atPhnum  = 5
	atBase   = 7
	atEntry  = 9
	atExecFn = 31
)

// ours adds the code, its plan, the way to it from the dynamic linker, and memory
// that it can write.
func (b *builder) ours() error {
	find := serve.Find
	switch {
	case b.opt.Libc == Musl:
		find = serve.FindLinks
	case b.opt.Root == "" && len(b.opt.Files) == 0:
		find = serve.FindExe
	}
	sites, err := find(b.ld)
	if err != nil {
		if b.opt.Root != "" || len(b.opt.Files) > 0 {
			return err
		}
		b.out.Why = err
	}
	b.where = roundUp(b.end+b.page, b.page)
	plan := b.plan()
	// Where the data are depends on how long the plan is, which does not depend on
	// where they are.
	text, err := b.code.Encode(plan, b.where)
	if err != nil {
		return err
	}
	if sites != nil {
		b.out.Served = sites
		text = append(text, make([]byte, -len(text)&15)...)
	}
	ways := b.where + uint64(len(text))
	plan.Data = roundUp(ways+sites.Size(), b.page)
	if text, err = b.code.Encode(plan, b.where); err != nil {
		return err
	}
	text = append(text, make([]byte, ways-b.where-uint64(len(text)))...)
	if sites != nil {
		code, edits, err := sites.Redirect(b.bias, ways, b.where+launch.Gate)
		if err != nil {
			return err
		}
		text = append(text, code...)
		b.edit(edits)
	}
	b.add(text, b.where, elf.PF_R|elf.PF_X)
	// It has a byte in the file, and more: kernels before 6.6 do not map what has none.
	b.add(make([]byte, plan.DataSize()), plan.Data, elf.PF_R|elf.PF_W)
	b.out.Body.Truncate(int64(roundUp(uint64(b.out.Body.Size()), b.page)))
	return nil
}

// add puts bytes of ours at an address.
func (b *builder) add(data []byte, at uint64, flags elf.ProgFlag) {
	off := roundUp(uint64(b.out.Body.Size()), b.page)
	b.out.Body.Put(int64(off), elffile.Buffer(data))
	n := uint64(len(data))
	b.out.Parts = append(b.out.Parts, Part{Prog: elffile.Prog{
		Type: elf.PT_LOAD, Flags: flags, Off: off, Vaddr: at, Paddr: at, Filesz: n, Memsz: n, Align: b.page,
	}})
}

// edit changes bytes of the dynamic linker.
func (b *builder) edit(edits []serve.Edit) {
	for _, e := range edits {
		for _, p := range b.out.Parts {
			if at := b.bias + e.Vaddr; p.Prog.Vaddr <= at && at < p.Prog.Vaddr+p.Prog.Filesz {
				b.out.Body.Put(int64(p.Prog.Off+at-p.Prog.Vaddr), elffile.Buffer(e.Bytes))
			}
		}
	}
}

func (b *builder) plan() *launch.Plan {
	p := &launch.Plan{
		Start: b.bias + b.ld.Header.Entry, Entry: b.prog.Header.Entry,
		Comm: b.opt.Comm, Exe: b.opt.Exe, Root: b.opt.Root, Dirs: b.opt.Dirs, Files: b.opt.Files,
		Links: b.opt.Links, Vars: slices.Clone(b.opt.Vars), Stop: b.opt.StopAtEntry,
	}
	if b.opt.LibraryPath != "" {
		p.Vars = append(p.Vars, "LD_LIBRARY_PATH="+b.opt.LibraryPath)
	}
	if b.opt.Preload != "" {
		p.Vars = append(p.Vars, "LD_PRELOAD="+b.opt.Preload)
	}
	p.Main, p.Prot = b.main.addr, b.main.prot
	entry := p.Entry
	if len(p.Vars) > 0 || p.Stop || p.Main != 0 {
		entry = b.where + launch.Entered
	}
	p.Auxv = []launch.Aux{
		{Type: atPhdr, Value: b.phdr(), Place: true},
		{Type: atPhnum, Value: uint64(b.prog.Header.Phnum)},
		{Type: atBase, Value: b.bias, Place: true},
		{Type: atEntry, Value: entry, Place: true},
	}
	if b.opt.ExecFn != "" {
		p.Auxv = append(p.Auxv, launch.Aux{Type: atExecFn, Text: b.opt.ExecFn})
	}
	return p
}

// phdr is where the program's own program headers are in memory: load_elf_binary
// looks for the segment whose bytes of the file have their beginning (since 5.18).
func (b *builder) phdr() uint64 {
	phoff := b.prog.Header.Phoff
	for _, p := range b.prog.Progs {
		if p.Type == elf.PT_LOAD && p.Off <= phoff && phoff-p.Off < p.Filesz {
			return p.Vaddr + phoff - p.Off
		}
	}
	return 0
}

// headers writes the ELF header and the program headers.
func (b *builder) headers() error {
	var progs []elffile.Prog
	for _, p := range b.out.Parts {
		progs = append(progs, p.Prog)
	}
	for _, p := range b.extra {
		if p.Type == elf.PT_GNU_STACK {
			progs = append(progs, p)
		}
	}
	if len(progs) > maxProgs {
		return b.prog.HeaderError("e_phnum", "with the dynamic linker there would be %d segments, and no more than %d program headers can be loaded", len(progs), maxProgs)
	}
	for _, p := range b.extra {
		if p.Type != elf.PT_GNU_STACK && len(progs) < maxProgs {
			progs = append(progs, p)
		}
	}
	h := b.prog.Header
	h.Entry = b.where
	h.Phoff, h.Phnum = uint64(b.prog.EhdrSize()), uint16(len(progs))
	h.Phentsize, h.Ehsize = uint16(b.prog.PhdrSize()), uint16(b.prog.EhdrSize())
	h.Shoff, h.Shnum, h.Shstrndx, h.Shentsize = 0, 0, 0, 0
	head := h.Encode(b.prog.Format)
	for _, p := range progs {
		head = append(head, p.Encode(b.prog.Format)...)
	}
	b.out.Body.Put(0, elffile.Buffer(head))
	return nil
}
