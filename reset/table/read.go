package table

import (
	"fmt"

	"elfwright/elffile"
)

// A reader is over the segment of a table of ours: its bytes up to the copy, which
// may be large.
type reader struct {
	f    *elffile.File
	prog int
	b    []byte
	size uint64 // of the segment
	t    *Table
}

// fault tells of what is wrong at an offset of the segment.
func (r *reader) fault(field string, at uint64, format string, args ...any) error {
	return &elffile.Error{File: r.f.Name, Struct: fmt.Sprintf("reset table (program header %d)", r.prog), Field: field,
		Off: int64(r.f.Progs[r.prog].Off + at), Msg: fmt.Sprintf(format, args...)}
}

// read reads our table.
func read(f *elffile.File, i int) (*Table, error) {
	p := &f.Progs[i]
	r := &reader{f: f, prog: i, size: p.Filesz, t: &Table{Prog: i, Addr: p.Vaddr}}
	if err := r.read(min(HeadSize, p.Filesz)); err != nil {
		return nil, err
	}
	if err := r.head(); err != nil {
		return nil, err
	}
	if err := r.read(r.t.TableOff + r.t.Room); err != nil {
		return nil, err
	}
	if err := r.table(); err != nil {
		return nil, err
	}
	return r.t, nil
}

// read reads the first bytes of the segment.
func (r *reader) read(n uint64) error {
	b, err := r.f.BytesAt(r.f.Progs[r.prog].Vaddr, n)
	if err != nil {
		return fmt.Errorf("the table of what a reset restores (program header %d): %w", r.prog, err)
	}
	r.b = b
	return nil
}

func (r *reader) head() error {
	t, f := r.t, r.f
	if len(r.b) < HeadSize || string(r.b[:8]) != Magic {
		return r.fault("magic", 0, "0x%x bytes do not begin with %q", len(r.b), Magic)
	}
	u32 := func(at int) uint64 { return uint64(f.U32(r.b[at:])) }
	size := r.size
	if v := u32(8); v != Version {
		return r.fault("version", 8, "%d is unknown; %d is known", v, Version)
	}
	t.Flags = uint32(u32(12))
	t.Code, t.CodeSize = (t.Addr+u32(16))&f.MaxAddr(), u32(20)
	t.TableOff, t.Room = u32(24), u32(28)
	word := uint64(f.AddrSize())
	switch {
	case t.Flags&^allFlags != 0:
		return r.fault("flags", 12, "0x%x has bits that are unknown; 0x%x are known", t.Flags, allFlags)
	case u32(16) != HeadSize || t.CodeSize > size-HeadSize:
		return r.fault("code", 16, "0x%x bytes at 0x%x are not behind the head, within the 0x%x bytes of the segment", t.CodeSize, u32(16), size)
	case t.TableOff < HeadSize+t.CodeSize || t.TableOff > size || t.TableOff%word != 0:
		return r.fault("table", 24, "0x%x is no multiple of %d between the end of the code (0x%x) and that of the segment (0x%x)", t.TableOff, word, HeadSize+t.CodeSize, size)
	case t.Room > size-t.TableOff || t.Room%(4*word) != 0:
		return r.fault("room", 28, "0x%x is no multiple of %d within the 0x%x bytes of the segment behind the table", t.Room, 4*word, size-t.TableOff)
	}
	return nil
}

// row returns the four words of row i of the table.
func (r *reader) row(i uint64) (w [4]uint64, at uint64, ok bool) {
	word := uint64(r.f.AddrSize())
	if i >= MaxRows || (i+1)*4*word > r.t.Room {
		return w, 0, false
	}
	at = r.t.TableOff + i*4*word
	for k := range w {
		w[k] = r.f.Addr(r.b[at+uint64(k)*word:])
	}
	return w, at, true
}

