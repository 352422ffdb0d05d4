package phdr

import (
	"debug/elf"
	"errors"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/machine/all"
	"elfwright/plan"
)

// corePage is how much of a file's first mapping a core dump keeps (Linux,
// vma_dump_size, ELF headers), and thus where the build-id must be to be found
// in one. Pages are larger on some machines; readers count on 4096.
const corePage = 4096

// A draft is a file while it is changed: a copy of its headers over a rope of
// its bytes, and what was done to them.
type draft struct {
	*elffile.File
	old  *elffile.File // the file as it was
	bare error         // why Linux does not start it, if it does not: firmware, a kernel
	opt  Options
	page uint64 // what a new PT_LOAD is aligned to

	secs       []section // the section headers; empty: there are none
	broken     error     // why they were dropped
	names      uint32    // e_shstrndx, as an index in old
	dirty      bool      // sections were added or moved: the table is written anew
	freed      bool      // the place of the old table is free
	images     []uint64  // offsets of ELF headers that lead to the table, other than the first
	overlay    int64     // where bytes that no header names begin at the end of the file; -1: none
	overlayWas int64     // the same in old
	dyn        []elffile.Dyn
	dynErr     error // the dynamic section cannot be trusted
	facts      *facts
	requests   []*request
	home       *segment      // for what is evicted, and for bytes of headers that are no PT_LOAD
	segments   []*segment    // PT_LOADs to be made, in the order of their addresses
	meant      []image.Range // memory that is meant to have other bytes
	given      []image.Range // memory that is meant to be gone, or to have another protection
	givenPages []image.Range // the pages of that
	moves      []Move
	warnings   []Warning
	costs      []string
}

// A section is a section header on its way through an edit.
type section struct {
	elffile.Section
	name string
	was  int             // its index in the old table; -1: it is new
	orig elffile.Section // as it was

	renamed bool // name is not what the old table has
	cut     bool // a part of it is another section now, see split
	longer  bool // bytes were added at its end
}

// newDraft copies the headers of a file.
func newDraft(f *elffile.File, opt Options) (*draft, error) {
	c := *f
	c.Body, c.Progs = f.Body.Clone(), slices.Clone(f.Progs)
	d := &draft{File: &c, old: f, opt: opt, overlay: -1, facts: new(facts)}
	page, err := PageSize(f, opt)
	if err != nil {
		return nil, err
	}
	d.page = page
	for i := range d.Progs {
		if d.Progs[i].Type == elf.PT_NULL { // its other fields mean nothing (gABI)
			d.Progs[i] = elffile.Prog{}
		}
	}
	if _, err := plan.Map(image.FromFile(f), plan.Options{}); err != nil {
		d.bare = err
		d.warn("not-linux", "Linux would not start this file, so what its loader needs is not checked: %v", err)
	}
	d.readSections()
	d.findImages()
	dynamic, err := f.Dynamic()
	if dynamic.Prog >= 0 { // nobody reads it by its section header
		d.dyn, d.dynErr = dynamic.Entries, err
	}
	return d, nil
}

// PageSize is the largest page that the file is made for: that of its machine,
// or less where its own PT_LOADs could not be mapped with so large a page.
func PageSize(f *elffile.File, opt Options) (uint64, error) {
	if p := opt.PageSize; p != 0 {
		if p&(p-1) != 0 || p < corePage {
			return 0, fmt.Errorf("%s: page size 0x%x is not a power of two from 4096 on", f.Name, p)
		}
		return p, nil
	}
	m := all.Lookup(f.Header.Machine, f.Class)
	if m == nil {
		return 0, refusef(f, "the page size of machine %s is not known here: say it with --page-size", elffile.MachineName(f.Header.Machine))
	}
	page := m.PageSize
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Align&(p.Align-1) == 0 {
			page = max(page, min(p.Align, m.MaxPageSize))
		}
	}
	return page, nil
}

// readSections takes the section headers over. A table that is broken is as good
// as none: Linux does not read it, and other tools cannot.
func (d *draft) readSections() {
	table := d.old.Sections()
	if d.broken = d.checkSections(); d.broken != nil {
		d.warn("section-headers-dropped", "the section headers are broken and are left out of the result: %v", d.broken)
		d.Header.Shoff, d.Header.Shnum, d.Header.Shstrndx = 0, 0, 0
		d.SetSections(nil)
		return
	}
	d.names = d.old.Shstrndx()
	if int64(d.names) >= int64(len(table)) {
		d.names = 0
	}
	for i, s := range table {
		d.secs = append(d.secs, section{Section: s, name: d.old.SectionName(i), was: i, orig: s})
	}
}

// checkSections returns what makes a section header table useless.
func (d *draft) checkSections() error {
	if err := d.old.SectionErr(); err != nil {
		return err
	}
	table := d.old.Sections()
	if len(table) > 0 && int(d.old.Header.Shentsize) != d.ShdrSize() {
		return d.old.HeaderError("e_shentsize", "%d is not the size of a section header (%d)", d.old.Header.Shentsize, d.ShdrSize())
	}
	size := uint64(d.old.Body.Size())
	for i := range table {
		if s := &table[i]; s.HasBytes() && (s.Off > size || s.Size > size-s.Off) {
			return d.old.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, size)
		}
	}
	return nil
}

