package reset

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
)

// mayDeflate refuses to take bytes out of a segment that others need there.
func (n *install) mayDeflate() error {
	f := n.f
	for _, i := range n.mem.loads {
		p := &f.Progs[i]
		end := f.Header.Phoff + uint64(len(f.Progs)*f.PhdrSize())
		if p.Filesz == 0 {
			continue
		}
		if p.Off < uint64(f.EhdrSize()) || p.Off < end && f.Header.Phoff < p.Off+p.Filesz {
			return refusef(f, "program header %d is writable and has the headers of the file in it: its bytes cannot be taken out; --shape=keep leaves them", i)
		}
		for k := range f.Progs {
			o := &f.Progs[k]
			if k != i && o.Type == elf.PT_LOAD && o.Filesz > 0 && o.Off < p.Off+p.Filesz && p.Off < o.Off+o.Filesz {
				return refusef(f, "program headers %d and %d name the same bytes of the file: they cannot be taken out; --shape=keep leaves them", i, k)
			}
		}
	}
	return nil
}

// deflate makes the writable segments zeros: where they were and as large, without
// bytes in the file.
func (n *install) deflate() {
	f := n.now
	was := slices.Clone(f.Progs)
	f.Progs = slices.Clone(f.Progs)
	var dead []image.Range // of the file
	for i := range f.Progs {
		p := &f.Progs[i]
		if !n.deflated(p) {
			continue
		}
		left := n.template(p)
		if p.Filesz > left {
			dead = append(dead, image.Range{Start: image.Addr(p.Off + left), Size: p.Filesz - left})
		}
		p.Filesz = left
	}
	for i := range f.Progs {
		if p := &f.Progs[i]; moves(p) && p.Filesz > 0 {
			n.rename(p)
		}
	}
	n.emptySections(was)
	n.warnTemplate()
	for _, r := range slices.Backward(image.Union(dead...)) {
		n.take(r)
	}
}

// maxTemplate is how many bytes a segment keeps, at most, for thread-local variables.
const maxTemplate = 4096

// template is how many bytes a segment keeps, because the initial values of
// thread-local variables are among them: p_filesz of PT_TLS tells a program how many
// those are, and strip and objcopy make it anew, of the bytes of sections.
func (n *install) template(load *elffile.Prog) uint64 {
	for i := range n.f.Progs {
		p := &n.f.Progs[i]
		if p.Type != elf.PT_TLS || p.Filesz == 0 || p.Vaddr < load.Vaddr {
			continue
		}
		if end := p.Vaddr - load.Vaddr + p.Filesz; end <= min(load.Filesz, maxTemplate) {
			return end
		}
	}
	return 0
}

// warnTemplate tells of a template that is not where the sections are any more.
func (n *install) warnTemplate() {
	for i := range n.now.Progs {
		p := &n.now.Progs[i]
		if off, _, ok := n.now.OffsetOf(p.Vaddr); p.Type == elf.PT_TLS && p.Filesz > 0 && (!ok || off != p.Off) {
			n.warning("tls", "PT_TLS names the copy, because its 0x%x bytes are not in the first 0x%x of a writable segment: GNU strip and objcopy would lose the initial values of thread-local variables", p.Filesz, maxTemplate)
		}
	}
}

// deflated says whether a program header is a segment that loses its bytes.
func (n *install) deflated(p *elffile.Prog) bool {
	return p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 && slices.ContainsFunc(n.mem.loads, func(i int) bool { return n.f.Progs[i].Vaddr == p.Vaddr })
}

// rename makes a header name its bytes in the copy: there they are for whoever
// reads the file. In memory they are where they were.
func (n *install) rename(p *elffile.Prog) {
	for _, e := range slices.Concat(n.t.Once, n.t.Each) {
		if i := loadWith(n.now, p.Vaddr); i >= 0 && p.Vaddr+p.Filesz <= n.now.Progs[i].Vaddr+n.now.Progs[i].Filesz {
			return // it has them still
		}
		if p.Vaddr >= e.Dst && p.Vaddr+p.Filesz <= e.Dst+e.SrcSize {
			if off, _, ok := n.now.OffsetOf(e.Src + p.Vaddr - e.Dst); ok {
				p.Off = off
			}
			return
		}
	}
}

// emptySections makes the sections of deflated segments such without bytes.
func (n *install) emptySections(was []elffile.Prog) {
	secs := n.now.Sections()
	for i := range secs {
		s := &secs[i]
		if !s.Has(elf.SHF_ALLOC) || s.Type == elf.SHT_NULL {
			continue
		}
		for k := range was {
			if p := &was[k]; n.deflated(p) && s.Addr >= p.Vaddr && s.Addr < p.Vaddr+p.Memsz {
				if s.HasBytes() && s.Addr+s.Size <= p.Vaddr+n.now.Progs[k].Filesz {
					continue
				}
				if s.HasBytes() {
					s.Type = elf.SHT_NOBITS
				}
				s.Off = p.Off + n.now.Progs[k].Filesz
			}
		}
	}
}

// take takes bytes out of the file that nobody names any more, as many as leave
// what follows at offsets that suit it; the others become a hole.
func (n *install) take(r image.Range) {
	f := n.now
	from, end := uint64(r.Start), uint64(r.End())
	f.Body.Clear(int64(from), int64(end-from))
	step := uint64(64)
	named := func(off, size uint64) {
		if size > 0 && off < end && off+size > from {
			from = max(from, min(off+size, end))
		}
	}
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Filesz > 0 {
			named(p.Off, p.Filesz)
		}
		if p.Type == elf.PT_LOAD && p.Filesz > 0 && p.Off >= end {
			step = max(step, p.Align)
		}
	}
	secs := f.Sections()
	for i := range secs {
		if secs[i].HasBytes() {
			named(secs[i].Off, secs[i].Size)
			if secs[i].Off >= end {
				step = max(step, secs[i].Addralign)
			}
		}
	}
	named(f.Header.Phoff, uint64(len(f.Progs)*f.PhdrSize()))
	named(f.Header.Shoff, uint64(len(secs)*f.ShdrSize()))
	// A table that is far away keeps its distance from the first PT_LOAD, by which
	// kernels before 5.18 and qemu-user find it.
	if n.opt.Phdr.Overlay != "" || f.Header.Phoff >= end || step&(step-1) != 0 || f.SectionErr() != nil {
		return
	}
	if cut := (end - from) &^ (step - 1); cut > 0 {
		f.Body.Cut(int64(end-cut), int64(cut))
		n.moveDown(end, cut)
	}
}

// moveDown makes every offset from end on smaller by cut; one of a header without
// bytes within what was cut goes to where that was.
func (n *install) moveDown(end, cut uint64) {
	f := n.now
	move := func(off *uint64) {
		switch {
		case *off >= end:
			*off -= cut
		case *off > end-cut:
			*off = end - cut
		}
	}
	for i := range f.Progs {
		p := &f.Progs[i]
		was := p.Off
		move(&p.Off)
		if p.Type == elf.PT_LOAD && p.Filesz == 0 { // congruent, as loaders want it
			p.Off = was - up(was-p.Off, max(p.Align, 1))
			if p.Off > was {
				p.Off = p.Vaddr & (max(p.Align, 1) - 1)
			}
		}
	}
	secs := f.Sections()
	for i := range secs {
		if i > 0 {
			move(&secs[i].Off)
		}
	}
	move(&f.Header.Phoff)
	move(&f.Header.Shoff)
}
