package phdr

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/machine/all"
	"elfwright/plan"
)

// prove encodes the draft, reads it again, and compares it with the file as it
// was. A difference that is not on the list of what was meant to change is a
// mistake of ours, and nothing is given out then.
func (d *draft) prove() (*elffile.Body, *Proof, error) {
	body := d.Encode()
	now, err := elffile.ParseBody(d.Name, body)
	if err != nil {
		return nil, nil, d.unproved(err)
	}
	proof := &Proof{Checks: []string{}}
	for _, check := range []func(*elffile.File, *Proof) error{
		d.proveMemory, d.proveImage, d.proveMoves, d.proveDynamic, d.proveSections, d.proveOverlay, d.proveRules,
	} {
		if err := check(now, proof); err != nil {
			return nil, nil, err
		}
	}
	return body, proof, nil
}

// unproved says that the result is not what it should be.
func (d *draft) unproved(err error) error {
	return fmt.Errorf("%s: nothing is written, because the result would not be right: %w", d.Name, err)
}

// proveMemory compares the segments, and what Linux would map of both files, with
// the smallest and the largest page of the machine.
func (d *draft) proveMemory(now *elffile.File, proof *Proof) error {
	before, after := image.FromFile(d.old), image.FromFile(now)
	for i := range before.Segments {
		proof.Bytes += before.Segments[i].Memsz
	}
	proof.Changed = image.Union(d.meant...).Size()
	proof.Mappings = len(before.Segments)
	if err := d.compareSegments(before, after); err != nil || d.bare != nil {
		return err
	}
	sizes := []uint64{d.page}
	if m := all.Lookup(d.Header.Machine, d.Class); m != nil && m.PageSize < d.page {
		sizes = append(sizes, m.PageSize)
	}
	for _, page := range sizes {
		was, err := plan.Map(before, plan.Options{PageSize: page})
		if err != nil {
			continue // a file that is not made for pages of this size
		}
		if err := d.compare(before, was, after, page); err != nil {
			return err
		}
		proof.Mappings = len(was.Mappings)
	}
	return nil
}

// compareSegments looks for each old segment's bytes and memory in the new ones.
func (d *draft) compareSegments(before, after *image.Image) error {
	meant, given := image.Union(d.meant...), image.Union(d.given...)
	for i := range before.Segments {
		b := &before.Segments[i]
		for _, r := range (image.Ranges{b.Range()}).Minus(given...) {
			if err := compareRange(b, r, after, meant); err != nil {
				return d.unproved(fmt.Errorf("program header %d: %w", b.Index, err))
			}
		}
	}
	return nil
}

// compareRange looks for a range of an old segment in the new ones.
func compareRange(b *image.Segment, r image.Range, after *image.Image, meant image.Ranges) error {
	a := after.SegmentAt(r.Start)
	if a == nil || !a.Range().Covers(r) || a.Flags != b.Flags {
		return fmt.Errorf("the memory at %v is not what it was", r)
	}
	was, is := int64(r.Start-b.Vaddr), int64(r.Start-a.Vaddr)
	n := min(int64(r.Size), b.Data.Size()-was)
	switch {
	case n <= 0: // zeros
		return nil
	case is+n > a.Data.Size():
		return errors.New("bytes are missing")
	}
	return differ(r.Start, elffile.Slice(b.Data, was, n), elffile.Slice(a.Data, is, n), meant)
}

