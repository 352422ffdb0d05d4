package elffile

import (
	"debug/elf"
	"errors"
	"fmt"
)

// Translate returns an ELF file whose every file offset is larger by to than it
// would be in a file of its own, for one that begins at offset to of another
// file: headers read there are then right for that file's descriptor. from is by
// how much the offsets of f are translated already. Only e_phoff, e_shoff,
// p_offset and sh_offset are file offsets in ELF (gABI); the tables stay where
// they are in f.Body, and no other byte changes.
func Translate(f *File, from, to int64) (*Body, error) {
	g, err := f.at(from)
	if err != nil {
		return nil, err
	}
	out := f.Body.Clone()
	sections := make([]Section, len(g.Sections()))
	for i, s := range g.Sections() {
		if sections[i] = s; s.Type == elf.SHT_NULL {
			continue // number 0 has the counts of extended numbering
		}
		if sections[i].Off, err = g.moved(s.Off, to, g.SectionError(i, "sh_offset", "")); err != nil {
			return nil, err
		}
	}
	progs := make([]Prog, len(g.Progs))
	for i, p := range g.Progs {
		if progs[i] = p; !translated(&p) {
			continue
		}
		if progs[i].Off, err = g.moved(p.Off, to, g.ProgError(i, "p_offset", "")); err != nil {
			return nil, err
		}
	}
	putTable(out, g.Header.Shoff, g.Header.Shentsize, sections, func(s *Section) []byte { return s.Encode(g.Format) })
	putTable(out, g.Header.Phoff, g.Header.Phentsize, progs, func(p *Prog) []byte { return p.Encode(g.Format) })
	h := g.Header
	if err := g.moveTables(&h, to); err != nil {
		return nil, err
	}
	out.Put(0, Buffer(h.Encode(g.Format)))
	return out, nil
}

// translated says whether p_offset says where something is. It is asked of what
// a translation does not change, so that one can be undone.
func translated(p *Prog) bool { return p.Type == elf.PT_LOAD || p.Type != elf.PT_NULL && p.Filesz > 0 }

// moved adds n to an offset; at names the field.
func (f *File) moved(off uint64, n int64, at *Error) (uint64, error) {
	sum := off + uint64(n)
	if (n >= 0) != (sum >= off) && n != 0 || sum > f.MaxAddr() || int64(sum) < 0 {
		return 0, at.says("0x%x %+d is not within 0 and 0x%x", off, n, min(f.MaxAddr(), 1<<63-1))
	}
	return sum, nil
}

// moveTables adds n to the offsets of the tables that there are.
func (f *File) moveTables(h *Header, n int64) error {
	if err := f.moveTable("e_phoff", &h.Phoff, n); err != nil {
		return err
	}
	return f.moveTable("e_shoff", &h.Shoff, n)
}

func (f *File) moveTable(field string, off *uint64, n int64) error {
	if *off == 0 {
		return nil
	}
	at, err := f.moved(*off, n, f.HeaderError(field, ""))
	if err == nil && at == 0 {
		err = f.HeaderError(field, "0x%x %+d is 0, which says that there is no table", *off, n)
	}
	if err == nil {
		*off = at
	}
	return err
}

// at reads a file whose offsets are translated by n as one whose are not. The
// error says why they cannot be.
func (f *File) at(n int64) (*File, error) {
	g := &File{Name: f.Name, Format: f.Format, Header: f.Header, Body: f.Body}
	if err := g.moveTables(&g.Header, -n); err != nil {
		return nil, err
	}
	g.readProgs()
	if err := errors.Join(g.ProgErr, g.SectionErr()); err != nil {
		return nil, err
	}
	for i := range g.Progs {
		p := &g.Progs[i]
		if !translated(p) {
			continue
		}
		off, err := g.moved(p.Off, -n, g.ProgError(i, "p_offset", ""))
		if err != nil {
			return nil, err
		}
		p.Off = off
	}
	size := uint64(g.Body.Size())
	for i := range g.sections {
		s := &g.sections[i]
		if s.Type == elf.SHT_NULL {
			continue
		}
		off, err := g.moved(s.Off, -n, g.SectionError(i, "sh_offset", ""))
		if err != nil {
			return nil, err
		}
		if s.Off = off; s.HasBytes() && (s.Size > size || s.Off > size-s.Size) {
			return nil, g.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, size)
		}
	}
	return g, errors.Join(g.CheckProgs(), g.apart())
}

// apart returns an error if the tables overlap each other or the ELF header: they
// could not be written without changing one another.
func (f *File) apart() error {
	ehdr := uint64(f.EhdrSize())
	phdrs, shdrs := uint64(len(f.Progs))*uint64(f.Header.Phentsize), uint64(len(f.Sections()))*uint64(f.Header.Shentsize)
	switch {
	case phdrs > 0 && f.Header.Phoff < ehdr:
		return f.HeaderError("e_phoff", "0x%x is within the ELF header (0x%x bytes)", f.Header.Phoff, ehdr)
	case shdrs > 0 && f.Header.Shoff < ehdr:
		return f.HeaderError("e_shoff", "0x%x is within the ELF header (0x%x bytes)", f.Header.Shoff, ehdr)
	case phdrs > 0 && shdrs > 0 && f.Header.Phoff < f.Header.Shoff+shdrs && f.Header.Shoff < f.Header.Phoff+phdrs:
		return f.HeaderError("e_shoff", "0x%x: the section header table overlaps the program header table at 0x%x", f.Header.Shoff, f.Header.Phoff)
	}
	return nil
}

// Translation finds out by how much the offsets of a file are translated: not at
// all, by one of guesses, or so that the program header table is behind the ELF
// header or the section header table at the end of the file, where linkers put
// them. The error says that none of these makes sense of the file.
func Translation(f *File, guesses ...int64) (int64, error) {
	_, plain := f.at(0)
	if plain == nil {
		return 0, nil
	}
	if f.Header.Phoff != 0 {
		guesses = append(guesses, int64(f.Header.Phoff)-int64(f.EhdrSize()))
	}
	if n := int64(f.Header.Shnum) * int64(f.Header.Shentsize); n > 0 {
		guesses = append(guesses, int64(f.Header.Shoff)-(f.Body.Size()-n))
	}
	for _, n := range guesses {
		if _, err := f.at(n); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%s: its file offsets are wrong as they are, and no translation makes them right: %w", f.Name, plain)
}
