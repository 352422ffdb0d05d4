package phdr

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// addSection adds a section header, if the file has any. It gets its number when
// the table is written.
func (d *draft) addSection(name string, s elffile.Section) {
	if len(d.secs) == 0 {
		return
	}
	d.dirty = true
	d.secs = append(d.secs, section{Section: s, name: d.uniqueName(name), was: -1})
}

// uniqueName is a name, or that with a number behind it if it is taken.
func (d *draft) uniqueName(name string) string {
	unique := name
	for i := 2; slices.ContainsFunc(d.secs, func(s section) bool { return s.name == unique }); i++ {
		unique = fmt.Sprintf("%s.%d", name, i)
	}
	return unique
}

// writeSections writes the section headers anew at the end of the file, sorted,
// if there is a reason to: a section was added or moved, or the table is in the
// way. The names go in front of it, extended by those of new sections.
func (d *draft) writeSections() error {
	if len(d.secs) == 0 {
		return d.Renumber(0)
	}
	if !d.dirty && !slices.ContainsFunc(d.secs, func(s section) bool { return s.isGap() }) {
		d.setSections()
		return d.Renumber(d.names)
	}
	d.freeTables()
	d.coverGaps()
	number := d.sortSections()
	if err := d.renumber(number); err != nil {
		return err
	}
	names := number[d.names]
	at := d.tablePlace()
	at = d.writeNames(names, at)
	at = up(at, uint64(d.AddrSize()))
	d.insertTable(at)
	d.Header.Shoff = at
	d.setSections()
	return d.Renumber(names)
}

func (d *draft) setSections() {
	table := make([]elffile.Section, len(d.secs))
	for i := range d.secs {
		table[i] = d.secs[i].Section
	}
	d.SetSections(table)
}

// freeTables frees the place of the old section header table and names, which are
// written anew, and cuts them off where they ended the file.
func (d *draft) freeTables() {
	if d.freed || len(d.secs) == 0 {
		return
	}
	d.freed, d.dirty = true, true
	if n := d.shdrTableSize(); !d.inUse(d.Header.Shoff, n, -1) { // where the table has grown over it, it is written anew
		d.changesFile(d.Header.Shoff, n)
		d.Body.Clear(int64(d.Header.Shoff), int64(n))
	}
	d.Header.Shoff = 0
	if int(d.names) < len(d.secs) {
		if s := &d.secs[d.names]; d.ownNames(s) {
			d.Body.Clear(int64(s.Off), int64(s.Size))
		}
	}
	end := d.end()
	if d.overlay < 0 && uint64(d.Body.Size()) > end {
		d.Body.Truncate(int64(end))
	}
}

// ownNames says whether the bytes of the section names are theirs alone.
func (d *draft) ownNames(s *section) bool {
	return s.HasBytes() && !s.Has(elf.SHF_ALLOC) && !d.inUse(s.Off, s.Size, int(d.names))
}

// inUse says whether a program header or a section other than except names a
// byte of [off, off+n).
func (d *draft) inUse(off, n uint64, except int) bool {
	hit := func(o, m uint64) bool { return m > 0 && off < o+m && o < off+n }
	for i := range d.secs {
		if s := &d.secs[i]; i != except && s.HasBytes() && hit(s.Off, s.Size) {
			return true
		}
	}
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type != elf.PT_LOAD && p.Type != elf.PT_GNU_RELRO && p.Type != elf.PT_PHDR && hit(p.Off, p.Filesz) {
			return true
		}
	}
	return false
}

// end is the end of everything that is named, apart from the section names and
// headers.
func (d *draft) end() uint64 {
	end := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Filesz > 0 || p.Type == elf.PT_LOAD && p.Off <= uint64(d.Body.Size()) {
			end = max(end, p.Off+p.Filesz)
		}
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && uint32(i) != d.names {
			end = max(end, s.Off+s.Size)
		}
	}
	return end
}

