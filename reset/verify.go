package reset

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/phdr"
	"elfwright/reset/table"
)

// A Check is what Verify has found out.
type Check struct {
	Version  int            `json:"version"`
	File     string         `json:"file"`
	Against  string         `json:"against,omitempty"` // the program that the memory was compared with
	Table    string         `json:"table"`             // "elfwright", "sel4-reset"
	Restored uint64         `json:"restored"`          // bytes of writable memory that are as at first
	Kept     uint64         `json:"kept"`              // that are left as they are
	Warnings []phdr.Warning `json:"warnings"`
}

// Verify does on paper what the code of a resettable program does: it expands the
// segments, changes every writable byte, applies the table, and compares with
// the memory as it was at first. Persistent memory must not change. With a program
// as it was before, memory is compared with that of this one.
//
// Nothing is run, and no memory is expanded: it is made of windows on the file.
func Verify(f, was *elffile.File) (*Check, error) {
	t, err := table.Find(f)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refusef(f, "it is not resettable: there is no program header of type PT_EW_RESET or PT_SEL4_RESET_REGIONS")
	}
	c := &Check{Version: ReportVersion, File: f.Name, Table: "elfwright", Warnings: []phdr.Warning{}}
	if t.Sel4 {
		c.Table = "sel4-reset"
	}
	if err := copies(f, t); err != nil {
		return nil, err
	}
	orig := was
	if orig == nil {
		orig = f
	} else {
		c.Against = was.Name
		if err := sameEntry(f, was, t); err != nil {
			return nil, err
		}
	}
	moved, err := repointings(f, orig)
	if err != nil {
		return nil, err
	}
	for i := range orig.Progs {
		p := &orig.Progs[i]
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W == 0 || p.Memsz == 0 {
			continue
		}
		if err := overlaps(orig, i); err != nil {
			return nil, err
		}
		if err := c.segment(f, orig, t, moved, image.Range{Start: image.Addr(p.Vaddr), Size: p.Memsz}); err != nil {
			return nil, err
		}
	}
	if err := sameCode(f, orig, t); err != nil {
		return nil, err
	}
	if err := writable(f, t); err != nil {
		return nil, err
	}
	return c, nil
}

// sameEntry checks where the program goes on after a reset.
func sameEntry(f, was *elffile.File, t *table.Table) error {
	if !t.Sel4 && t.Entry != was.Header.Entry {
		return refusef(f, "after a reset it would go on at 0x%x; %s starts at 0x%x", t.Entry, was.Name, was.Header.Entry)
	}
	return nil
}

// copies checks that what is copied is in the file and that no run of the
// program can change it.
func copies(f *elffile.File, t *table.Table) error {
	for _, list := range [][]table.Entry{t.Once, t.Each} {
		for _, e := range list {
			if e.SrcSize == 0 {
				continue
			}
			i := loadWith(f, e.Src)
			if i < 0 {
				return refusef(f, "the copy of 0x%x, 0x%x bytes at 0x%x, is in no PT_LOAD", e.Dst, e.SrcSize, e.Src)
			}
			p := &f.Progs[i]
			if at := e.Src - p.Vaddr; at > p.Filesz || e.SrcSize > p.Filesz-at {
				return refusef(f, "the copy of 0x%x, 0x%x bytes at 0x%x, is not all in the file: program header %d has 0x%x bytes from 0x%x on", e.Dst, e.SrcSize, e.Src, i, p.Filesz, p.Vaddr)
			}
			if p.Flags&elf.PF_W != 0 {
				return refusef(f, "the copy of 0x%x, 0x%x bytes at 0x%x, is in writable memory (program header %d): the program can change it", e.Dst, e.SrcSize, e.Src, i)
			}
			if end, ok := p.End(); !ok || end > uint64(f.Body.Size()) {
				return f.ProgError(i, "p_offset", "0x%x + p_filesz 0x%x is past the end of the file (0x%x)", p.Off, p.Filesz, f.Body.Size())
			}
		}
	}
	return nil
}

// writable checks that the code writes to nothing but writable memory.
func writable(f *elffile.File, t *table.Table) error {
	var all []image.Range
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && (p.Flags&elf.PF_W != 0 || t.Flags&table.Hooked != 0) {
			all = append(all, image.Range{Start: image.Addr(p.Vaddr), Size: p.Memsz})
		}
	}
	for _, k := range t.Kept {
		if k.Why == table.Cleared {
			all = append(all, image.Range{Start: image.Addr(k.Addr), Size: k.Size})
		}
	}
	writable := image.Union(all...)
	for _, list := range [][]table.Entry{t.Once, t.Each} {
		for _, e := range list {
			if !writable.Covers(image.Range{Start: image.Addr(e.Dst), Size: e.Size}) {
				return refusef(f, "the table restores [0x%x, 0x%x), which is not all in writable memory, %v", e.Dst, e.Dst+e.Size, writable)
			}
		}
	}
	return nil
}

