package sdf

import (
	"fmt"
	"sort"

	"elfwright/image"
	"elfwright/sdf/desc"
)

// choose gives physical addresses to regions whose address somebody wants to
// know and the description does not say: first fit, bottom up, in the memory
// that the board leaves, without what has a fixed address.
func (a *applier) choose() {
	var fixed []image.Range
	a.paddr = make(map[*desc.Region]uint64)
	for _, r := range a.sys.Regions {
		if r.Size == 0 {
			a.fault(r.Pos(), "size", "memory_region %s: its size is not known, for %s was not looked at", r.Name, r.Prefill)
		}
		if r.Fixed {
			a.paddr[r] = r.Paddr
			fixed = append(fixed, image.Range{Start: image.Addr(r.Paddr), Size: r.Size})
		}
	}
	free := Memory(&a.sys.Board).Minus(fixed...)
	for _, r := range a.sys.Regions {
		v := a.wanted(r)
		if r.Fixed || v == nil {
			continue
		}
		if len(a.sys.Board.Memory) == 0 {
			a.fault(v.Pos(), "memory", "memory_region %s has no phys_addr, and the board gives no memory to choose one from", r.Name)
			continue
		}
		at, ok := FirstFit(free, r.Size, r.PageSize)
		if !ok {
			a.fault(v.Pos(), "memory", "memory_region %s: there are no %#x bytes at a multiple of %#x left in the memory of the board", r.Name, r.Size, r.PageSize)
			continue
		}
		a.paddr[r] = uint64(at)
		free = free.Minus(image.Range{Start: at, Size: r.Size})
	}
}

// wanted returns a variable that gets the region's physical address.
func (a *applier) wanted(r *desc.Region) *desc.Setvar {
	for _, p := range a.sys.PDs {
		for _, v := range p.Vars {
			if v.Kind == desc.VarPaddr && v.Region == r {
				return v
			}
		}
	}
	return nil
}

// Memory is what the board leaves for protection domains.
func Memory(b *desc.Board) image.Ranges {
	var list []image.Range
	for _, m := range b.Memory {
		list = append(list, image.MakeRange(image.Addr(m.Start), image.Addr(m.End)))
	}
	return image.Union(list...)
}

// FirstFit finds the lowest address, a multiple of align, where size bytes are free.
func FirstFit(free image.Ranges, size, align uint64) (image.Addr, bool) {
	for _, r := range free {
		at, ok := r.Start.Up(align)
		if ok && r.Covers(image.Range{Start: at, Size: size}) && (image.Range{Start: at, Size: size}).Valid() {
			return at, true
		}
	}
	return 0, false
}

// A piece is a part of an address space that an image has.
type piece struct {
	image.Range
	index int // of the program header
	flags string
}

const page = 0x1000 // of images, stacks and IPC buffers

// segments returns where an image lies and refuses what overlaps: pages are
// mapped whole, each with the rights of one segment.
func (a *applier) segments(p *desc.PD, img *image.Image) []piece {
	var list []piece
	end := image.Addr(a.sys.Board.StackBottom(p.StackSize))
	for i := range img.Segments {
		s := &img.Segments[i]
		if s.Memsz == 0 {
			continue
		}
		r := s.Range()
		pages, ok := r.Pages(page)
		if !r.Valid() || !ok || pages.Start >= end || pages.Size > uint64(end-pages.Start) {
			a.fault(p.Pos(), "segment", "%s: program header %d, %v, reaches beyond the bottom of the stack at %v", img.Name, s.Index, r, end)
			continue
		}
		list = append(list, piece{pages, s.Index, flagLetters(uint32(s.Flags))})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Start < list[j].Start })
	for i := 1; i < len(list); i++ {
		if list[i].Overlaps(list[i-1].Range) {
			a.fault(p.Pos(), "segment", "%s: program headers %d and %d share a page at %v; each page has the rights of one", img.Name, list[i-1].index, list[i].index, list[i].Start)
		}
	}
	for _, m := range p.Maps {
		r := image.Range{Start: image.Addr(m.Addr), Size: m.Region.Size}
		for _, s := range list {
			if s.Overlaps(r) {
				a.fault(m.Pos(), "segment", "map of %s at %v overlaps program header %d of %s at %v", m.Name, r, s.index, img.Name, s.Range)
			}
		}
	}
	return list
}

func flagLetters(f uint32) string {
	s := ""
	for _, x := range []struct {
		bit    uint32
		letter string
	}{{4, "r"}, {2, "w"}, {1, "x"}} {
		if f&x.bit != 0 {
			s += x.letter
		}
	}
	return s
}

func (a *applier) fault(pos desc.Pos, rule, format string, args ...any) {
	a.found = append(a.found, desc.Finding{Pos: pos, Level: desc.Fault, Rule: rule, Msg: fmt.Sprintf(format, args...)})
}