// sortSections sorts the headers: loaded ones by address, then the others by
// offset. patchelf takes the neighbours in the table for neighbours in the file
// and writes over them if they are not. It returns the new number of each old
// one.
func (d *draft) sortSections() []uint32 {
	slices.SortStableFunc(d.secs[1:], func(a, b section) int {
		al, bl := a.Has(elf.SHF_ALLOC), b.Has(elf.SHF_ALLOC)
		switch {
		case al && bl:
			return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.Off, b.Off))
		case al:
			return -1
		case bl:
			return 1
		}
		return cmp.Compare(a.Off, b.Off)
	})
	number := make([]uint32, len(d.old.Sections()))
	for i := range d.secs {
		if was := d.secs[i].was; was >= 0 {
			number[was] = uint32(i)
		}
	}
	return number
}

// renumber replaces section numbers wherever the gABI has them.
func (d *draft) renumber(number []uint32) error {
	if len(d.secs) >= elffile.ShnLoReserve && len(number) < elffile.ShnLoReserve {
		return refusef(d.old, "%d sections would need extended numbering in every symbol table", len(d.secs))
	}
	at := func(i uint32) uint32 {
		if int(i) < len(number) {
			return number[i]
		}
		return i
	}
	for i := 1; i < len(d.secs); i++ {
		s := &d.secs[i]
		if s.was < 0 {
			continue
		}
		s.Link = at(s.Link)
		if s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA || s.Has(elf.SHF_INFO_LINK) {
			s.Info = at(s.Info)
		}
		var err error
		switch s.Type {
		case elf.SHT_SYMTAB, elf.SHT_DYNSYM:
			err = d.renumberSymbols(s, number)
		case elf.SHT_SYMTAB_SHNDX:
			err = d.renumberWords(s, number, 0)
		case elf.SHT_GROUP:
			err = d.renumberWords(s, number, 1) // after the flags
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// renumberWords replaces the section numbers in a table of words.
func (d *draft) renumberWords(s *section, number []uint32, from int) error {
	b, err := elffile.Bytes(d.window(s.Off, s.Size))
	if err != nil {
		return err
	}
	b = slices.Clone(b)
	for i := 4 * from; i+4 <= len(b); i += 4 {
		if x := d.U32(b[i:]); int64(x) < int64(len(number)) {
			d.PutU32(b[i:], number[x])
		}
	}
	d.Body.Put(int64(s.Off), elffile.Buffer(b))
	return nil
}

// tablePlace is where names and headers go: the end of the file, or in front of
// an overlay that is to stay the last.
func (d *draft) tablePlace() uint64 {
	if d.overlay >= 0 && d.opt.Overlay == OverlayMove {
		return uint64(d.overlay)
	}
	return uint64(d.Body.Size())
}

// writeNames writes the section names at an offset and returns their end.
func (d *draft) writeNames(index uint32, at uint64) uint64 {
	if index == 0 || int(index) >= len(d.secs) {
		return at
	}
	s := &d.secs[index]
	old, _ := d.old.SectionData(s.was)
	names := slices.Clone(old)
	if n := len(names); n == 0 || names[n-1] != 0 {
		names = append(names, 0)
	}
	for i := range d.secs {
		if d.secs[i].was < 0 || d.secs[i].renamed {
			names = d.writeName(&d.secs[i], names)
		}
	}
	d.room(at, uint64(len(names)))
	d.Body.Put(int64(at), elffile.Buffer(names))
	s.Off, s.Size = at, uint64(len(names))
	return at + s.Size
}

// writeName finds a section's name among those there are, of a section that is no
// more for one, or appends it.
func (d *draft) writeName(s *section, names []byte) []byte {
	if i := bytes.Index(names, []byte("\x00"+s.name+"\x00")); i >= 0 {
		s.Name = uint32(i + 1)
		return names
	}
	s.Name = uint32(len(names))
	return append(append(names, s.name...), 0)
}

// insertTable makes room for the section header table.
func (d *draft) insertTable(at uint64) {
	d.Header.Shentsize = uint16(d.ShdrSize())
	d.room(at, uint64(len(d.secs)*d.ShdrSize()))
}

// room keeps an overlay behind [at, at+n).
func (d *draft) room(at, n uint64) {
	if d.overlay >= 0 && uint64(d.overlay) < at+n && d.opt.Overlay == OverlayMove {
		grow := up(at+n, 64) - uint64(d.overlay)
		d.Body.Insert(d.overlay, int64(grow))
		d.overlay += int64(grow)
	}
}