// sameCode checks that what the table puts where the jump of a hook was is what the
// program had there.
func sameCode(f, was *elffile.File, t *table.Table) error {
	for _, e := range t.Once {
		i := loadWith(f, e.Dst)
		if t.Flags&table.Hooked == 0 || f == was || i < 0 || f.Progs[i].Flags&elf.PF_W != 0 {
			continue
		}
		a := initial(f, image.Range{Start: image.Addr(e.Src), Size: e.SrcSize})
		b := initial(was, image.Range{Start: image.Addr(e.Dst), Size: e.SrcSize})
		if at, differs, err := firstDifference(a, b, image.Addr(e.Dst)); err != nil || differs {
			return (*Check)(nil).wrong(f, at, "which has a jump for the first start", err)
		}
	}
	return nil
}

// segment checks one writable segment.
func (c *Check) segment(f, orig *elffile.File, t *table.Table, moved []repointing, r image.Range) error {
	want := withHeaders(f, r, repointed(f, moved, r, initial(orig, r)))
	first := elffile.NewBody(initial(f, r))
	first.Truncate(int64(r.Size))
	if t.Flags&table.Fresh == 0 && (len(t.Once) > 0 || t.Flags&(table.Deflated|table.Hooked) != 0) { // it always starts by the code
		apply(f, t.Once, r, first)
		apply(f, t.Each, r, first)
	}
	if t.Flags&table.Deflated == 0 || orig != f {
		if at, differs, err := firstDifference(want, first.Window(0, int64(r.Size)), r.Start); err != nil || differs {
			return c.wrong(f, at, "at the first start", err)
		}
	} else {
		want = first.Window(0, int64(r.Size))
	}
	kept := keptIn(t, r)
	left := image.Ranges{r}.Minus(kept...)
	c.Kept += r.Size - left.Size()
	c.Restored += left.Size()
	return c.afterReset(f, t, r, want, left, kept)
}

// afterReset checks a segment of which every byte was changed. What no row of the
// table writes to is then not what it was, and of what is to be left alone none is
// written to; so there is no need to spell the changed bytes out.
func (c *Check) afterReset(f *elffile.File, t *table.Table, r image.Range, want elffile.Data, left, kept image.Ranges) error {
	written := destinations(t.Each)
	for _, x := range left.Minus(written...) {
		return c.wrong(f, x.Start, "after a reset", nil)
	}
	for _, x := range kept {
		for _, y := range written.Intersect(x) {
			return c.wrong(f, y.Start, "which is to be left alone, after a reset", nil)
		}
	}
	restored := &elffile.Body{}
	restored.Truncate(int64(r.Size))
	apply(f, t.Each, r, restored)
	for _, x := range left {
		a, n := int64(x.Start-r.Start), int64(x.Size)
		at, differs, err := firstDifference(elffile.Slice(want, a, n), restored.Window(a, n), x.Start)
		if err != nil || differs {
			return c.wrong(f, at, "after a reset", err)
		}
	}
	return nil
}

// destinations is what rows write to.
func destinations(rows []table.Entry) image.Ranges {
	all := make([]image.Range, len(rows))
	for i, e := range rows {
		all[i] = image.Range{Start: image.Addr(e.Dst), Size: e.Size}
	}
	return image.Union(all...)
}

func (c *Check) wrong(f *elffile.File, at image.Addr, when string, err error) error {
	if err != nil {
		return err
	}
	return refusef(f, "memory at 0x%x, %s, is not what it was before", uint64(at), when)
}

// keptIn are the parts of a segment that are left alone. sel4-reset does not
// write them down: there it is what the table does not have.
func keptIn(t *table.Table, r image.Range) image.Ranges {
	var rs []image.Range
	if t.Sel4 {
		for _, e := range t.Each {
			rs = append(rs, image.Range{Start: image.Addr(e.Dst), Size: e.Size})
		}
		return image.Ranges{r}.Minus(image.Union(rs...)...)
	}
	for _, k := range t.Kept {
		if x := (image.Range{Start: image.Addr(k.Addr), Size: k.Size}).Intersect(r); !x.Empty() {
			rs = append(rs, x)
		}
	}
	return image.Union(rs...)
}

// apply does what the code does, to the memory of a range.
func apply(f *elffile.File, list []table.Entry, r image.Range, mem *elffile.Body) {
	for _, e := range list {
		in := r.Intersect(image.Range{Start: image.Addr(e.Dst), Size: e.Size})
		if in.Empty() {
			continue
		}
		mem.Clear(int64(in.Start-r.Start), int64(in.Size))
		from := r.Intersect(image.Range{Start: image.Addr(e.Dst), Size: e.SrcSize})
		if from.Empty() {
			continue
		}
		src := initial(f, image.Range{Start: image.Addr(e.Src) + from.Start - image.Addr(e.Dst), Size: from.Size})
		elffile.Extents(src, func(pos int64, d elffile.Data) bool {
			if _, zeros := d.(elffile.Zeros); !zeros {
				mem.Put(int64(from.Start-r.Start)+pos, d)
			}
			return true
		})
	}
}

// firstDifference compares two windows on memory.
func firstDifference(a, b elffile.Data, start image.Addr) (image.Addr, bool, error) {
	var at image.Addr
	differs := false
	err := elffile.Diff(a, b, func(from, _ int64) bool {
		at, differs = start+image.Addr(from), true
		return false
	})
	if err != nil {
		return 0, false, fmt.Errorf("compare memory at 0x%x: %w", uint64(start), err)
	}
	return at, differs, nil
}
