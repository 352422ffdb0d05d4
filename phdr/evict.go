package phdr

import (
	"bytes"
	"debug/elf"
	"math"
	"slices"

	"elfwright/elffile"
)

// evict makes room behind the table where it is. What is in the way goes
// elsewhere: .interp and notes into the first page of the file again, in place
// of a table of the dynamic section that goes to a new PT_LOAD.
func (d *draft) evict() error { return d.evictWith(true) }

// evictNotes is evict where nothing can be swapped: the notes go to the new
// PT_LOAD, too, and core dumps lose the build-id.
func (d *draft) evictNotes() error { return d.evictWith(false) }

func (d *draft) evictWith(keepID bool) error {
	for {
		end, err := d.tableEnd(d.slots())
		if err != nil {
			return err
		}
		e, err := d.planEviction(end, keepID)
		if err != nil {
			return err
		}
		if len(e.out) > 0 && d.home == nil {
			d.evictionHome() // needs a header of its own: the table grows, and more may be in the way
			continue
		}
		return d.carryOut(e, end)
	}
}

// tableEnd is where the table would end with n entries more where it is, and
// that this can be.
func (d *draft) tableEnd(n int) (uint64, error) {
	end := d.Header.Phoff + uint64((d.live()+n)*d.PhdrSize())
	load := d.tableLoad()
	if load < 0 {
		return 0, notHeref("the table at 0x%x is in no PT_LOAD", d.Header.Phoff)
	}
	if limit := d.growthLimit(load); end > limit {
		return 0, notHeref("the table would end at 0x%x, and the PT_LOAD that has it can reach to 0x%x only", end, limit)
	}
	return end, nil
}

// growthLimit is how far in the file a PT_LOAD can reach: as it is, or, where it
// ends with its file bytes, to the next thing in the file and the next page of
// another PT_LOAD in memory.
func (d *draft) growthLimit(load int) uint64 {
	p := &d.Progs[load]
	end := p.Off + p.Filesz
	if p.Filesz != p.Memsz {
		return end
	}
	limit := up(end, corePage)
	for i := range d.Progs {
		o := &d.Progs[i]
		if o.Type != elf.PT_LOAD || i == load {
			continue
		}
		if o.Off >= end {
			limit = min(limit, o.Off)
		}
		if page := o.Vaddr &^ (d.page - 1); o.Vaddr > p.Vaddr {
			limit = min(limit, max(end, p.Off+max(page, p.Vaddr)-p.Vaddr))
		}
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && s.Off >= end {
			limit = min(limit, s.Off)
		}
	}
	return limit
}

// reach extends the PT_LOAD of the table so that it has the file up to end.
func (d *draft) reach(end uint64) {
	i := d.tableLoad()
	if i < 0 {
		return
	}
	if p := &d.Progs[i]; p.Off+p.Filesz < end {
		p.Filesz = end - p.Off
		p.Memsz = max(p.Memsz, p.Filesz)
	}
}

// An eviction is what goes where.
type eviction struct {
	stay []spot    // within the first page
	out  []*region // to the new PT_LOAD
}

// planEviction decides what must leave [table, end) and where it goes.
func (d *draft) planEviction(end uint64, keepID bool) (*eviction, error) {
	window := max(end, min(corePage, d.growthLimit(d.tableLoad())))
	rs := d.regions(window)
	var small, tables []*region
	for _, r := range rs {
		if r.off >= end {
			continue
		}
		switch r.kind {
		case regionFixed:
			return nil, notHeref("%v is in the way: %s", r, r.why)
		case regionTable:
			tables = append(tables, r)
		case regionNote, regionInterp:
			small = append(small, r)
		}
	}
	return d.swap(rs, small, tables, end, window, keepID)
}

// swap finds room in [end, window) for the small things: as many as can be, the
// build-id first of all, for the price of the fewest bytes moved out.
func (d *draft) swap(rs, small, tables []*region, end, window uint64, keepID bool) (*eviction, error) {
	slices.SortStableFunc(small, func(a, b *region) int { return d.rank(a) - d.rank(b) })
	for n := len(small); n > 0; n-- {
		if e := swapAll(rs, small[:n], append(slices.Clone(tables), small[n:]...), end, window); e != nil {
			return e, nil
		}
		if keepID && d.rank(small[n-1]) == 0 {
			return nil, notHeref("%s would leave the first page of the file, and core dumps would lose the build-id", small[n-1].name)
		}
	}
	return &eviction{out: append(tables, small...)}, nil
}

// rank orders small things by what is lost when they leave the first page.
func (d *draft) rank(r *region) int {
	switch {
	case r.off >= corePage:
		return 2 // it was not there before
	case r.kind == regionNote && d.hasBuildID(r):
		return 0
	}
	return 1
}