func (d *draft) warn(code, format string, args ...any) {
	d.warnings = append(d.warnings, Warning{code, fmt.Sprintf(format, args...)})
}

func (d *draft) cost(format string, args ...any) {
	d.costs = append(d.costs, fmt.Sprintf(format, args...))
}

// changes notes memory that is meant to differ from what it was.
func (d *draft) changes(vaddr, size uint64) {
	if size > 0 {
		d.meant = append(d.meant, image.Range{Start: image.Addr(vaddr), Size: size})
	}
}

// gives notes memory that the program is meant to lose.
func (d *draft) gives(vaddr, size uint64) {
	if size > 0 {
		d.given = append(d.given, image.Range{Start: image.Addr(vaddr), Size: size})
		d.givenPages = append(d.givenPages, d.pages(vaddr, size))
	}
	d.changes(vaddr, size)
}

// changesFile is changes for file bytes, as far as they are loaded.
func (d *draft) changesFile(off, size uint64) {
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		from, to := max(off, p.Off), min(off+size, p.Off+p.Filesz)
		if from < to {
			d.changes(p.Vaddr+(from-p.Off), to-from)
		}
	}
}

// changesHeads notes that the table, and the ELF header's fields that lead to it
// and to the sections, are meant to differ.
func (d *draft) changesHeads() {
	n := max(len(d.Progs), len(d.old.Progs))
	d.changesFile(d.Header.Phoff, uint64(n*d.PhdrSize()))
	word := uint64(d.AddrSize())
	d.changesFile(24+word, 2*word)           // e_phoff, e_shoff
	d.changesFile(uint64(d.EhdrSize())-8, 8) // e_phnum, e_shentsize, e_shnum, e_shstrndx
}

// window returns bytes of the draft as they are now: what is done to the draft
// later does not change them.
func (d *draft) window(off, n uint64) elffile.Data { return d.Body.Window(int64(off), int64(n)) }

// progIndex returns the first program header of a type, or -1.
func progIndex(progs []elffile.Prog, t elf.ProgType) int {
	return slices.IndexFunc(progs, func(p elffile.Prog) bool { return p.Type == t })
}

// tableLoad returns the PT_LOAD whose file bytes have the program header table,
// or -1.
func (d *draft) tableLoad() int {
	end := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
	return slices.IndexFunc(d.Progs, func(p elffile.Prog) bool {
		return p.Type == elf.PT_LOAD && p.Off <= d.Header.Phoff && end <= p.Off+p.Filesz
	})
}

// loadAt returns the PT_LOAD whose memory has all of r, or -1.
func (d *draft) loadAt(r image.Range) int {
	return slices.IndexFunc(d.Progs, func(p elffile.Prog) bool {
		return p.Type == elf.PT_LOAD && (image.Range{Start: image.Addr(p.Vaddr), Size: p.Memsz}).Covers(r)
	})
}

// firstLoad and topLoad return the PT_LOAD that is first in the table, and the
// one with the highest end in memory; -1 if there is none.
func (d *draft) firstLoad() int { return progIndex(d.Progs, elf.PT_LOAD) }

func (d *draft) topLoad() int {
	top := -1
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Type == elf.PT_LOAD && (top < 0 || p.Vaddr+p.Memsz > d.Progs[top].Vaddr+d.Progs[top].Memsz) {
			top = i
		}
	}
	return top
}

// shift opens a hole of n bytes in the file; what names bytes from there on
// follows them.
func (d *draft) shift(at, n uint64) {
	if n == 0 {
		return
	}
	d.Body.Insert(int64(at), int64(n))
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Off >= at && (p.Filesz > 0 || at == 0 && p.Off > 0) {
			p.Off += n
		}
	}
	for i := range d.secs {
		s := &d.secs[i]
		if s.Off < at || s.Type == elf.SHT_NULL {
			continue
		}
		// What has no bytes stays beside its neighbours in memory.
		if s.HasBytes() || !s.Has(elf.SHF_ALLOC) || at == 0 {
			s.Off += n
		}
	}
	if d.Header.Phoff >= at {
		d.Header.Phoff += n
	}
	if d.Header.Shoff >= at && d.Header.Shoff != 0 {
		d.Header.Shoff += n
	}
	if d.overlay >= int64(at) {
		d.overlay += int64(n)
	}
	for i := range d.images {
		if d.images[i] >= at {
			d.images[i] += n
		}
	}
}

// errNotHere is the base of reasons for which a technique does not apply.
type notHere struct{ reason string }

func (e notHere) Error() string { return e.reason }

func notHeref(format string, args ...any) error { return notHere{fmt.Sprintf(format, args...)} }

// reasonOf returns the reason for which a technique does not apply, if that is
// what err says.
func reasonOf(err error) (string, bool) {
	n, ok := errors.AsType[notHere](err)
	return n.reason, ok
}
