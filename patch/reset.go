package patch

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/phdr"
	resettable "elfwright/reset/table"
)

// ptResetRegions is PT_SEL4_RESET_REGIONS: the table by which a program of
// rust-sel4 (crate sel4-reset) restores its memory when it starts again.
const ptResetRegions = elf.ProgType(0x64c34001)

// A saved range is memory that a program restores from a copy.
type saved struct {
	dst, dstSize uint64
	src, srcSize uint64 // dst beyond srcSize becomes zero; src 0: all of it
	entry        uint64 // address of the entry in the table
}

// A saver is a kind of table that says what a program restores.
type saver interface {
	// ranges are what is restored.
	ranges() []saved
	// longer returns the edit of the table that makes the saved copy of a range
	// longer.
	longer(s saved, srcSize uint64) *edit
}

// own is the table of package reset.
type own struct {
	f    *elffile.File
	list []saved
}

func readOwn(f *elffile.File) (saver, error) {
	t, err := resettable.Find(f)
	if err != nil {
		return nil, err
	}
	o := &own{f: f}
	row := t.Addr + t.TableOff
	for _, list := range [][]resettable.Entry{t.Once, t.Each} {
		for _, e := range list {
			row += 4 * uint64(f.AddrSize())
			o.list = append(o.list, saved{e.Dst, e.Size, e.Src, e.SrcSize, row})
		}
	}
	return o, nil
}

func (t *own) ranges() []saved { return t.list }

func (t *own) longer(s saved, srcSize uint64) *edit {
	return (&sel4{f: t.f}).longer(s, srcSize)
}

// findSaver returns the table of a resettable image, nil if it is none.
func findSaver(f *elffile.File) (saver, error) {
	for i := range f.Progs {
		if f.Progs[i].Type == resettable.ProgType {
			return readOwn(f)
		}
	}
	for i := range f.Progs {
		if f.Progs[i].Type == ptResetRegions {
			return readSel4(f, i)
		}
	}
	return nil, nil
}

// sel4 is the table of sel4-reset: entries of four words, destination and its
// size, source and its size, in the program's word size and byte order.
type sel4 struct {
	f    *elffile.File
	list []saved
}

func readSel4(f *elffile.File, i int) (*sel4, error) {
	p := &f.Progs[i]
	word := uint64(f.AddrSize())
	b, err := f.BytesAt(p.Vaddr, p.Memsz)
	if p.Memsz == 0 {
		b, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the table of what a reset restores (program header %d): %w", i, err)
	}
	if uint64(len(b))%(4*word) != 0 {
		return nil, f.ProgError(i, "p_memsz", "0x%x is not a multiple of the size of an entry (%d) of the table of what a reset restores", p.Memsz, 4*word)
	}
	t := &sel4{f: f}
	for at := uint64(0); at < uint64(len(b)); at += 4 * word {
		w := func(k uint64) uint64 { return f.Addr(b[at+k*word:]) }
		s := saved{w(0), w(1), w(2), w(3), p.Vaddr + at}
		if s.dst+s.dstSize < s.dst || s.src+s.srcSize < s.src || s.srcSize > s.dstSize {
			return nil, f.ProgError(i, "p_vaddr", "the entry at 0x%x of the table of what a reset restores, [0x%x, +0x%x) from [0x%x, +0x%x), is no range", s.entry, s.dst, s.dstSize, s.src, s.srcSize)
		}
		t.list = append(t.list, s)
	}
	return t, nil
}

func (t *sel4) ranges() []saved { return t.list }

func (t *sel4) longer(s saved, srcSize uint64) *edit {
	b := make([]byte, t.f.AddrSize())
	t.f.PutAddr(b, srcSize)
	return &edit{addr: s.entry + 3*uint64(t.f.AddrSize()), data: elffile.Buffer(b), via: "reset table"}
}

// route sends writes to memory that a reset restores to its saved copy, too. A
// write that crosses the border of a range is split there; what no range has,
// persistent memory, is written in place alone.
func (a *applier) route(t saver) error {
	if t == nil {
		return nil
	}
	lengths := make(map[uint64]uint64) // of saved copies that must be longer, by entry
	var out []*edit
	for _, e := range a.mem.edits {
		inPlace := true
		for _, s := range t.ranges() {
			from, to := max(e.addr, s.dst), min(e.end(), s.dst+s.dstSize)
			if from >= to {
				continue
			}
			part := elffile.Slice(e.data, int64(from-e.addr), int64(to-from))
			copied, err := a.toCopy(e, s, from, part)
			if err != nil {
				return err
			}
			if need := from - s.dst + usedUntil(part); usedUntil(part) > 0 && need > s.srcSize {
				lengths[s.entry] = max(lengths[s.entry], need)
			}
			if copied != nil {
				out = append(out, copied)
			}
			if a.deflated(s) && from == e.addr && to == e.end() {
				inPlace = false
			}
		}
		if inPlace {
			out = append(out, e)
		}
	}
	a.mem.edits = out
	for _, s := range t.ranges() {
		if n := lengths[s.entry]; n > 0 {
			if err := a.lengthen(t, s, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// deflated says whether a range has no bytes of its own in the file, because the
// program is always started by what restores it.
func (a *applier) deflated(s saved) bool { return s.src != 0 && a.mem.stored(s.dst, 1) == 0 }

// toCopy is the write to the saved copy of a range.
func (a *applier) toCopy(e *edit, s saved, from uint64, part elffile.Data) (*edit, error) {
	if s.src == 0 {
		if usedUntil(part) > 0 {
			return nil, refusef(a.img, e.g.label, "0x%x is in a range, [0x%x, 0x%x), that a reset fills with zeros, and there is no saved copy to write to: patch the program before it is made resettable", from, s.dst, s.dst+s.dstSize)
		}
		return nil, nil
	}
	k := from - s.dst
	n := min(uint64(part.Size()), max(usedUntil(part), s.srcSize-min(k, s.srcSize)))
	if n == 0 { // beyond the copy it is zero already
		return nil, nil
	}
	return &edit{g: e.g, addr: s.src + k, data: elffile.Slice(part, 0, int64(n)), base: e.base, via: "saved copy"}, nil
}

// lengthen makes a saved copy longer: the PT_LOAD that ends with it grows, if no
// other has the pages behind it.
func (a *applier) lengthen(t saver, s saved, n uint64) error {
	i, err := a.mem.load(s.src, max(s.srcSize, 1))
	if err != nil {
		return refusef(a.img, "", "the saved copy at 0x%x: %v", s.src, err)
	}
	p := &a.img.Progs[i]
	if end := s.src + s.srcSize; p.Vaddr+p.Filesz != end || p.Memsz != p.Filesz {
		return refusef(a.img, "", "a write to 0x%x needs 0x%x bytes in the saved copy at 0x%x, which has 0x%x, and other bytes follow: patch the program before it is made resettable", s.dst+s.srcSize, n, s.src, s.srcSize)
	}
	size := s.src + n - p.Vaddr
	a.growths = append(a.growths, phdr.Growth{Index: i, Filesz: size, Memsz: size})
	a.grownTo[i], a.mem.more[i] = size, size
	a.mem.edits = append(a.mem.edits, t.longer(s, n))
	return nil
}