// hasBuildID says whether a GNU or Go build-id is among the notes of a region.
func (d *draft) hasBuildID(r *region) bool {
	b, err := d.Body.Bytes(r.off, r.size())
	return err == nil && (bytes.Contains(b, []byte("GNU\x00")) && d.isBuildID(r) || bytes.Contains(b, []byte("Go\x00")))
}

func (d *draft) isBuildID(r *region) bool {
	b, _ := d.Body.Bytes(r.off, r.size())
	notes, _ := elffile.ParseNotes(d.Format, b, int64(r.off), r.align)
	return slices.ContainsFunc(notes, func(n elffile.Note) bool { return n.Name == "GNU" && n.Type == ntGNUBuildID })
}

// ntGNUBuildID is NT_GNU_BUILD_ID (glibc, elf/elf.h).
const ntGNUBuildID = 3

// swapAll finds the cheapest run of tables whose place, with what is free
// anyway, takes all of small; nil if there is none.
func swapAll(rs, small, out []*region, end, window uint64) *eviction {
	gone := slices.Concat(small, out)
	if spots, ok := pack(small, gapsOf(rs, gone, end, window)); ok {
		return &eviction{spots, out}
	}
	var best *eviction
	cheapest := uint64(math.MaxUint64)
	for i, r := range rs {
		var run []*region
		cost := uint64(0)
		for j := i; j < len(rs) && r.off < window && rs[j].kind == regionTable; j++ {
			if slices.Contains(out, rs[j]) {
				continue
			}
			run = append(run, rs[j])
			if cost += rs[j].size(); cost >= cheapest {
				break
			}
			spots, ok := pack(small, gapsOf(rs, slices.Concat(gone, run), end, window))
			if ok {
				best, cheapest = &eviction{spots, slices.Concat(out, run)}, cost
				break
			}
		}
	}
	return best
}

// carryOut moves what a plan says, and extends the table's PT_LOAD if the table
// or a note now ends behind it.
func (d *draft) carryOut(e *eviction, end uint64) error {
	if err := d.checkUnreferenced(e); err != nil {
		return err
	}
	type copied struct {
		spot
		data elffile.Data
	}
	reach := end
	var stay []copied
	for _, s := range e.stay {
		stay = append(stay, copied{s, d.window(s.off, s.size())})
		reach = max(reach, s.to+s.size())
	}
	for _, r := range e.out {
		d.evictionHome().add(&part{data: d.window(r.off, r.size()), align: max(r.align, 8), placed: func(off, vaddr uint64) { d.moved(r, off, vaddr) }})
	}
	d.reach(reach)
	d.changesFile(d.Header.Phoff, end-d.Header.Phoff)
	for _, r := range e.out {
		d.vacate(r)
	}
	for _, s := range stay {
		d.vacate(s.region)
	}
	bias := d.bias()
	for _, s := range stay {
		d.Body.Put(int64(s.to), s.data)
		d.changesFile(s.to, s.size())
		d.moved(s.region, s.to, s.to+bias)
	}
	return nil
}

func (d *draft) vacate(r *region) {
	d.changesFile(r.off, r.size())
	d.Body.Clear(int64(r.off), int64(r.size()))
}

// bias is p_vaddr - p_offset of the table's PT_LOAD.
func (d *draft) bias() uint64 {
	p := &d.Progs[d.tableLoad()]
	return p.Vaddr - p.Off
}

// moved tells everybody who knows a region by its place that it is elsewhere.
func (d *draft) moved(r *region, off, vaddr uint64) {
	from := uint64(0)
	for _, i := range r.progs {
		p := &d.Progs[i]
		from = p.Vaddr - (p.Off - r.off)
		p.Off = off + (p.Off - r.off)
		physical := p.Paddr - p.Vaddr
		p.Vaddr = vaddr + (p.Off - off)
		p.Paddr = (p.Vaddr + physical) & d.MaxAddr()
	}
	for _, i := range r.secs {
		s := &d.secs[i]
		from = s.Addr - (s.Off - r.off)
		s.Off = off + (s.Off - r.off)
		s.Addr = vaddr + (s.Off - off)
	}
	if len(r.secs) > 0 {
		d.dirty = true
	}
	if r.kind == regionTable {
		if len(r.secs) == 0 {
			from = d.oldAddr(r.off)
		}
		d.repoint(from, vaddr)
	}
	d.moves = append(d.moves, Move{Kind: "bytes", Name: r.name, Size: r.size(), FromOff: Hex(r.was), FromAddr: Hex(from), ToOff: Hex(off), ToAddr: Hex(vaddr)})
}
