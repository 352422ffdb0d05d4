package layout

import (
	"debug/elf"
	"fmt"
	"slices"
	"sort"

	"elfwright/link/model"
)

// filer gives everything that is loaded its place in the file, and the program
// headers their fields.
type filer struct {
	s      *Script
	off    uint64 // the next free byte
	page   uint64
	table  *segment // the PT_LOAD that has the program header table, or nil
	size   uint64   // of the program header table
	result map[*segment]*model.Segment
}

// maxFile is beyond any file, and far below where offsets would overflow.
const maxFile = 1 << 60

// Finish checks assertions, overlaps and regions, and settles file offsets and
// program headers.
func (s *Script) Finish(env *model.Env) ([]*model.Segment, error) {
	s.env = env
	for _, o := range s.order {
		o.filed = false
	}
	s.assertions()
	s.checkAddresses()
	s.reportRegions()
	for _, h := range s.hints {
		s.rep.Warn(h)
	}
	f := &filer{s: s, page: 1, result: map[*segment]*model.Segment{}}
	if s.paged() {
		f.page = s.maxPage
	}
	f.size = uint64(s.headers) * s.phdrSize()
	if s.opt.Relocatable {
		f.off = s.ehdrSize()
		f.rest()
		s.stackNote()
		return nil, nil
	}
	if err := f.loads(); err != nil {
		return nil, err
	}
	f.rest()
	if f.off > maxFile {
		return nil, fmt.Errorf("the output would have %#x bytes: sections that have bytes lie too far apart in one segment, or are too large", f.off)
	}
	var segs []*model.Segment
	for _, g := range s.segments {
		segs = append(segs, f.result[g])
	}
	f.others()
	s.explainSegments(f)
	return segs, nil
}

