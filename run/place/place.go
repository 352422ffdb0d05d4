// Package place gives the objects of a process their addresses and their thread-
// local storage: what a dynamic linker asks the kernel for with mmap, computed
// beforehand. It is pure.
package place

import (
	"debug/elf"
	"fmt"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/image"
)

// Options say where.
type Options struct {
	// Base is where the first object goes that may go anywhere. 0: [DefaultBase],
	// or behind a program that has its own addresses there.
	Base image.Addr
	// Page is the size of a page; 0: that of the machine.
	Page uint64
	TLS  TLSRules
}

// DefaultBase is at 4 GiB, where no 32-bit field reaches by mistake, and low
// enough for emulators that reserve all below the highest segment.
const DefaultBase = 0x1_0000_0000

// Layout is where everything of a process is.
type Layout struct {
	Objects []Object // as in load.Process
	Ld      *Object  // where the dynamic linker is not among them, but asked for
	Hull    image.Range
	Page    uint64
	TLS     TLS
}

// Object is where an object is.
type Object struct {
	*load.Object
	Base   uint64      // what is added to its addresses (l_addr)
	Hull   image.Range // its pages, at their addresses in the process
	Module int         // TLS module number, 0: no TLS
	Offset int64       // of its TLS block from the thread pointer
}

// Find is the object whose pages an address is in, or nil.
func (l *Layout) Find(a image.Addr) *Object {
	for i := range l.Objects {
		if l.Objects[i].Hull.Contains(a) {
			return &l.Objects[i]
		}
	}
	return nil
}

// Lay gives every object its place: the program first where it may go anywhere,
// each behind the one before, as far apart as its alignment asks.
func Lay(p *load.Process, opt Options) (*Layout, error) {
	l := &Layout{Page: opt.Page, Objects: make([]Object, len(p.Objects))}
	if l.Page == 0 {
		l.Page = 0x1000
		if m := p.Objects[0].Machine; m != nil {
			l.Page = m.PageSize
		}
	}
	next, err := l.start(p, opt)
	if err != nil {
		return nil, err
	}
	for i, o := range p.Objects {
		l.Objects[i] = Object{Object: o}
		if next, err = l.put(&l.Objects[i], l.Objects[:i], next); err != nil {
			return nil, err
		}
	}
	var hulls image.Ranges
	for i := range l.Objects {
		hulls = append(hulls, l.Objects[i].Hull)
	}
	hulls = image.Union(hulls...)
	first, last := hulls[0], hulls[len(hulls)-1]
	l.Hull = image.Range{Start: first.Start, Size: uint64(last.Start-first.Start) + last.Size}
	l.TLS, err = layTLS(l.Objects, opt.TLS)
	return l, err
}

// start is where the first object goes that may go anywhere.
func (l *Layout) start(p *load.Process, opt Options) (image.Addr, error) {
	next := opt.Base
	if next == 0 {
		next = DefaultBase
		if !p.Objects[0].Is64() {
			next = 0x4000_0000
		}
	}
	if next.Down(l.Page) != next {
		return 0, fmt.Errorf("base %v is not a multiple of the page size 0x%x", next, l.Page)
	}
	for _, o := range p.Objects {
		h, _, err := hull(o, l.Page)
		if err != nil {
			return 0, err
		}
		if o.Header.Type == elf.ET_EXEC && h.Start+image.Addr(h.Size) > next && opt.Base == 0 {
			// A gap, so that what runs past the end of the one is not in the other.
			next, _ = (h.Start + image.Addr(h.Size)).Up(1 << 24)
		}
	}
	return next, nil
}

// put places an object at or behind next, and returns what is behind it.
func (l *Layout) put(o *Object, before []Object, next image.Addr) (image.Addr, error) {
	h, align, err := hull(o.Object, l.Page)
	if err != nil {
		return 0, err
	}
	if o.Header.Type == elf.ET_EXEC {
		for i := range before {
			if before[i].Hull.Overlaps(h) {
				return 0, &elffile.Error{File: o.Name, Off: -1, Msg: fmt.Sprintf("its own addresses %v are taken by %s at %v", h, before[i].Name, before[i].Hull)}
			}
		}
		o.Hull = h
		return next, nil
	}
	for {
		at, ok := next.Up(align)
		o.Base = uint64(at) - uint64(h.Start.Down(align))
		start := uint64(h.Start) + o.Base
		o.Hull = image.Range{Start: image.Addr(start), Size: h.Size}
		end, ok2 := o.Hull.Start.Add(h.Size)
		limit := image.Addr(1) << 46
		if !o.Is64() {
			limit = 0xc000_0000
		}
		if !ok || !ok2 || end > limit {
			return 0, &elffile.Error{File: o.Name, Off: -1, Msg: fmt.Sprintf("no room for its 0x%x bytes at %v", h.Size, next)}
		}
		clash := fixed(o, before)
		if clash == nil {
			return end, nil
		}
		next = clash.Start + image.Addr(clash.Size)
	}
}

// fixed is the range of an object with addresses of its own that o would lie in.
func fixed(o *Object, before []Object) *image.Range {
	for i := range before {
		if p := &before[i]; p.Header.Type == elf.ET_EXEC && p.Hull.Overlaps(o.Hull) {
			return &p.Hull
		}
	}
	return nil
}

// hull is the smallest range of pages that has all segments of an object, and the
// largest alignment that one of them asks for (glibc, _dl_map_segments, goes by
// the largest since 2.35).
func hull(o *load.Object, page uint64) (image.Range, uint64, error) {
	lo, hi, align := ^uint64(0), uint64(0), page
	for i := range o.Progs {
		p := &o.Progs[i]
		if p.Type != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		fault := func(field, format string, args ...any) error {
			return &elffile.Error{File: o.Name, Struct: fmt.Sprintf("program header %d", i), Field: field, Off: -1, Msg: fmt.Sprintf(format, args...)}
		}
		end := p.Vaddr + p.Memsz
		if end < p.Vaddr || end > 1<<46 {
			return image.Range{}, 0, fault("p_memsz", "p_vaddr 0x%x + p_memsz 0x%x is beyond the address space", p.Vaddr, p.Memsz)
		}
		if p.Align&(p.Align-1) != 0 {
			return image.Range{}, 0, fault("p_align", "0x%x is not a power of two", p.Align)
		}
		if p.Filesz > p.Memsz {
			return image.Range{}, 0, fault("p_filesz", "0x%x is more than p_memsz 0x%x", p.Filesz, p.Memsz)
		}
		if (p.Vaddr-p.Off)&(page-1) != 0 {
			return image.Range{}, 0, fault("p_offset", "p_vaddr 0x%x and p_offset 0x%x differ modulo the page size 0x%x", p.Vaddr, p.Off, page)
		}
		if size := uint64(o.Body.Size()); p.Off > size || p.Filesz > size-p.Off {
			return image.Range{}, 0, fault("p_filesz", "p_offset 0x%x + p_filesz 0x%x is past the end of the file (0x%x)", p.Off, p.Filesz, size)
		}
		lo, hi, align = min(lo, p.Vaddr&^(page-1)), max(hi, (end+page-1)&^(page-1)), max(align, p.Align)
	}
	if lo > hi {
		return image.Range{}, 0, &elffile.Error{File: o.Name, Off: -1, Msg: "there is no PT_LOAD to map"}
	}
	if align > 1<<32 {
		return image.Range{}, 0, &elffile.Error{File: o.Name, Off: -1, Msg: fmt.Sprintf("a PT_LOAD asks for an alignment of 0x%x", align)}
	}
	return image.Range{Start: image.Addr(lo), Size: hi - lo}, align, nil
}