func (r *reader) table() error {
	t, word := r.t, uint64(r.f.AddrSize())
	none := func(what string) error {
		return r.fault("end", t.TableOff+t.Room, "the 0x%x bytes of the table, or the %d rows that one may have, end before %s", t.Room, MaxRows, what)
	}
	w, at, ok := r.row(0)
	if !ok {
		return none("the first row")
	}
	t.Slot = r.abs(w[0])
	first, start := w[1], w[2]
	if first%(4*word) != 0 || first == 0 || first >= t.Room {
		return r.fault("first", at+word, "0x%x is no row of the table, whose 0x%x bytes are in rows of %d", first, t.Room, 4*word)
	}
	i := uint64(1)
	for ; ; i++ {
		if w, at, ok = r.row(i); !ok {
			return none("its last entry")
		}
		if w[1] == 0 {
			break
		}
		e, err := r.entry(w, at)
		if err != nil {
			return err
		}
		if i < first/(4*word) {
			t.Once = append(t.Once, e)
		} else {
			t.Each = append(t.Each, e)
		}
	}
	if i < first/(4*word) {
		return r.fault("first", t.TableOff+word, "row %d is beyond the last entry, %d", first/(4*word), i)
	}
	if want := t.first(word); start != want {
		return r.fault("start", t.TableOff+2*word, "0x%x is not where the first start begins, 0x%x", start, want)
	}
	t.Entry = r.abs(w[0])
	for i++; ; i++ {
		if w, at, ok = r.row(i); !ok {
			return none("the end of what is kept")
		}
		if w[1] == 0 {
			return nil
		}
		k := Kept{r.abs(w[0]), w[1], Why(w[2])}
		if k.Addr+k.Size-1 < k.Addr || k.Addr+k.Size-1 > r.f.MaxAddr() {
			return r.fault("kept", at, "0x%x bytes at 0x%x are no range of addresses", k.Size, k.Addr)
		}
		t.Kept = append(t.Kept, k)
	}
}

// abs makes an address of an offset from the head.
func (r *reader) abs(v uint64) uint64 { return (v + r.t.Addr) & r.f.MaxAddr() }

func (r *reader) entry(w [4]uint64, at uint64) (Entry, error) {
	e := Entry{r.abs(w[0]), w[1], r.abs(w[2]), w[3]}
	if e.SrcSize == 0 {
		e.Src = 0
	}
	if e.Dst+e.Size-1 < e.Dst || e.Dst+e.Size-1 > r.f.MaxAddr() || e.SrcSize > e.Size || e.Src+e.SrcSize < e.Src {
		return e, r.fault("entry", at, "0x%x bytes at 0x%x from 0x%x at 0x%x are no ranges", e.Size, e.Dst, e.SrcSize, e.Src)
	}
	return e, nil
}

// readSel4 reads the table of sel4-reset: entries of four words, destination and
// its size, source and its size; the source is 0 where all becomes zero.
func readSel4(f *elffile.File, i int) (*Table, error) {
	p := &f.Progs[i]
	word := uint64(f.AddrSize())
	var b []byte
	if p.Memsz > 0 {
		var err error
		if b, err = f.BytesAt(p.Vaddr, p.Memsz); err != nil {
			return nil, fmt.Errorf("the table of what a reset restores (program header %d): %w", i, err)
		}
	}
	if uint64(len(b))%(4*word) != 0 {
		return nil, f.ProgError(i, "p_memsz", "0x%x is not a multiple of the size of an entry (%d) of the table of what a reset restores", p.Memsz, 4*word)
	}
	if n := uint64(len(b)) / (4 * word); n > MaxRows {
		return nil, f.ProgError(i, "p_memsz", "0x%x are %d entries of the table of what a reset restores; the limit is %d", p.Memsz, n, MaxRows)
	}
	t := &Table{Prog: i, Sel4: true, Addr: p.Vaddr, Room: p.Memsz}
	for at := uint64(0); at < uint64(len(b)); at += 4 * word {
		w := func(k uint64) uint64 { return f.Addr(b[at+k*word:]) }
		e := Entry{w(0), w(1), w(2), w(3)}
		if e.Dst+e.Size < e.Dst || e.Src+e.SrcSize < e.Src || e.SrcSize > e.Size {
			return nil, f.ProgError(i, "p_vaddr", "the entry at 0x%x of the table of what a reset restores, [0x%x, +0x%x) from [0x%x, +0x%x), is no range", p.Vaddr+at, e.Dst, e.Size, e.Src, e.SrcSize)
		}
		t.Each = append(t.Each, e)
	}
	return t, nil
}
