package patch

import (
	"cmp"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
	resettable "elfwright/reset/table"
)

// An ownRoute sends writes to the saved copies of package reset. Where memory was
// zeros and has no copy, the table gets another row, behind the others: rows are
// carried out in their order. There are spare ones, and spare bytes.
type ownRoute struct {
	a   *applier
	t   *resettable.Table
	out []*edit
	// wanted is memory that has no copy and is to have one: for each start, and
	// for the first one alone.
	each, once []image.Range
}

func (r *ownRoute) run() error {
	asked := r.a.mem.edits
	for _, e := range asked {
		if err := r.edit(e); err != nil {
			return err
		}
	}
	r.a.mem.edits = r.out
	if len(r.each)+len(r.once) == 0 {
		return nil
	}
	return r.addRows(asked)
}

// edit routes one write.
func (r *ownRoute) edit(e *edit) error {
	whole := image.Ranges{{Start: image.Addr(e.addr), Size: uint64(e.data.Size())}}
	for _, k := range r.t.Kept {
		if in := whole.Intersect(image.Range{Start: image.Addr(k.Addr), Size: k.Size}); len(in) > 0 && k.Why == resettable.Own {
			return refusef(r.a.img, e.g.label, "[0x%x, 0x%x) is where a resettable program keeps the registers of its first start", k.Addr, k.Addr+k.Size)
		}
	}
	restored := r.list(e, whole, r.t.Each, &r.each)
	if r.t.Flags&resettable.Deflated == 0 { // the writable segments have all their bytes
		r.out = append(r.out, e)
		return nil
	}
	persistent := r.list(e, r.persistent(whole.Minus(restored...)), r.t.Once, &r.once)
	for _, x := range restored { // the template of thread-local variables
		if n := r.a.mem.stored(uint64(x.Start), x.Size); n > 0 {
			part := saved(e, uint64(x.Start), n, uint64(x.Start))
			part.via = "in place"
			r.out = append(r.out, part)
		}
	}
	for _, x := range whole.Minus(restored...).Minus(persistent...) {
		part := saved(e, uint64(x.Start), x.Size, uint64(x.Start))
		part.via = "in place"
		r.out = append(r.out, part)
	}
	return nil
}

// persistent are the parts of memory that are left alone, and which the code gives
// its value at the first start.
func (r *ownRoute) persistent(rs image.Ranges) image.Ranges {
	var out []image.Range
	for _, k := range r.t.Kept {
		if k.Why == resettable.Persistent {
			out = append(out, rs.Intersect(image.Range{Start: image.Addr(k.Addr), Size: k.Size})...)
		}
	}
	return image.Union(out...)
}

// list sends what is written to ranges to the copies of a list of rows, the last of
// which counts. It returns what the list restores; what of that has no copy and
// does not stay zero is wanted. Without a row persistent memory starts as zeros.
func (r *ownRoute) list(e *edit, rs image.Ranges, rows []resettable.Entry, wanted *[]image.Range) image.Ranges {
	left, all := rs, rs
	for _, s := range slices.Backward(rows) {
		for _, x := range left.Intersect(image.Range{Start: image.Addr(s.Dst), Size: s.SrcSize}) {
			r.out = append(r.out, saved(e, uint64(x.Start), x.Size, s.Src+uint64(x.Start)-s.Dst))
		}
		for _, x := range left.Intersect(image.Range{Start: image.Addr(s.Dst), Size: s.Size}).Minus(image.Range{Start: image.Addr(s.Dst), Size: s.SrcSize}) {
			r.want(e, x, wanted)
		}
		left = left.Minus(image.Range{Start: image.Addr(s.Dst), Size: s.Size})
	}
	if wanted == &r.once {
		for _, x := range left {
			r.want(e, x, wanted)
		}
		return all
	}
	return all.Minus(left...)
}

// want notes what of a range gets other bytes than zeros.
func (r *ownRoute) want(e *edit, x image.Range, wanted *[]image.Range) {
	part := elffile.Slice(e.data, int64(uint64(x.Start)-e.addr), int64(x.Size))
	elffile.Diff(part, elffile.Zeros(part.Size()), func(from, to int64) bool {
		*wanted = append(*wanted, image.Range{Start: x.Start + image.Addr(from), Size: uint64(to - from)})
		return true
	})
}

// bridge is the longest distance of two pieces that become one row, whose bytes
// cost less than another row.
const bridge = 64

