package flat

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// A piece is bytes and the address they go to.
type piece struct {
	kind  string // "section", "segment", "fill"
	index int    // of its header
	name  string // of a section
	at    uint64
	off   uint64 // in the file
	data  elffile.Data
}

func (p *piece) size() uint64 { return uint64(p.data.Size()) }

// last is the address of the last byte.
func (p *piece) last() uint64 { return p.at + p.size() - 1 }

// String names the piece in a message: "section 3 (.text) [0x1000, 0x1200)".
func (p *piece) String() string {
	what := p.kind
	switch p.kind {
	case "segment":
		what = fmt.Sprintf("program header %d", p.index)
	case "section":
		what = fmt.Sprintf("section %d (%s)", p.index, p.name)
	}
	return fmt.Sprintf("%s [0x%x, 0x%x)", what, p.at, p.at+p.size())
}

// cut returns the part of the piece in [from, to), and whether there is one.
func (p piece) cut(from, to uint64) (piece, bool) {
	a, b := max(from, p.at), min(to, p.last()+1)
	if p.last() == 1<<64-1 { // its end has no number
		b = to
	}
	if p.size() == 0 || a >= b {
		return p, false
	}
	p.data = elffile.Slice(p.data, int64(a-p.at), int64(b-a))
	p.off += a - p.at
	p.at = a
	return p, true
}

// collect finds the bytes that are loaded: by section if there are sections with
// bytes in memory, else by PT_LOAD.
func (fl *flattening) collect() error {
	fl.report.By = "physical"
	switch {
	case fl.opt.Virtual:
		fl.report.By = "virtual"
	case fl.unphysical():
		fl.report.By = "virtual"
		fl.report.warn("no-physical", "p_paddr is 0 in all program headers: virtual addresses are taken")
	}
	if !fl.opt.Segments && fl.usableSections() {
		fl.report.Mode = "sections"
		return fl.sections()
	}
	fl.report.Mode = "segments"
	return fl.segments()
}

// unphysical says that no program header has a physical address, though more than
// one PT_LOAD would need it; BFD takes virtual addresses then (elf.c,
// _bfd_elf_make_section_from_shdr), as some linkers write no others.
func (fl *flattening) unphysical() bool {
	loads := 0
	for i := range fl.Progs {
		p := &fl.Progs[i]
		if p.Paddr != 0 {
			return false
		}
		if p.Type == elf.PT_LOAD && p.Memsz != 0 {
			loads++
		}
	}
	return loads > 1
}

// usableSections says whether the section headers tell what is loaded.
func (fl *flattening) usableSections() bool {
	sections := fl.File.Sections()
	if err := fl.SectionErr(); err != nil {
		fl.report.warn("broken-sections", "the section headers are broken, and PT_LOADs are taken: %v", err)
		return false
	}
	for i := range sections {
		if loaded(&sections[i]) && sections[i].Size > 0 {
			return true
		}
	}
	return false
}

// loaded says whether a section has bytes that are loaded, perhaps none.
func loaded(s *elffile.Section) bool {
	return s.Has(elf.SHF_ALLOC) && s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL
}

// maxSearch bounds the search for the segments of sections, which looks at each
// pair: a hostile file has tens of thousands of both.
const maxSearch = 1 << 26

func (fl *flattening) sections() error {
	sections := fl.File.Sections()
	if n := uint64(len(sections)) * uint64(len(fl.Progs)); n > maxSearch {
		return fl.refusef("%d sections in %d program headers are too many to look for; --segments does not", len(sections), len(fl.Progs))
	}
	used := make([]bool, len(fl.Progs))
	for i := range sections {
		s := &sections[i]
		if !loaded(s) {
			continue
		}
		at, prog := fl.address(s)
		if prog >= 0 {
			used[prog] = true
		}
		if err := fl.addSection(i, at, prog); err != nil {
			return err
		}
	}
	for i := range fl.Progs {
		if p := &fl.Progs[i]; p.Type == elf.PT_LOAD && p.Filesz > 0 && !used[i] {
			fl.report.warn("uncovered", "no section is in program header %d, and its 0x%x bytes are left out; --segments takes them", i, p.Filesz)
		}
	}
	return nil
}

// addSection takes the bytes of a section.
func (fl *flattening) addSection(i int, at uint64, prog int) error {
	s := &fl.File.Sections()[i]
	size := uint64(fl.Body.Size())
	if s.Size == 0 {
		fl.marks = append(fl.marks, piece{kind: "section", index: i, name: fl.SectionName(i), at: at, off: s.Off, data: elffile.Zeros(0)})
		return nil
	}
	if s.Off > size || s.Size > size-s.Off {
		return fl.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, size)
	}
	if s.Has(elf.SHF_COMPRESSED) {
		return fl.SectionError(i, "sh_flags", "a compressed section is not loaded as it is")
	}
	if at+s.Size-1 < at {
		return fl.SectionError(i, "sh_addr", "0x%x + sh_size 0x%x is beyond the address space", at, s.Size)
	}
	if prog < 0 {
		fl.report.warn("unloaded", "section %d (%s) is in no PT_LOAD; its sh_addr is taken", i, fl.SectionName(i))
	}
	fl.pieces = append(fl.pieces, piece{"section", i, fl.SectionName(i), at, s.Off, fl.Body.Window(int64(s.Off), int64(s.Size))})
	return nil
}

