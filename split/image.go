package split

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/match"
)

// makeImage keeps of the file what program headers name; all else becomes a hole,
// and behind the last of it the file ends. Section headers, if it has any, come
// behind that.
func (s *splitter) makeImage() error {
	f := &elffile.File{Name: s.Name, Format: s.Format, Header: s.Header, Body: s.Body.Clone(), Progs: s.Progs}
	for _, e := range s.program.gaps(uint64(s.Body.Size())) {
		f.Body.Clear(int64(e.off), int64(e.end-e.off))
	}
	f.Body.Truncate(int64(s.imageEnd()))
	f.Header.Shoff, f.Header.Shentsize, f.Header.Shnum, f.Header.Shstrndx = 0, 0, 0, 0
	f.SetSections(nil)
	s.linked = s.opt.Link != "" && s.parts[partSymbols].Bytes+s.parts[partDebug].Bytes > 0
	if s.opt.Sections == Minimal && len(s.secs) > 0 {
		w := &imageSections{splitter: s, file: f, renumber: make([]uint32, len(s.secs)), names: []byte{0}}
		if err := w.write(); err != nil {
			return err
		}
	}
	s.image = f.Encode()
	return nil
}

// imageEnd is where the image's bytes end. A program header without bytes has its
// offset within that, too: llvm-strip refuses one behind the end of the file.
func (s *splitter) imageEnd() uint64 {
	end := s.program.end()
	for i := range s.Progs {
		if p := &s.Progs[i]; p.Filesz == 0 && p.Type != elf.PT_NULL && p.Off <= uint64(s.Body.Size()) {
			end = max(end, p.Off)
		}
	}
	return end
}

// imageSections are the section headers of an image.
type imageSections struct {
	*splitter
	file     *elffile.File
	table    []elffile.Section
	renumber []uint32 // old index: new index, 0 for those left out
	names    []byte
}

func (w *imageSections) write() error {
	w.table = []elffile.Section{{}}
	for i := 1; i < len(w.secs); i++ {
		sec := w.secs[i]
		if sec.Type == elf.SHT_NULL || !sec.Has(elf.SHF_ALLOC) || sec.HasBytes() && !w.program.covers(sec.Off, sec.Size) {
			continue
		}
		w.renumber[i] = uint32(len(w.table))
		w.add(w.SectionName(i), sec, nil)
	}
	for i := range w.table {
		w.relink(&w.table[i])
	}
	if err := w.link(); err != nil {
		return err
	}
	w.add(".shstrtab", elffile.Section{Type: elf.SHT_STRTAB, Addralign: 1}, nil)
	last := &w.table[len(w.table)-1]
	last.Off, last.Size = uint64(w.file.Body.Size()), uint64(len(w.names))
	w.file.Body.Put(w.file.Body.Size(), elffile.Buffer(w.names))
	w.file.Header.Shoff = (uint64(w.file.Body.Size()) + 7) &^ 7
	w.file.SetSections(w.table)
	w.imageSections = len(w.table)
	return w.file.Renumber(uint32(len(w.table) - 1))
}

// add appends a section header, and at the end of the file its bytes, if it has
// any of its own.
func (w *imageSections) add(name string, sec elffile.Section, d elffile.Data) {
	sec.Name = uint32(len(w.names))
	w.names = append(append(w.names, name...), 0)
	if d != nil {
		at := (w.file.Body.Size() + 3) &^ 3
		w.file.Body.Put(at, d)
		sec.Off, sec.Size = uint64(at), uint64(d.Size())
	}
	w.table = append(w.table, sec)
}

// relink renumbers the section indexes in a header.
func (w *imageSections) relink(sec *elffile.Section) {
	at := func(i uint32) uint32 {
		if uint64(i) < uint64(len(w.renumber)) {
			return w.renumber[i]
		}
		return 0
	}
	sec.Link = at(sec.Link)
	if infoLink(sec) {
		sec.Info = at(sec.Info)
	}
}

// infoLink says whether sh_info is the index of a section (gABI, sh_info).
func infoLink(sec *elffile.Section) bool {
	return sec.Has(elf.SHF_INFO_LINK) || sec.Type == elf.SHT_REL || sec.Type == elf.SHT_RELA
}

// link adds .gnu_debuglink: to the file with symbols, if a debugger finds
// anything there, or else the one that the program had.
func (w *imageSections) link() error {
	sec := elffile.Section{Type: elf.SHT_PROGBITS, Addralign: 4}
	if w.linked {
		sum, err := match.Sum(w.symbols)
		if err != nil {
			return err
		}
		w.sum = sum
		l := match.Link{Name: w.opt.Link, CRC: sum}
		w.add(match.LinkSection, sec, elffile.Buffer(l.Encode(w.Format)))
		return nil
	}
	if i := w.SectionByName(match.LinkSection); i > 0 && w.secs[i].HasBytes() && !w.secs[i].Has(elf.SHF_ALLOC) {
		w.add(match.LinkSection, sec, w.Body.Window(int64(w.secs[i].Off), int64(w.secs[i].Size)))
		w.warn("debuglink-kept", "the file with symbols has neither symbols nor debug information, so that .gnu_debuglink still names the file that it named")
	}
	return nil
}
