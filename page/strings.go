package page

import (
	"debug/elf"
)

// Strings shorter than minString are mostly chance.
const (
	minString  = 5
	maxStrings = 250_000
)

type stringRows struct {
	off, addr []uint64
	name      []uint32
	section   []uint32
	names     names
	total     int
}

// strings adds what reads as text: in sections that hold data, or in segments
// where there are no sections. Names of symbols are in their own table.
func (b *builder) strings() {
	r := new(stringRows)
	for i := range b.sections {
		s := &b.sections[i]
		if !b.hasText(i) {
			continue
		}
		data, _ := b.File.SectionData(i) // what is wrong with it is told by others
		addr := s.Addr
		if !s.Has(elf.SHF_ALLOC) {
			addr = 0
		}
		r.scan(data, s.Off, addr, uint32(i))
	}
	if len(b.sections) == 0 {
		for i := range b.File.Progs {
			p := &b.File.Progs[i]
			if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X == 0 {
				data, _ := b.File.ProgData(i)
				r.scan(data, p.Off, p.Vaddr, 0)
			}
		}
	}
	if len(r.off) == 0 {
		return
	}
	cols := []column{wide("off", r.off), wide("addr", r.addr), word("name", r.name), word("section", r.section)}
	t := b.table(cols, len(r.off), r.total, r.name, r.names.blob)
	b.short("strings", t)
	b.out.Strings = &t
}

// hasText says whether to look for strings in a section.
func (b *builder) hasText(i int) bool {
	s := &b.sections[i]
	if s.Has(elf.SHF_EXECINSTR) || s.Has(elf.SHF_COMPRESSED) {
		return false
	}
	switch s.Type {
	case elf.SHT_STRTAB:
		for k := range b.sections {
			if t := b.sections[k].Type; (t == elf.SHT_SYMTAB || t == elf.SHT_DYNSYM) && b.sections[k].Link == uint32(i) {
				return false
			}
		}
		return true
	case elf.SHT_PROGBITS:
		name := b.File.SectionName(i)
		// Tables of numbers, in which letters are chance.
		for _, numbers := range [...]string{".eh_frame", ".debug_", ".got", ".gcc_except_table", ".data.rel.ro"} {
			if len(name) >= len(numbers) && name[:len(numbers)] == numbers {
				return name == ".debug_str" || name == ".debug_line_str"
			}
		}
		return true
	}
	return false
}

// printing has the bytes that strings are made of: ASCII that prints, tab and
// line feed, and those of which UTF-8 sequences consist.
var printing = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c < 0x7f || c == '\t' || c == '\n'
	}
	return t
}()

// scan collects the runs of printing bytes that a NUL ends.
func (r *stringRows) scan(data []byte, off, addr uint64, section uint32) {
	start := 0
	for i, c := range data {
		if printing[c] {
			continue
		}
		if i-start >= minString && c == 0 {
			r.total++
			if len(r.off) < maxStrings {
				at := uint64(0)
				if addr != 0 {
					at = addr + uint64(start)
				}
				r.off, r.addr = append(r.off, off+uint64(start)), append(r.addr, at)
				r.name, r.section = append(r.name, r.names.add(data[start:i])), append(r.section, section)
			}
		}
		start = i + 1
	}
}