// address is where a section goes, and by which program header. BFD counts from
// p_offset rather than from p_vaddr (elf.c, _bfd_elf_make_section_from_shdr):
// bytes go where the segment takes them, also where sh_addr is that of an overlay.
// A section of thread-local data goes by PT_TLS.
func (fl *flattening) address(s *elffile.Section) (at uint64, prog int) {
	at, prog = s.Addr, -1
	for i := range fl.Progs {
		p := &fl.Progs[i]
		want := elf.PT_LOAD
		if s.Has(elf.SHF_TLS) {
			want = elf.PT_TLS
		}
		if p.Type != want || !holds(p, s) {
			continue
		}
		prog = i
		if fl.report.By == "physical" {
			at = p.Paddr + (s.Off - p.Off)
		}
		break
	}
	if prog >= 0 && fl.Progs[prog].Type == elf.PT_TLS {
		prog = fl.loadOf(s, prog)
	}
	return at, prog
}

// holds says whether a section's bytes and addresses are in a segment
// (ELF_SECTION_IN_SEGMENT of binutils).
func holds(p *elffile.Prog, s *elffile.Section) bool {
	in := func(start, from, size, total uint64) bool {
		d := from - start
		return from >= start && d+size >= d && d+size <= total
	}
	return in(p.Off, s.Off, s.Size, p.Filesz) && in(p.Vaddr, s.Addr, s.Size, p.Memsz)
}

// loadOf is the PT_LOAD that has a section of thread-local data, or otherwise.
func (fl *flattening) loadOf(s *elffile.Section, otherwise int) int {
	for i := range fl.Progs {
		if p := &fl.Progs[i]; p.Type == elf.PT_LOAD && holds(p, s) {
			return i
		}
	}
	return otherwise
}

// segments takes the file bytes of the PT_LOADs.
func (fl *flattening) segments() error {
	for i := range fl.Progs {
		p := &fl.Progs[i]
		if p.Type != elf.PT_LOAD || p.Filesz == 0 {
			continue
		}
		size := uint64(fl.Body.Size())
		if end, ok := p.End(); !ok || end > size {
			return fl.ProgError(i, "p_offset", "0x%x + p_filesz 0x%x is past the end of the file (0x%x)", p.Off, p.Filesz, size)
		}
		at, field := p.Paddr, "p_paddr"
		if fl.report.By == "virtual" {
			at, field = p.Vaddr, "p_vaddr"
		}
		if at+p.Filesz-1 < at || at+p.Filesz-1 > fl.MaxAddr() {
			return fl.ProgError(i, field, "0x%x + p_filesz 0x%x is beyond the address space", at, p.Filesz)
		}
		fl.pieces = append(fl.pieces, piece{"segment", i, "", at, p.Off, fl.Body.Window(int64(p.Off), int64(p.Filesz))})
	}
	return nil
}

// selectOnly keeps what was asked for.
func (fl *flattening) selectOnly() error {
	if len(fl.opt.Only) == 0 {
		return nil
	}
	var kept []piece
	for _, word := range fl.opt.Only {
		list, err := fl.selected(word)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fl.refusef("--only %s: no loaded bytes are there", word)
		}
		kept = append(kept, list...)
	}
	fl.pieces, fl.marks = distinct(kept), nil
	return nil
}

// selected are the pieces that a word of Only names.
func (fl *flattening) selected(word string) ([]piece, error) {
	if from, to, ok := strings.Cut(word, ".."); ok && from != "" {
		a, err1 := strconv.ParseUint(from, 0, 64)
		b, err2 := strconv.ParseUint(to, 0, 64)
		if err1 != nil || err2 != nil || b <= a {
			return nil, fmt.Errorf("--only %s: want START..END, two addresses, the second one not included", word)
		}
		var list []piece
		for _, p := range fl.pieces {
			if part, ok := p.cut(a, b); ok {
				list = append(list, part)
			}
		}
		return list, nil
	}
	index, err := strconv.Atoi(word)
	byName := err != nil
	table := len(fl.Progs)
	if fl.report.Mode == "sections" {
		table = len(fl.File.Sections())
	} else if byName {
		return nil, fl.refusef("--only %s: sections are not looked at here; name a program header by its index", word)
	}
	if !byName && (index < 0 || index >= table) {
		return nil, fmt.Errorf("%s: --only %s: there are %d %s", fl.Name, word, table, fl.report.Mode)
	}
	var list []piece
	for _, p := range fl.pieces {
		if byName && p.name == word || !byName && p.index == index {
			list = append(list, p)
		}
	}
	return list, nil
}

// distinct drops pieces that were named twice.
func distinct(list []piece) []piece {
	type key struct {
		index    int
		at, size uint64
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(list, func(p piece) bool {
		k := key{p.index, p.at, p.size()}
		was := seen[k]
		seen[k] = true
		return was
	})
}

// order sorts the pieces by address.
func (fl *flattening) order() error {
	if len(fl.pieces) == 0 {
		return fl.refusef("there are no bytes to write: no section or PT_LOAD has any")
	}
	slices.SortStableFunc(fl.pieces, func(a, b piece) int { return cmp.Compare(a.at, b.at) })
	var total uint64
	for i := range fl.pieces {
		if total += fl.pieces[i].size(); total > fl.opt.MaxSpan { // no single one has more than the file
			return fl.refusef("the bytes are more than 0x%x, of a file of 0x%x; --max-span allows more", fl.opt.MaxSpan, fl.Body.Size())
		}
	}
	return nil
}
