package show

import (
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// codeRange is a piece of a file to disassemble: a half-open range of addresses
// in a section, which in a relocatable file count from the section's start.
type codeRange struct {
	name       string // what was asked for
	section    int    // or -1 where the section headers do not tell
	start, end uint64
	thumb      bool // Arm: the symbol says so by its lowest bit
	b          []byte
}

// parseRange reads START..END or SECTION:START..END. Numbers are as in Go: 0x in
// front for hexadecimal. ok is false for what is no range but a name.
func parseRange(s string) (section string, start, end uint64, ok bool, err error) {
	from, to, found := strings.Cut(s, "..")
	if !found {
		return "", 0, 0, false, nil
	}
	if i := strings.LastIndexByte(from, ':'); i >= 0 {
		section, from = from[:i], from[i+1:]
	}
	start, serr := strconv.ParseUint(from, 0, 64)
	end, eerr := strconv.ParseUint(to, 0, 64)
	if serr != nil || eerr != nil {
		// C++ has names with two dots (a parameter pack); addresses begin with
		// a digit.
		if from == "" || from[0] < '0' || from[0] > '9' {
			return "", 0, 0, false, nil
		}
		return "", 0, 0, true, fmt.Errorf("%q is not START..END with two addresses", s)
	}
	if end <= start {
		return "", 0, 0, true, fmt.Errorf("%q: the end 0x%x is not above the start 0x%x", s, end, start)
	}
	return section, start, end, true, nil
}

// showDisassembly prints the instructions of symbols and ranges.
func showDisassembly(p *printer) {
	dec, err := newInsnDecoder(p.f)
	if err != nil {
		p.warnf("disassembly", "", -1, "%v", err)
		return
	}
	types := p.relocTypes()
	d := &disassembler{p: p, decoder: dec, symbols: newCodeSymbols(p, types), types: types}
	for _, what := range p.opt.Disassemble {
		ranges, err := d.find(what)
		if err != nil {
			p.warnf("disassembly", "", -1, "%v", err)
		}
		for i := range ranges {
			d.show(&ranges[i])
		}
	}
}

// disassembler is what the ranges of one file share.
type disassembler struct {
	p       *printer
	decoder *insnDecoder
	symbols *codeSymbols
	types   *relocTypes
}

// find gives the ranges that an argument means: several where several symbols
// have the name.
func (d *disassembler) find(what string) ([]codeRange, error) {
	section, start, end, ok, err := parseRange(what)
	if err != nil {
		return nil, err
	}
	if ok {
		return d.findRange(what, section, start, end)
	}
	list, err := d.findSymbol(what)
	if len(list) > 0 || err != nil {
		return list, err
	}
	if list = d.findPLT(what); len(list) > 0 {
		return list, nil
	}
	if list = d.findSection(what); len(list) > 0 {
		return list, nil
	}
	return nil, fmt.Errorf("there is no symbol %q, and no section with bytes of this name", what)
}

// findRange turns addresses into a range.
func (d *disassembler) findRange(what, section string, start, end uint64) ([]codeRange, error) {
	sections := d.p.f.Sections()
	for i := range sections {
		s := &sections[i]
		if section != "" && d.p.sectionName(i) != section || section == "" && !s.Has(elf.SHF_ALLOC) {
			continue
		}
		if section == "" && d.p.f.Header.Type == elf.ET_REL {
			return nil, fmt.Errorf("%q: a relocatable file has no addresses yet; write SECTION:START..END with offsets in a section", what)
		}
		if s.Type != elf.SHT_NULL && !isTbss(s) && start >= s.Addr && start-s.Addr < s.Size {
			return []codeRange{{name: what, section: i, start: start, end: min(end, s.Addr+s.Size)}}, nil
		}
	}
	if section != "" {
		return nil, fmt.Errorf("%q: 0x%x is not in a section of this name", what, start)
	}
	return []codeRange{{name: what, section: -1, start: start, end: end}}, nil
}

// isTbss says whether a section's addresses are not its own: .tbss lies over
// what follows it.
func isTbss(s *elffile.Section) bool { return s.Has(elf.SHF_TLS) && s.Type == elf.SHT_NOBITS }

// findSection gives the whole of the sections of a name.
func (d *disassembler) findSection(name string) []codeRange {
	var list []codeRange
	for i := range d.p.f.Sections() {
		if s := &d.p.f.Sections()[i]; d.p.matches(i, name) && s.HasBytes() && s.Size > 0 {
			list = append(list, codeRange{name: name, section: i, start: s.Addr, end: s.Addr + s.Size})
		}
	}
	return list
}

// findPLT gives the entries of procedure linkage tables of a name: "puts@plt".
func (d *disassembler) findPLT(name string) []codeRange {
	var list []codeRange
	if !strings.HasSuffix(name, "@plt") {
		return nil
	}
	for i := range d.symbols.list {
		s := &d.symbols.list[i]
		section := d.symbols.section(s.addr)
		if string(s.name) == name && section >= 0 && !s.thumb { // not the way in from Thumb
			sec := &d.p.f.Sections()[section]
			list = append(list, codeRange{name: name, section: section, start: s.addr, end: d.symbols.next(-1, s.addr, sec.Addr+sec.Size)})
		}
	}
	return list
}

// findSymbol gives the ranges of the symbols of a name, each place once.
func (d *disassembler) findSymbol(name string) ([]codeRange, error) {
	var list []codeRange
	var undefined error
	for _, t := range d.p.symbolTables(false) {
		for i := range t.Len() {
			s := t.At(i)
			if !d.isNamed(t, s, name) {
				continue
			}
			r, err := d.symbolRange(name, t, i, s)
			if err != nil {
				undefined = err
				continue
			}
			if !slices.ContainsFunc(list, func(o codeRange) bool { return o.section == r.section && o.start == r.start }) {
				list = append(list, r)
			}
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, undefined
}

// isNamed compares a symbol's name, and on request the one in the source: whole,
// or without its parameters.
func (d *disassembler) isNamed(t *symbolTable, s elffile.Symbol, name string) bool {
	b := t.Name(s)
	if string(b) == name {
		return name != ""
	}
	if !d.p.opt.Demangle || len(b) < 3 || b[0] != '_' || len(b) < len(name) && !strings.ContainsAny(name, "(<: ") {
		return false
	}
	source := Demangle(string(b))
	head, _, _ := strings.Cut(source, "(")
	return source == name || head == name
}

// symbolRange is a symbol's code. A size of 0 means up to the next symbol.
func (d *disassembler) symbolRange(name string, t *symbolTable, i int, s elffile.Symbol) (codeRange, error) {
	sections := d.p.f.Sections()
	section := -1
	switch x := t.Section(i); {
	case s.Shndx == uint16(elf.SHN_UNDEF):
		return codeRange{}, fmt.Errorf("symbol %q is not defined in this file", name)
	case s.Shndx >= elffile.ShnLoReserve && s.Shndx != elffile.ShnXindex:
		return codeRange{}, fmt.Errorf("symbol %q is not in a section: st_shndx is 0x%x", name, s.Shndx)
	case uint64(x) < uint64(len(sections)):
		section = int(x)
	}
	r := codeRange{name: name, section: section, start: s.Value}
	r.start, r.thumb = d.symbols.code(s)
	limit := d.p.f.MaxAddr()
	if section >= 0 {
		sec := &sections[section]
		if r.start < sec.Addr || r.start-sec.Addr >= sec.Size {
			return codeRange{}, fmt.Errorf("symbol %q has the value 0x%x, which is outside its section %s [0x%x, 0x%x)", name, r.start, d.p.sectionName(section), sec.Addr, sec.Addr+sec.Size)
		}
		limit = sec.Addr + sec.Size
	}
	r.end = limit
	if s.Size > 0 && s.Size < limit-r.start {
		r.end = r.start + s.Size
	} else if s.Size == 0 {
		r.end = min(limit, d.symbols.next(section, r.start, limit))
	}
	return r, nil
}

// bytes gets the bytes of a range, which ends where they do. Of a broken section
// or segment there may be some, and an error.
func (d *disassembler) bytes(r *codeRange) error {
	var err error
	if r.section < 0 {
		r.b, err = d.segmentBytes(r)
	} else {
		r.b, err = d.sectionBytes(r)
	}
	r.end = r.start + uint64(len(r.b))
	return err
}

func (d *disassembler) segmentBytes(r *codeRange) ([]byte, error) {
	off, n, ok := d.p.f.OffsetOf(r.start)
	if !ok {
		return nil, fmt.Errorf("0x%x is in no PT_LOAD segment's file bytes", r.start)
	}
	return d.p.f.Body.Bytes(off, min(n, r.end-r.start))
}

func (d *disassembler) sectionBytes(r *codeRange) ([]byte, error) {
	s, name := &d.p.f.Sections()[r.section], d.p.sectionName(r.section)
	if !s.HasBytes() {
		return nil, fmt.Errorf("section %s has no bytes in this file", name)
	}
	if s.Has(elf.SHF_COMPRESSED) {
		return nil, fmt.Errorf("section %s is compressed", name)
	}
	b, err := d.p.f.SectionData(r.section)
	from, to := r.start-s.Addr, min(uint64(len(b)), r.end-s.Addr)
	if from >= to {
		if err == nil {
			err = fmt.Errorf("0x%x is past the bytes of section %s", r.start, name)
		}
		return nil, err
	}
	return b[from:to], err
}