// differ compares bytes at an address apart from those that are meant to differ.
func differ(vaddr image.Addr, was, is elffile.Data, meant image.Ranges) error {
	for _, r := range (image.Ranges{{Start: vaddr, Size: uint64(was.Size())}}).Minus(meant...) {
		at, n := int64(r.Start-vaddr), int64(r.Size)
		var found error
		err := elffile.Diff(elffile.Slice(was, at, n), elffile.Slice(is, at, n), func(from, _ int64) bool {
			found = fmt.Errorf("other bytes at %v", r.Start+image.Addr(from))
			return false
		})
		if err := cmp.Or(err, found); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) compare(before *image.Image, was *plan.Plan, after *image.Image, page uint64) error {
	is, err := plan.Map(after, plan.Options{PageSize: page})
	if err != nil {
		return d.unproved(err)
	}
	lost, err := plan.Lost(before, was, is, image.Union(d.meant...))
	if err != nil {
		return err
	}
	var all []error
	given := image.Union(d.givenPages...)
	for _, l := range lost {
		if !given.Covers(l.Range) {
			all = append(all, l)
		}
	}
	if err := errors.Join(all...); err != nil {
		return d.unproved(err)
	}
	if d.given != nil {
		return nil
	}
	if was.Entry != is.Entry || was.Interp != is.Interp {
		return d.unproved(fmt.Errorf("entry %v and interpreter %q became %v and %q", was.Entry, was.Interp, is.Entry, is.Interp))
	}
	return nil
}

// proveImage looks for invariants of an image that were not broken before.
func (d *draft) proveImage(now *elffile.File, proof *Proof) error {
	old := make(map[string]int)
	for _, f := range image.FromFile(d.old).Check(corePage) {
		old[f.Rule]++
	}
	for _, f := range image.FromFile(now).Check(corePage) {
		if old[f.Rule]--; old[f.Rule] < 0 && f.Rule != "table-page" { // has a warning of its own
			return d.breaks(f)
		}
	}
	proof.Checks = append(proof.Checks, "no rule of the gABI or of Linux is broken that was not before")
	return nil
}

// breaks refuses what was asked for where that is what breaks a rule, which only
// set and rm can do.
func (d *draft) breaks(f image.Fault) error {
	if len(d.requests) == 0 {
		if d.opt.Force {
			d.warn("forced", "%v", f)
			return nil
		}
		return refusef(d.old, "%v; --force does it all the same", f)
	}
	return d.unproved(f)
}

// proveMoves compares what moved with what was there.
func (d *draft) proveMoves(now *elffile.File, _ *Proof) error {
	symtab, _ := d.dynValue(elf.DT_SYMTAB)
	for _, m := range d.moves {
		if m.Kind != "bytes" || m.FromAddr == Hex(symtab) {
			continue // proveDynamic compares symbols one by one
		}
		err := differ(image.Addr(m.FromAddr), d.old.Body.Window(int64(m.FromOff), int64(m.Size)), now.Body.Window(int64(m.ToOff), int64(m.Size)), nil)
		if err != nil {
			return d.unproved(fmt.Errorf("%s, moved: %w", m.Name, err))
		}
	}
	return nil
}

// proveDynamic compares the dynamic sections: what is a pointer to a table leads
// to the same bytes, all else is equal.
func (d *draft) proveDynamic(now *elffile.File, proof *Proof) error {
	if len(d.dyn) == 0 || d.dynErr != nil {
		return nil
	}
	is, err := now.Dynamic()
	if err != nil || len(is.Entries) != len(d.dyn) {
		return d.unproved(cmp.Or(err, fmt.Errorf("the dynamic section has %d entries, and had %d", len(is.Entries), len(d.dyn))))
	}
	for i, e := range is.Entries {
		if e.Tag != d.dyn[i].Tag || e.Val != d.dyn[i].Val && !d.repointed(d.dyn[i], e.Val) {
			return d.unproved(fmt.Errorf("dynamic entry %d was %v 0x%x and is %v 0x%x", i, d.dyn[i].Tag, d.dyn[i].Val, e.Tag, e.Val))
		}
	}
	proof.Checks = append(proof.Checks, "the dynamic section leads to the same tables")
	return d.proveDynamicSymbols(now)
}

// repointed says whether a table that an entry points to has moved to an address.
func (d *draft) repointed(e elffile.Dyn, to uint64) bool {
	for _, m := range d.moves {
		if m.Kind == "bytes" && m.FromAddr == Hex(e.Val) && m.ToAddr == Hex(to) && isDynTable(e.Tag) {
			return true
		}
	}
	return false
}

func (d *draft) proveDynamicSymbols(now *elffile.File) error {
	was, err := d.old.DynamicSymbolTable()
	if err != nil {
		return nil // it could not be read before
	}
	is, err := now.DynamicSymbolTable()
	// A hash table without names does not tell the number of symbols, and where
	// the next table in memory begins is no fact about this one.
	told := was.CountBy != "next table"
	if err != nil || told && is.Len() != was.Len() {
		return d.unproved(cmp.Or(err, fmt.Errorf("there are %d dynamic symbols, and were %d", is.Len(), was.Len())))
	}
	return d.compareSymbols(now, was, is)
}

// compareSymbols looks at the bytes first: of a large library only the section
// numbers differ.
func (d *draft) compareSymbols(now *elffile.File, was, is *elffile.SymbolTable) error {
	n, size := d.dynamicSymbolCount(was, is), d.SymSize()
	if n == 0 {
		return nil
	}
	x, err1 := d.old.Body.Bytes(uint64(was.Offset), uint64(n*size))
	y, err2 := now.Body.Bytes(uint64(is.Offset), uint64(n*size))
	if err := cmp.Or(err1, err2); err != nil {
		return d.unproved(err)
	}
	shndx := 6
	if !d.Is64() {
		shndx = 14
	}
	for i := range n {
		at := i * size
		if bytes.Equal(x[at:at+shndx], y[at:at+shndx]) && bytes.Equal(x[at+shndx+2:at+size], y[at+shndx+2:at+size]) {
			continue
		}
		a, b := was.At(i), is.At(i)
		a.Shndx, b.Shndx = 0, 0
		if a.Value != b.Value && d.movedTo(a.Value, b.Value) {
			a.Value = b.Value
		}
		if a != b {
			return d.unproved(fmt.Errorf("dynamic symbol %d (%s) was %+v and is %+v", i, was.Name(a), a, b))
		}
	}
	return nil
}

// dynamicSymbolCount is how many symbols can be compared: as many as the section
// header says, or as many as are behind both addresses.
func (d *draft) dynamicSymbolCount(was, is *elffile.SymbolTable) int {
	n := min(was.Len(), is.Len())
	for i := range d.secs {
		if s := &d.secs[i]; s.Type == elf.SHT_DYNSYM && s.orig.Addr == was.Addr {
			n = min(n, int(s.Size)/d.SymSize())
		}
	}
	return n
}

func (d *draft) movedTo(from, to uint64) bool {
	for _, m := range d.moves {
		if m.Kind == "symbol" && m.FromAddr == Hex(from) && m.ToAddr == Hex(to) {
			return true
		}
	}
	return false
}

// proveSections compares sections that hold no section numbers.
func (d *draft) proveSections(now *elffile.File, _ *Proof) error {
	table, meant := now.Sections(), image.Union(d.meant...)
	if err := now.SectionErr(); err != nil {
		return d.unproved(err)
	}
	for i := range d.secs {
		s := &d.secs[i]
		if s.was <= 0 || !s.orig.HasBytes() || d.rewritten(s) || s.isGap() {
			continue
		}
		if i >= len(table) || !s.longer && table[i].Size != s.orig.Size || table[i].Size < s.orig.Size || now.SectionName(i) != s.name {
			return d.unproved(fmt.Errorf("section %s is not there", s.name))
		}
		var except image.Ranges
		if s.Has(elf.SHF_ALLOC) {
			except = meant
		}
		err := differ(image.Addr(s.Addr), d.old.Body.Window(int64(s.orig.Off), int64(s.orig.Size)), now.Body.Window(int64(table[i].Off), int64(s.orig.Size)), except)
		if err != nil {
			return d.unproved(fmt.Errorf("section %s: %w", s.name, err))
		}
	}
	return nil
}

// proveOverlay compares the bytes at the end that no header names.
func (d *draft) proveOverlay(now *elffile.File, _ *Proof) error {
	if d.overlay < 0 {
		return nil
	}
	n := d.old.Body.Size() - d.overlayWas
	if err := differ(0, d.old.Body.Window(d.overlayWas, n), now.Body.Window(d.overlay, n), nil); err != nil {
		return d.unproved(fmt.Errorf("the overlay: %w", err))
	}
	return nil
}

// rewritten says whether a section's bytes hold section numbers or names of
// sections, and so may be new.
func (d *draft) rewritten(s *section) bool {
	switch s.Type {
	case elf.SHT_SYMTAB, elf.SHT_DYNSYM, elf.SHT_SYMTAB_SHNDX, elf.SHT_GROUP:
		return true
	}
	return s.was == int(d.old.Shstrndx())
}