// addRows gives copies to memory that is to have one.
func (r *ownRoute) addRows(asked []*edit) error {
	free := r.t.Free(r.a.img.Format)
	if n := r.fit(free); n > free {
		return refusef(r.a.img, "", "%d places in memory that was zero are to have a value, and the table of what a reset restores has %d rows free: say --spare when the program is made resettable, or patch it before", n, free)
	}
	ew := &r.a.img.Progs[r.t.Prog]
	load, err := r.a.mem.load(ew.Vaddr, ew.Filesz)
	if err != nil {
		return refusef(r.a.img, "", "the table of what a reset restores: %v", err)
	}
	p := &r.a.img.Progs[load]
	at := r.copyAt(ew.Vaddr+ew.Filesz, p.Vaddr+p.Filesz)
	for _, l := range []struct {
		pieces image.Ranges
		rows   *[]resettable.Entry
	}{{r.once, &r.t.Once}, {r.each, &r.t.Each}} {
		for _, x := range l.pieces {
			b, err := r.content(*l.rows, x, asked)
			if err != nil {
				return err
			}
			at += (uint64(x.Start) - at) & (resettable.CopyAlign - 1)
			*l.rows = append(*l.rows, resettable.Entry{Dst: uint64(x.Start), Size: x.Size, Src: at, SrcSize: x.Size})
			r.a.mem.edits = append(r.a.mem.edits, &edit{g: written(asked, x), addr: at, data: elffile.Buffer(b), via: "saved copy"})
			at += x.Size
		}
	}
	rows, err := r.t.Encode(r.a.img.Format)
	if err != nil {
		return err
	}
	r.a.mem.edits = append(r.a.mem.edits, tableEdit(r.t.Addr+r.t.TableOff, rows))
	if size := at - p.Vaddr; size > p.Filesz {
		r.a.grow(load, size, size)
		r.a.mem.more[load] = max(r.a.mem.more[load], size)
	}
	return nil
}

// copyAt is where more saved bytes go: to the spare ones behind the copy, if all have
// room there, up to spare; else behind all that the PT_LOAD has, which grows.
func (r *ownRoute) copyAt(spare, end uint64) uint64 {
	need := uint64(0)
	for _, x := range slices.Concat(r.each, r.once) {
		need += x.Size + resettable.CopyAlign - 1
	}
	if at := r.t.CopyEnd(); at <= spare && need <= spare-at {
		return at
	}
	return max(end, r.t.CopyEnd())
}

// written is what was asked for in a range.
func written(asked []*edit, x image.Range) *target {
	for _, e := range asked {
		if e.addr < uint64(x.End()) && uint64(x.Start) < e.end() {
			return &target{label: e.g.label, bare: -1}
		}
	}
	return &target{label: x.String(), bare: -1}
}

// maxBridge is the longest distance at all: the bytes are in the file then.
const maxBridge = 1 << 20

// A gap is what is between two pieces that could become one.
type gap struct {
	list []image.Range
	i    int // of the piece in front
	size uint64
}

// fit makes pieces that are near into one, and as many more as rows are lacking,
// the nearest first. It returns how many are left.
func (r *ownRoute) fit(free int) int {
	r.each, r.once = image.Union(r.each...), image.Union(r.once...)
	var kept []image.Range
	for _, k := range r.t.Kept {
		kept = append(kept, image.Range{Start: image.Addr(k.Addr), Size: k.Size})
	}
	gaps := slices.Concat(gaps(r.each, destinations(r.t.Each)), gaps(r.once, image.Union(kept...)))
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(a.size, b.size) })
	n := len(r.each) + len(r.once)
	for _, g := range gaps {
		if g.size > bridge && n <= free {
			break
		}
		g.list[g.i].Size += g.size // it reaches the next one: they are joined below
		n--
	}
	r.each, r.once = image.Union(r.each...), image.Union(r.once...)
	return n
}

// gaps are those between the pieces of a list, if they are within memory that may
// be written to with them.
func gaps(list []image.Range, within image.Ranges) []gap {
	var out []gap
	for i := range max(len(list), 1) - 1 {
		x := image.Range{Start: list[i].End(), Size: uint64(list[i+1].Start - list[i].End())}
		if x.Size <= maxBridge && within.Covers(x) {
			out = append(out, gap{list, i, x.Size})
		}
	}
	return out
}

func destinations(rows []resettable.Entry) image.Ranges {
	var all []image.Range
	for _, e := range rows {
		all = append(all, image.Range{Start: image.Addr(e.Dst), Size: e.Size})
	}
	return image.Union(all...)
}

// content is what memory is to have after a reset: what the rows that are there
// make of it, and what was asked for.
func (r *ownRoute) content(rows []resettable.Entry, x image.Range, asked []*edit) ([]byte, error) {
	b := make([]byte, x.Size)
	for _, e := range rows {
		in := x.Intersect(image.Range{Start: image.Addr(e.Dst), Size: e.Size})
		if in.Empty() {
			continue
		}
		clear(b[in.Start-x.Start : in.End()-x.Start])
		if from := in.Intersect(image.Range{Start: image.Addr(e.Dst), Size: e.SrcSize}); !from.Empty() {
			have, err := r.a.mem.read(e.Src+uint64(from.Start)-e.Dst, from.Size)
			if err != nil {
				return nil, refusef(r.a.img, "", "the saved copy of [0x%x, 0x%x): %v", e.Dst, e.Dst+e.SrcSize, err)
			}
			copy(b[from.Start-x.Start:], have)
		}
	}
	for _, e := range asked {
		from, to := max(uint64(x.Start), e.addr), min(uint64(x.End()), e.end())
		if from < to {
			if n, err := e.data.ReadAt(b[from-uint64(x.Start):to-uint64(x.Start)], int64(from-e.addr)); n < int(to-from) {
				return nil, err
			}
		}
	}
	return b, nil
}
