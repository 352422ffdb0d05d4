package split

import (
	"cmp"
	"debug/elf"
	"slices"
	"sort"

	"elfwright/elffile"
	"elfwright/match"
)

// makeSymbols lays the file with symbols out: headers, notes, sections that are
// not in the image in the order of the program, the recipe, the section headers.
func (s *splitter) makeSymbols() error {
	w := &symbolsWriter{splitter: s, body: &elffile.Body{}}
	w.cursor = uint64(s.EhdrSize() + len(s.Progs)*s.PhdrSize())
	w.notes()
	w.table = slices.Clone(s.secs)
	if len(w.table) == 0 {
		w.table = []elffile.Section{{}}
	}
	w.sections()
	w.nameTable()
	if err := w.recipe(); err != nil {
		return err
	}
	s.symbols = w.finish()
	return nil
}

type symbolsWriter struct {
	*splitter
	body     *elffile.Body
	cursor   uint64
	table    []elffile.Section
	notesAt  []held // whole note segments
	shstrndx uint32
	nameOff  uint32 // of the recipe's name
}

// maxAlign bounds the alignment that sections ask for in the file with symbols:
// they are read, not mapped.
const maxAlign = 4096

// room returns where n bytes go that are at off in the program, so that they are
// aligned as well as there.
func (w *symbolsWriter) room(align uint64) uint64 {
	if align == 0 || align&(align-1) != 0 || align > maxAlign {
		align = 1
	}
	w.cursor = (w.cursor + align - 1) &^ (align - 1)
	return w.cursor
}

// put copies bytes of the program to the cursor.
func (w *symbolsWriter) put(off, n uint64) (to uint64) {
	to = w.cursor
	w.body.Put(int64(to), w.Body.Window(int64(off), int64(n)))
	w.cursor += n
	w.held = append(w.held, held{off, n, to})
	return to
}

// notes keeps note segments whole: a reader walks from one note to the next, also
// over what lies between two sections.
func (w *symbolsWriter) notes() {
	var list []extent
	for i := range w.Progs {
		if p := &w.Progs[i]; p.Type == elf.PT_NOTE {
			list = append(list, extent{p.Off, p.Off + p.Filesz})
		}
	}
	for _, e := range union(list) {
		const align = 16
		w.cursor += (e.off - w.cursor) & (align - 1)
		to := w.put(e.off, e.end-e.off)
		w.notesAt = append(w.notesAt, held{e.off, e.end - e.off, to})
		w.part(partNotes, e.end-e.off)
	}
}

// inNotes returns where a range is in the file with symbols, if it is in a note
// segment.
func (w *symbolsWriter) inNotes(off, n uint64) (uint64, bool) {
	i := sort.Search(len(w.notesAt), func(i int) bool { return w.notesAt[i].off+w.notesAt[i].n > off })
	if i == len(w.notesAt) || w.notesAt[i].off > off {
		return 0, false
	}
	h := w.notesAt[i]
	return h.to + off - h.off, n <= h.n-(off-h.off)
}

// sections places every section in the order of the program's file. What is in
// the image has no bytes here.
func (w *symbolsWriter) sections() {
	order := make([]int, 0, len(w.secs))
	for i := 1; i < len(w.secs); i++ {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(w.secs[a].Off, w.secs[b].Off) })
	shared := make(map[extent]uint64)
	names := w.namesIndex()
	for _, i := range order {
		s, was := &w.table[i], w.secs[i]
		switch to, ok := w.inNotes(was.Off, was.Size); {
		case !was.HasBytes():
			s.Off = w.cursor
		case i == names && !was.Has(elf.SHF_ALLOC): // see nameTable
		case ok && was.Type == elf.SHT_NOTE:
			s.Off = to
		case was.Has(elf.SHF_ALLOC) && was.Type != elf.SHT_NOTE && w.program.covers(was.Off, was.Size):
			s.Type, s.Off = elf.SHT_NOBITS, w.cursor
		default:
			key := extent{was.Off, was.Off + was.Size}
			if to, ok := shared[key]; ok {
				s.Off = to
				continue
			}
			w.room(was.Addralign)
			s.Off = w.put(was.Off, was.Size)
			shared[key] = s.Off
			w.part(w.kindOf(i), was.Size)
		}
	}
}