// loads places the PT_LOAD segments in the order of their load addresses; those
// with the headers first.
func (f *filer) loads() error {
	s := f.s
	order := append([]*segment(nil), s.segments...)
	for _, g := range order {
		f.result[g] = &model.Segment{Name: g.name, Type: g.typ, Flags: g.flags, Align: g.align, Extra: g.extra != nil}
		sortByLoad(g.sections)
	}
	sort.SliceStable(order, func(i, j int) bool { return f.less(order[i], order[j]) })
	f.off = s.ehdrSize()
	for _, g := range order {
		if g.typ == elf.PT_LOAD && g.phdrs {
			f.table = g
			break
		}
	}
	if f.table == nil {
		f.off += f.size
	}
	for _, g := range order {
		if g.typ == elf.PT_LOAD {
			if err := f.load(g); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filer) less(a, b *segment) bool {
	if (a.typ == elf.PT_LOAD) != (b.typ == elf.PT_LOAD) {
		return a.typ == elf.PT_LOAD
	}
	if a.typ != elf.PT_LOAD {
		return false
	}
	if a.filehdr != b.filehdr {
		return a.filehdr
	}
	return a.startLMA() < b.startLMA()
}

func (g *segment) startLMA() uint64 {
	switch {
	case g.paddr != nil:
		return *g.paddr
	case len(g.sections) > 0:
		return g.sections[0].out.LMA
	case g.vaddr != nil:
		return *g.vaddr
	}
	return 0
}

// load places one PT_LOAD.
func (f *filer) load(g *segment) error {
	p := f.result[g]
	f.start(g, p)
	if done, err := f.shared(g, p); done || err != nil {
		return err
	}
	if g == f.table {
		if !g.filehdr {
			p.Off = f.off
		}
		f.off += f.size
	}
	bare := f.aligned(g, p)
	if err := f.withHeaders(g, p, bare); err != nil {
		return err
	}
	if !g.filehdr && !g.phdrs {
		p.Off = f.off
		if bare.noBytes && len(g.sections) > 0 {
			p.Off = f.off % max(f.page, p.Align, 1)
		}
	}
	if g.memsz > 0 && len(g.sections) == 0 {
		p.Memsz = g.memsz
		p.Off = p.Vaddr % max(p.Align, 1)
	}
	for i, o := range g.sections {
		f.section(g, p, o, i == 0, &bare)
	}
	f.off -= bare.back
	return nil
}

// start sets addresses and alignment.
func (f *filer) start(g *segment, p *model.Segment) {
	if len(g.sections) > 0 {
		p.Vaddr, p.Paddr = g.sections[0].out.Addr, g.sections[0].out.LMA
	}
	if g.vaddr != nil {
		p.Vaddr, p.Paddr = *g.vaddr, *g.vaddr
	}
	if g.paddr != nil {
		p.Paddr = *g.paddr
	}
	switch {
	case g.align != 0:
	case f.s.paged():
		p.Align = f.page
	case len(g.sections) == 0:
		p.Align = uint64(f.s.class) / 8
	}
}

// padding is how a segment without bytes in the file was aligned all the same.
type padding struct {
	noBytes bool
	back    uint64 // to be taken back from the offset behind it
}

// aligned moves the offset so that it is congruent to the address.
func (f *filer) aligned(g *segment, p *model.Segment) padding {
	var b padding
	if len(g.sections) == 0 {
		return b
	}
	al := uint64(1)
	for _, o := range g.sections {
		al = max(al, o.align1())
	}
	if g.align != 0 {
		al = g.align
	} else if al >= f.page {
		if f.s.paged() {
			p.Align = al
		}
	} else {
		al = f.page
	}
	b.noBytes = true
	for _, o := range g.sections {
		b.noBytes = b.noBytes && o.out.Type == elf.SHT_NOBITS
	}
	adjust := (p.Vaddr - f.off) % al
	f.off += adjust
	if b.noBytes {
		b.back = adjust
	}
	return b
}

// withHeaders lets the segment begin with the ELF header, the program header
// table or both.
func (f *filer) withHeaders(g *segment, p *model.Segment, b padding) error {
	if !g.filehdr && !g.phdrs {
		return nil
	}
	p.Filehdr, p.Phdrs = g.filehdr, g.phdrs
	if !g.flagsSet {
		p.Flags |= elf.PF_R
	}
	begin := p.Off
	if g.filehdr {
		p.Filesz = f.s.ehdrSize()
		begin = 0
	}
	if g.phdrs {
		p.Filesz += f.size
	}
	if len(g.sections) > 0 {
		back := f.off - begin
		if p.Vaddr < back || g.paddr == nil && p.Paddr < back {
			return fmt.Errorf("%s: no room for the headers before section %s at %#x: they and what the page needs take %#x bytes",
				segmentName(g), g.sections[0].name, p.Vaddr, back)
		}
		p.Vaddr -= back
		if g.paddr == nil {
			p.Paddr -= back
		}
	}
	p.Off = begin
	p.Memsz = p.Filesz
	adjust := f.off - (p.Off + p.Filesz)
	if !b.noBytes {
		p.Filesz += adjust
	}
	p.Memsz += adjust
	return nil
}

func segmentName(g *segment) string {
	if g.name != "" {
		return fmt.Sprintf("program header %q", g.name)
	}
	return "the first PT_LOAD"
}

// section places one section of a PT_LOAD in the file.
func (f *filer) section(g *segment, p *model.Segment, o *section, first bool, b *padding) {
	out := o.out
	bits := out.Type != elf.SHT_NOBITS
	thread := out.Flags&elf.SHF_TLS != 0
	if bits || out.Flags&elf.SHF_ALLOC != 0 && !thread {
		at, start := out.LMA, p.Paddr
		if f.s.lldRules.fileByAddress {
			at, start = out.Addr, p.Vaddr
		}
		end := start + p.Memsz
		adjust := at - end
		if adjust != 0 && (at < end || end < start) {
			f.s.rep.Warn(fmt.Errorf("section %s: its load address %#x lies before the end of what is in its segment; it becomes %#x", o.name, out.LMA, end))
			adjust = 0
			out.LMA = end
		}
		p.Memsz += adjust
		if bits {
			b.back = 0
			if p.Filesz+adjust < p.Memsz {
				adjust = p.Memsz - p.Filesz // what had no bytes needs some now
			}
		}
		if bits || first {
			f.off += adjust
			if !bits {
				b.back += adjust
			}
		}
		if bits {
			p.Filesz += adjust
		}
	}
	out.FileOff = int64(f.off)
	o.filed = true
	if bits {
		f.off += out.Size
		p.Filesz += out.Size
		if out.Flags&elf.SHF_ALLOC != 0 {
			p.Memsz += out.Size
		}
	} else if out.Flags&elf.SHF_ALLOC != 0 && !thread {
		p.Memsz += out.Size
	}
	if al := o.align1(); al > p.Align && g.align == 0 && !f.s.paged() {
		p.Align = al
	}
	f.flags(g, p, o)
	p.Sections = append(p.Sections, out)
}

func (f *filer) flags(g *segment, p *model.Segment, o *section) {
	if g.flagsSet || g.named != nil && !slices.Contains(g.named, o) {
		return
	}
	out := o.out
	p.Flags |= elf.PF_R
	if out.Flags&elf.SHF_EXECINSTR != 0 {
		p.Flags |= elf.PF_X
	}
	if out.Flags&elf.SHF_WRITE != 0 {
		p.Flags |= elf.PF_W
	}
}

// rest places the sections that no PT_LOAD has.
func (f *filer) rest() {
	for _, o := range f.s.order {
		out := o.out
		if o.removed || o.filed {
			continue
		}
		switch {
		case out.Type == elf.SHT_NOBITS && !f.s.opt.Relocatable:
			out.FileOff = 0
			if out.Flags&elf.SHF_TLS != 0 {
				out.FileOff = int64(f.off + (out.Addr-f.off)%max(o.align1(), 1))
			}
			continue
		case out.Flags&elf.SHF_ALLOC != 0 && !f.s.opt.Relocatable:
			if out.Size != 0 {
				f.s.rep.Warn(fmt.Errorf("section %s is allocated and in no PT_LOAD segment", o.name))
			}
			al := max(o.align1(), 1)
			if f.s.paged() && out.Size != 0 {
				al = f.page
			}
			f.off += (out.Addr - f.off) % al
		default:
			f.off = alignUp(f.off, out.Align)
		}
		out.FileOff = int64(f.off)
		if out.Type != elf.SHT_NOBITS {
			f.off += out.Size
		}
	}
}
