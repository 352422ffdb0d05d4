package phdr

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// regionKind says how a run of bytes is found by those who read it, and thus
// whether it can be somewhere else.
type regionKind int

const (
	regionFixed  regionKind = iota // by its address, as far as we know
	regionNote                     // by PT_NOTE and PT_GNU_PROPERTY
	regionInterp                   // by PT_INTERP
	regionTable                    // by a pointer in the dynamic section
	regionLoose                    // by the ELF header; it is written anew wherever it is convenient
)

// A region is a run of file bytes that something names.
type region struct {
	off, end uint64
	was      uint64 // off in the old file
	kind     regionKind
	name     string
	why      string // why it is fixed
	align    uint64
	secs     []int // the sections that it is made of, as indices in draft.secs
	progs    []int // the program headers that name bytes in it
}

func (r *region) size() uint64 { return r.end - r.off }

// fix makes the region one that stays.
func (r *region) fix(format string, args ...any) {
	r.kind, r.why = regionFixed, fmt.Sprintf(format, args...)
}

// String tells the region in a sentence: ".rela.plt at [0x2d8, 0x590)".
func (r *region) String() string { return fmt.Sprintf("%s at [0x%x, 0x%x)", r.name, r.off, r.end) }

// regions returns what lies in the file from the end of the program header
// table to limit, ascending and without overlap. Bytes that nothing names and
// that are not zero, or not provably padding, are a fixed region.
func (d *draft) regions(limit uint64) []*region {
	from := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
	var rs []*region
	if len(d.secs) > 0 {
		rs = d.sectionRegions(limit)
	} else {
		rs = d.dynamicRegions(limit)
	}
	rs = d.progRegions(rs, limit)
	if n := d.shdrTableSize(); n > 0 && d.Header.Shoff < limit {
		rs = append(rs, &region{off: d.Header.Shoff, end: d.Header.Shoff + n, kind: regionLoose, name: "section header table"})
	}
	rs = slices.DeleteFunc(rs, func(r *region) bool { return r.end <= from || r.off >= limit || r.off >= r.end })
	slices.SortStableFunc(rs, func(a, b *region) int { return cmp.Compare(a.off, b.off) })
	rs = separate(rs)
	for _, r := range rs {
		r.was = r.off
	}
	return d.fillGaps(rs, from, limit)
}

// separate merges regions that overlap into fixed ones: whoever made such a file
// had a reason that we do not know.
func separate(rs []*region) []*region {
	var out []*region
	for _, r := range rs {
		if n := len(out); n > 0 && out[n-1].end > r.off {
			last := out[n-1]
			last.fix("%s overlaps %s", r.name, last.name)
			last.end = max(last.end, r.end)
			last.secs, last.progs = append(last.secs, r.secs...), append(last.progs, r.progs...)
			continue
		}
		out = append(out, r)
	}
	return out
}

// sectionRegions makes a region of each section that begins before limit.
func (d *draft) sectionRegions(limit uint64) []*region {
	var rs []*region
	for i := range d.secs {
		s := &d.secs[i]
		if i == 0 || !s.HasBytes() || s.isGap() || s.Off >= limit || s.Off+s.Size < s.Off {
			continue
		}
		r := &region{off: s.Off, end: s.Off + s.Size, name: s.name, align: max(s.Addralign, 1), secs: []int{i}}
		if r.name == "" {
			r.name = fmt.Sprintf("section %d", i)
		}
		d.classify(r, &s.Section, i)
		rs = append(rs, r)
	}
	return rs
}

func (d *draft) classify(r *region, s *elffile.Section, i int) {
	interp := progIndex(d.Progs, elf.PT_INTERP)
	switch {
	case !s.Has(elf.SHF_ALLOC) && uint32(i) == d.names:
		r.kind = regionLoose
	case !s.Has(elf.SHF_ALLOC):
		r.fix("it is not loaded, so only tools know who reads it")
	case s.Addralign&(s.Addralign-1) != 0:
		r.fix("its alignment 0x%x is not a power of two", s.Addralign)
	case s.Type == elf.SHT_NOTE:
		r.kind = regionNote
		d.checkNoteSymbols(r)
	case interp >= 0 && d.Progs[interp].Off == s.Off && d.Progs[interp].Filesz <= s.Size:
		r.kind = regionInterp
	case s.Has(elf.SHF_WRITE):
		r.fix("it is written while the program runs")
	default:
		d.classifyTable(r, s.Addr, s.Size)
	}
}

// progRegions gives each program header that names bytes before limit to the
// region it names, or makes one of it.
func (d *draft) progRegions(rs []*region, limit uint64) []*region {
	table := d.tableLoad()
	for i := range d.Progs {
		p := &d.Progs[i]
		end, ok := p.End()
		if p.Type == elf.PT_NULL || p.Filesz == 0 || p.Off >= limit || !ok {
			continue
		}
		switch p.Type {
		case elf.PT_PHDR, elf.PT_GNU_RELRO:
			continue
		case elf.PT_LOAD:
			if i != table && p.Off > d.Header.Phoff {
				rs = d.nameAll(rs, i, "another PT_LOAD has it")
			}
			continue
		}
		rs = d.nameOne(rs, i, end)
	}
	return rs
}

