package reset

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/machine"
	"elfwright/phdr"
	"elfwright/reset/table"
)

// The sections that cover the new segments.
const (
	codeSection = ".ew.reset"
	slotSection = ".ew.reset.slot"
)

// slotWords is what the code has for the registers of the first start.
const slotWords = 16

// An install is a program in the making.
type install struct {
	f     *elffile.File // as it was
	now   *elffile.File // as it is
	added *elffile.File // as phdr.Add has left it
	m     *machine.Machine
	opt   Options
	mem   *memory
	code  []byte

	os       OS
	osWhy    string
	zero     image.Ranges // outside the program
	hook     *hook
	behind   uint64       // where memory ended that the slot is behind; 0: it is a PT_LOAD
	text     image.Ranges // code that the hook takes the place of
	t        *table.Table
	saved    *elffile.Body // the copy
	copied   uint64        // where it is in the segment
	phdr     *phdr.Report
	warnings []phdr.Warning
}

// build makes the segment of code, table and copy. What depends on its address is
// filled in later.
func (n *install) build() (elffile.Data, error) {
	t := n.t
	s := &saver{f: n.f, body: &elffile.Body{}, run: zeroRun, solid: n.solid()}
	for rows := manyRows + 1; rows > manyRows; s.run *= 4 {
		s.body = &elffile.Body{}
		if err := n.save(s); err != nil {
			return nil, err
		}
		if rows = len(t.Once) + len(t.Each); rows > manyRows && s.run > n.mem.all.Size() {
			return nil, refusef(n.f, "%d pieces of memory are to be restored, or left alone; the limit is %d", rows, manyRows)
		}
	}
	t.CodeSize, t.TableOff = uint64(len(n.code)), table.HeadSize+uint64(len(n.code))
	spare := n.opt.Spare
	if spare == 0 {
		spare = spareEntries
	}
	for _, r := range n.zero {
		n.mem.kept = append(n.mem.kept, table.Kept{Addr: uint64(r.Start), Size: r.Size, Why: table.Cleared})
	}
	t.Kept = append(n.mem.kept, table.Kept{Size: n.slotSize(), Why: table.Own})
	t.Room = t.Size(n.f.Format, spare)
	n.copied = up(t.TableOff+t.Room, table.CopyAlign)
	n.saved = s.body
	b := &elffile.Body{}
	b.Put(table.HeadSize, elffile.Buffer(n.code))
	b.Put(int64(n.copied), s.body.Window(0, s.body.Size()))
	b.Truncate(int64(n.copied) + s.body.Size() + int64(spare)*spareBytes)
	return b.Window(0, b.Size()), nil
}

// save saves all that is to be saved, and makes the rows of the table.
func (n *install) save(s *saver) error {
	t := n.t
	var err error
	t.Once = nil
	if n.opt.Shape == Deflate {
		var kept []image.Range
		for _, k := range n.mem.kept {
			if k.Why == table.Persistent {
				kept = append(kept, image.Range{Start: image.Addr(k.Addr), Size: k.Size})
			}
		}
		if t.Once, err = s.once(image.Union(kept...), n.mem.all); err != nil {
			return err
		}
	}
	if t.Each, err = s.save(n.mem.restore); err != nil {
		return err
	}
	for _, r := range n.zero {
		t.Each = append(t.Each, table.Entry{Dst: uint64(r.Start), Size: r.Size})
	}
	code, err := s.save(n.text)
	if err != nil {
		return err
	}
	t.Once = append(t.Once, code...)
	return nil
}

// once returns the entries that give persistent memory its value at the first
// start. Memory of zeros needs none: the loader has made it.
func (s *saver) once(kept, all image.Ranges) ([]table.Entry, error) {
	var out []table.Entry
	for _, r := range kept {
		for _, in := range all.Intersect(r) {
			list, err := s.save(image.Ranges{in})
			if err != nil {
				return nil, err
			}
			for _, e := range list {
				if e.SrcSize > 0 {
					e.Size = e.SrcSize
					out = append(out, e)
				}
			}
		}
	}
	return out, nil
}

// solid are the bytes that other headers name, such as the initial values of
// thread-local variables: they stay in one piece, so that a header can name them
// in the copy.
func (n *install) solid() image.Ranges {
	var rs []image.Range
	for i := range n.f.Progs {
		if p := &n.f.Progs[i]; moves(p) && p.Filesz > 0 {
			rs = append(rs, image.Range{Start: image.Addr(p.Vaddr), Size: p.Filesz})
		}
	}
	return image.Union(rs...)
}

// moves says whether a header names bytes that go where those of its segment go.
func moves(p *elffile.Prog) bool {
	return p.Type != elf.PT_LOAD && p.Type != elf.PT_NULL && p.Type != elf.PT_GNU_RELRO && p.Type != elf.PT_PHDR
}