// namesIndex is the section of the section names; 0 if there is none to be used.
func (s *splitter) namesIndex() int {
	x := int64(s.Shstrndx())
	if x >= int64(len(s.secs)) || !s.secs[x].HasBytes() || s.secs[x].Has(elf.SHF_COMPRESSED) {
		return 0
	}
	return int(x)
}

// nameTable gives the section names one more: as a table of which the old one is
// the front. One that is loaded stays with the image, and the copy is a section of
// its own.
func (w *symbolsWriter) nameTable() {
	x := w.namesIndex()
	if x > 0 {
		w.put(w.secs[x].Off, w.secs[x].Size)
		w.part(partOther, w.secs[x].Size)
	}
	at := w.cursor
	if x > 0 {
		at -= w.secs[x].Size
	}
	w.nameOff = uint32(w.cursor-at) + 1
	more := "\x00" + match.RecipeSection + "\x00"
	if x == 0 || w.secs[x].Has(elf.SHF_ALLOC) {
		x = len(w.table)
		w.table = append(w.table, elffile.Section{Name: uint32(w.cursor-at) + uint32(len(more)), Type: elf.SHT_STRTAB, Addralign: 1})
		more += ".shstrtab\x00"
	}
	w.body.Put(int64(w.cursor), elffile.Buffer(more))
	w.cursor += uint64(len(more))
	w.shstrndx = uint32(x)
	w.table[x].Off, w.table[x].Size = at, w.cursor-at
}

// recipe appends the section that says how to put the program together.
func (w *symbolsWriter) recipe() error {
	at := w.room(8)
	r, stored, err := w.newRecipe(at)
	if err != nil {
		return err
	}
	head := r.encode()
	w.body.Put(int64(at), elffile.Buffer(head))
	w.cursor += uint64(len(head))
	for _, e := range stored {
		w.body.Put(int64(w.cursor), w.Body.Window(int64(e.off), int64(e.end-e.off)))
		w.cursor += e.end - e.off
	}
	w.table = append(w.table, elffile.Section{
		Name: w.nameOff, Type: elf.SHT_PROGBITS, Off: at, Size: w.cursor - at, Addralign: 8,
	})
	w.splitter.recipe = r
	return nil
}

// finish writes the headers. The program headers are a record: only notes have
// bytes.
func (w *symbolsWriter) finish() *elffile.Body {
	f := &elffile.File{Name: w.Name, Format: w.Format, Header: w.Header, Body: w.body, Progs: slices.Clone(w.Progs)}
	f.Header.Phoff = uint64(w.EhdrSize())
	f.Header.Shoff = w.room(8)
	f.SetSections(w.table)
	for i := range f.Progs {
		w.record(&f.Progs[i])
	}
	f.Renumber(w.shstrndx) // fails only without section headers
	return f.Encode()
}

// record makes a program header one without bytes, at an offset that is congruent
// to its address and in the file, which llvm-strip asks for. What has bytes here
// are notes, and the headers themselves.
func (w *symbolsWriter) record(p *elffile.Prog) {
	heads := uint64(w.EhdrSize() + len(w.Progs)*w.PhdrSize())
	to, ok := w.inNotes(p.Off, p.Filesz)
	switch {
	case p.Type == elf.PT_NULL:
	case p.Type == elf.PT_PHDR:
		p.Off = uint64(w.EhdrSize())
	case p.Type == elf.PT_LOAD && p.Off == 0 && p.Filesz >= heads && w.Header.Phoff == uint64(w.EhdrSize()):
		p.Filesz = heads
	case ok && p.Filesz > 0 && p.Type != elf.PT_LOAD:
		p.Off = to
	default:
		p.Filesz, p.Off = 0, 0
		if a := min(p.Align, maxAlign); a > 1 && a&(a-1) == 0 && p.Vaddr&(a-1) <= w.cursor {
			p.Off = p.Vaddr & (a - 1)
		}
	}
}