// nameOne handles a program header that may move along with what it names.
func (d *draft) nameOne(rs []*region, i int, end uint64) []*region {
	p := &d.Progs[i]
	var hit []*region
	for _, r := range rs {
		if r.off < end && p.Off < r.end {
			hit = append(hit, r)
		}
	}
	switch {
	case len(hit) == 0:
		r := &region{off: p.Off, end: end, name: progName(p.Type), align: max(p.Align, 1), progs: []int{i}}
		switch p.Type {
		case elf.PT_NOTE:
			r.kind = regionNote
		case elf.PT_INTERP:
			r.kind = regionInterp
		default:
			r.fix("program header %d names it", i)
		}
		return append(rs, r)
	case len(hit) == 1 && hit[0].off <= p.Off && end <= hit[0].end && movesAlong(p.Type):
		hit[0].progs = append(hit[0].progs, i)
		hit[0].align = max(hit[0].align, p.Align)
		return rs
	case p.Type == elf.PT_NOTE && !slices.ContainsFunc(hit, func(r *region) bool { return r.kind != regionNote }):
		return mergeNotes(rs, hit, p, i, end)
	}
	return d.nameAll(rs, i, fmt.Sprintf("%s (program header %d) names a part of it", progName(p.Type), i))
}

// movesAlong says whether readers of this type go by the header alone.
func movesAlong(t elf.ProgType) bool {
	switch t {
	case elf.PT_INTERP, elf.PT_NOTE, elf.PT_GNU_PROPERTY:
		return true
	case elf.PT_GNU_EH_FRAME, elf.PT_GNU_STACK:
		return false
	}
	return t >= elf.PT_LOOS && t <= elf.PT_HIOS
}

// mergeNotes makes one region of the notes that a PT_NOTE holds together.
func mergeNotes(rs, hit []*region, p *elffile.Prog, i int, end uint64) []*region {
	all := hit[0]
	for _, r := range hit[1:] {
		all.name += ", " + r.name
		all.secs, all.progs = append(all.secs, r.secs...), append(all.progs, r.progs...)
		all.align = max(all.align, r.align)
		all.off, all.end = min(all.off, r.off), max(all.end, r.end)
		rs = slices.DeleteFunc(rs, func(x *region) bool { return x == r })
	}
	all.off, all.end = min(all.off, p.Off), max(all.end, end)
	all.progs = append(all.progs, i)
	all.align = max(all.align, p.Align)
	return rs
}

// nameAll fixes every region that a program header touches, and its own bytes.
func (d *draft) nameAll(rs []*region, i int, why string) []*region {
	p := &d.Progs[i]
	touched := false
	for _, r := range rs {
		if r.off < p.Off+p.Filesz && p.Off < r.end {
			r.fix("%s", why)
			touched = true
		}
	}
	if !touched {
		rs = append(rs, &region{off: p.Off, end: p.Off + p.Filesz, name: progName(p.Type), why: why})
	}
	return rs
}

// maxPadding is how many zero bytes between two things may be padding, where
// there are no section headers to say so.
const maxPadding = 16

// fillGaps makes fixed regions of unnamed bytes between from and limit that are
// not vacant, or that are too many to be padding in a file without section
// headers. Bytes behind the end of a PT_LOAD are no part of the program.
func (d *draft) fillGaps(rs []*region, from, limit uint64) []*region {
	loaded := limit
	if i := d.tableLoad(); i >= 0 {
		loaded = d.Progs[i].Off + d.Progs[i].Filesz
	}
	var out []*region
	pos := from
	gap := func(to uint64) {
		unknown := len(d.secs) == 0 && min(to, loaded) > pos+maxPadding
		if pos < to && (unknown || !d.vacant(pos, to)) {
			out = append(out, &region{off: pos, end: to, name: "bytes that nothing names", why: "what they are is not known"})
		}
	}
	for _, r := range rs {
		gap(min(r.off, limit))
		out = append(out, r)
		pos = max(pos, r.end)
	}
	gap(limit)
	return out
}

// vacant says whether [from, to), which nothing names, is padding, or what
// patchelf leaves where it has moved a section away: it writes X, and Z before
// version 0.12.
func (d *draft) vacant(from, to uint64) bool {
	if d.zero(from, to) {
		return true
	}
	b, err := d.Body.Bytes(from, min(to, uint64(d.Body.Size()))-from)
	return err == nil && len(d.secs) > 0 && len(bytes.Trim(b, "XZ\x00")) == 0
}

// zero says whether [from, to) has no byte but zeros; bytes beyond the end of
// the file count as zeros.
func (d *draft) zero(from, to uint64) bool {
	to = min(to, uint64(d.Body.Size()))
	if from >= to {
		return true
	}
	zero := true
	err := elffile.Diff(d.window(from, to-from), elffile.Zeros(to-from), func(_, _ int64) bool {
		zero = false
		return false
	})
	return zero && err == nil
}

// shdrTableSize is the size of the section header table as it is in the file.
func (d *draft) shdrTableSize() uint64 {
	if len(d.secs) == 0 || d.Header.Shoff == 0 {
		return 0
	}
	return uint64(len(d.old.Sections()) * d.ShdrSize())
}