// add adds the segments to the file.
func (n *install) add(blob elffile.Data) error {
	page, err := phdr.PageSize(n.now, n.opt.Phdr)
	if err != nil {
		return err
	}
	slot := phdr.Header{Type: elf.PT_LOAD, Memsz: n.slotSize(), Flags: elf.PF_R | elf.PF_W, Section: slotSection}
	seg := phdr.Header{Type: table.ProgType, Data: blob, Flags: elf.PF_R | elf.PF_X, Align: 64, Section: codeSection}
	if at := n.opt.At; at != 0 {
		if at%page != 0 {
			return fmt.Errorf("%s: the address 0x%x for the new segments is no multiple of the page size, 0x%x", n.f.Name, at, page)
		}
		slot.Vaddr, seg.Vaddr = image.Addr(at), image.Addr(at+page)
		physical := at + distance(n.f, loadWith(n.f, codeAddress(n.f, n.f.Header.Entry)))
		if n.opt.Paddr != 0 {
			physical = n.opt.Paddr
		}
		slot.Paddr, seg.Paddr = image.Addr(physical&n.f.MaxAddr()), image.Addr((physical+page)&n.f.MaxAddr())
	} else if err := n.oneDistance(); err != nil {
		return err
	}
	r, err := n.addHeaders(slot, seg)
	if err != nil {
		return err
	}
	n.phdr = r.Report
	if n.added, err = elffile.ParseBody(n.f.Name, r.Body); err != nil {
		return err
	}
	n.now, err = elffile.ParseBody(n.f.Name, r.Body)
	return err
}

// oneDistance refuses to choose addresses where segments are loaded elsewhere
// than they run: the new ones would have to be in flash or in RAM, and nothing
// tells which addresses are.
func (n *install) oneDistance() error {
	if n.opt.Paddr != 0 {
		return fmt.Errorf("%s: --paddr needs --at", n.f.Name)
	}
	for _, k := range n.mem.kept {
		if k.Why == table.Copied {
			return refusef(n.f, "a writable segment at 0x%x is loaded elsewhere than it runs (p_paddr): say with --at, and --paddr, where there is memory for the new segments", k.Addr)
		}
	}
	return nil
}

// fill writes what depends on addresses: head, table, and the entry.
func (n *install) fill() error {
	t, f := n.t, n.now
	t.Prog = -1
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == table.ProgType {
			t.Prog, t.Addr = i, p.Vaddr
		}
	}
	if t.Prog < 0 {
		return fmt.Errorf("%s: the program header of the table is not there", f.Name)
	}
	seg := &f.Progs[t.Prog]
	slot, err := n.slot()
	if err != nil {
		return err
	}
	own := &t.Kept[len(t.Kept)-1]
	t.Slot, own.Addr = slot, slot
	if n.behind != 0 { // with what is between
		own.Addr, own.Size = n.behind, own.Size+slot-n.behind
	}
	t.Code, t.Entry = t.Addr+table.HeadSize, n.f.Header.Entry
	for _, list := range [][]table.Entry{t.Once, t.Each} {
		for i := range list {
			if list[i].SrcSize > 0 {
				list[i].Src += t.Addr + n.copied
			}
		}
	}
	b, err := t.Encode(f.Format)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	body := f.Body.Clone()
	n.refresh(body)
	if n.hook != nil {
		if err := n.putHook(body); err != nil {
			return err
		}
	}
	body.Put(int64(seg.Off), elffile.Buffer(t.Head(f.Format)))
	body.Put(int64(seg.Off+table.HeadSize), elffile.Buffer(n.firstInstruction()))
	body.Put(int64(seg.Off+t.TableOff), elffile.Buffer(b))
	f.Body = body
	f.Header.Entry = t.Code | n.f.Header.Entry&1&thumbBit(n.f)
	return nil
}

// refresh takes the saved bytes from the file as it is now: pointers in a dynamic
// section follow what phdr.Add has moved to make room for its table.
func (n *install) refresh(body *elffile.Body) {
	for _, e := range slices.Concat(n.t.Once, n.t.Each) {
		off, _, ok := n.now.OffsetOf(e.Src)
		if e.SrcSize == 0 || !ok {
			continue
		}
		elffile.Extents(initial(n.added, image.Range{Start: image.Addr(e.Dst), Size: e.SrcSize}), func(pos int64, d elffile.Data) bool {
			body.Put(int64(off)+pos, d)
			return true
		})
	}
}

func thumbBit(f *elffile.File) uint64 {
	if thumb(f) {
		return 1
	}
	return 0
}

// firstInstruction is the code with what i386 needs to know where it is: there is
// no addressing relative to the instruction.
func (n *install) firstInstruction() []byte {
	if n.f.Header.Machine != elf.EM_386 {
		return n.code
	}
	b := append([]byte(nil), n.code...)
	if n.f.Header.Type == elf.ET_DYN {
		copy(b, []byte{0xe8, 0, 0, 0, 0, 0x5d}) // call here; here: pop %ebp
		return b
	}
	n.now.PutU32(b[1:], uint32(n.t.Code+5)) // mov $here, %ebp
	return b
}

// up rounds up to a multiple of align, a power of two.
func up(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }
