package phdr

import (
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/all"
)

// renumberSymbols replaces st_shndx, and moves the values of symbols that are
// defined in a section which has moved. A symbol that only has that section's
// number, as __ehdr_start has the first one's, stays.
func (d *draft) renumberSymbols(s *section, number []uint32) error {
	if !d.symbolsChange(number) {
		return nil
	}
	size := d.SymSize()
	if s.Entsize != uint64(size) {
		return refusef(d.old, "section %s: the size of a symbol is %d, not %d", s.name, s.Entsize, size)
	}
	b, err := elffile.Bytes(d.window(s.Off, s.Size))
	if err != nil {
		return err
	}
	b = slices.Clone(b)
	shndx, value := 6, 8
	if !d.Is64() {
		shndx, value = 14, 4
	}
	byOld := d.byOldNumber(len(number))
	for i := 0; i+size <= len(b); i += size {
		x := d.U16(b[i+shndx:])
		if x == 0 || int(x) >= len(number) || x >= elffile.ShnLoReserve {
			continue
		}
		if byOld[x] == nil { // objcopy gives every section a symbol, also one that goes now
			d.PutU16(b[i+shndx:], uint16(elf.SHN_ABS))
			continue
		}
		d.PutU16(b[i+shndx:], uint16(number[x]))
		if in := byOld[x]; in.cut {
			if k, ok := d.holder(d.Addr(b[i+value:])); ok {
				d.PutU16(b[i+shndx:], uint16(k))
			}
		} else if in.Addr != in.orig.Addr && in.orig.Addr != 0 {
			if v := d.Addr(b[i+value:]); v >= in.orig.Addr && v-in.orig.Addr <= in.orig.Size {
				d.PutAddr(b[i+value:], v-in.orig.Addr+in.Addr)
				d.symbolMoved(s, b[i:i+size], v, v-in.orig.Addr+in.Addr)
			}
		}
	}
	d.Body.Put(int64(s.Off), elffile.Buffer(b))
	if s.Has(elf.SHF_ALLOC) {
		d.changesFile(s.Off, s.Size)
	}
	return nil
}

// symbolsChange says whether any section that a symbol may be in has another
// number or place now.
func (d *draft) symbolsChange(number []uint32) bool {
	for i := range d.secs {
		s := &d.secs[i]
		if s.was >= 0 && (number[s.was] != uint32(s.was) || s.Addr != s.orig.Addr || s.cut) {
			return true
		}
	}
	return false
}

func (d *draft) byOldNumber(n int) []*section {
	out := make([]*section, n)
	for i := range d.secs {
		if s := &d.secs[i]; s.was >= 0 {
			out[s.was] = s
		}
	}
	return out
}

// symbolMoved reports a symbol that has a name.
func (d *draft) symbolMoved(table *section, sym []byte, from, to uint64) {
	info := sym[4]
	if !d.Is64() {
		info = sym[12]
	}
	name := "section symbol"
	if link := table.orig.Link; elf.ST_TYPE(info) != elf.STT_SECTION && int64(link) < int64(len(d.old.Sections())) {
		if strs, err := d.old.SectionData(int(link)); err == nil {
			if s, ok := elffile.CString(strs, uint64(d.U32(sym))); ok {
				name = string(s)
			}
		}
	}
	d.moves = append(d.moves, Move{Kind: "symbol", Name: name, FromAddr: Hex(from), ToAddr: Hex(to)})
}

// checkNoteSymbols fixes notes that have a name in the program, other than those
// which compilers and start files give without using them: code may have the
// address of such a one.
func (d *draft) checkNoteSymbols(r *region) {
	if d.facts.noteNames == nil {
		d.facts.noteNames = d.findNoteNames()
	}
	if name, ok := d.facts.noteNames[d.secs[r.secs[0]].was]; ok {
		r.fix("the symbol %s names it, and code may have its address", name)
	}
}

// facts are what was found out about a file, and is the same for every draft.
type facts struct {
	noteNames map[int]string // symbols that name notes, by section
}

// findNoteNames looks once through all symbols for such names.
func (d *draft) findNoteNames() map[int]string {
	table := d.old.Sections()
	note := make([]bool, elffile.ShnLoReserve)
	for i := range min(len(table), len(note)) {
		note[i] = table[i].Type == elf.SHT_NOTE && table[i].Has(elf.SHF_ALLOC)
	}
	names := make(map[int]string)
	for i := range table {
		if table[i].Type != elf.SHT_SYMTAB && table[i].Type != elf.SHT_DYNSYM {
			continue
		}
		t, err := d.old.SymbolTable(i)
		if err != nil {
			continue
		}
		for k := range t.Len() {
			sym := t.At(k)
			if int(sym.Shndx) >= len(note) || !note[sym.Shndx] {
				continue
			}
			s := &table[sym.Shndx]
			inside := sym.Value >= s.Addr && sym.Value-s.Addr < s.Size
			if name := string(t.Name(sym)); inside && suspicious(sym, name) {
				names[int(sym.Shndx)] = name
			}
		}
	}
	return names
}

// suspicious says whether a symbol within a note looks as if code used it.
// Local objects are the notes themselves as C or assembly wrote them (__abi_tag
// of crt1.o).
func suspicious(s elffile.Symbol, name string) bool {
	if s.Type() == elf.STT_SECTION || s.Type() == elf.STT_FILE || strings.HasPrefix(name, "$") {
		return false // the last are mapping symbols of the Arm and RISC-V psABIs
	}
	return s.Bind() != elf.STB_LOCAL || s.Type() == elf.STT_FUNC || strings.HasPrefix(name, "__start_")
}

// checkUnreferenced refuses to move bytes that a relocation writes to, or whose
// address one writes somewhere: data of the program points to them.
func (d *draft) checkUnreferenced(e *eviction) error {
	var where []*region
	for _, s := range e.stay {
		where = append(where, s.region)
	}
	where = append(where, e.out...)
	if len(where) == 0 || len(d.dyn) == 0 {
		return nil
	}
	tables, err := d.old.DynamicRelocTables()
	if err != nil {
		return notHeref("the dynamic relocations cannot be read: %v", err)
	}
	w := newWatch(d, where)
	for _, t := range tables {
		if err := w.table(t); err != nil {
			return err
		}
	}
	return nil
}

// A watch is a set of addresses that relocations must leave alone.
type watch struct {
	d      *draft
	types  *machine.Table // of the machine; nil: not known
	ranges []watched
	lo, hi uint64 // around all of them
}

type watched struct {
	*region
	addr uint64
}

func newWatch(d *draft, where []*region) *watch {
	w := &watch{d: d, lo: ^uint64(0)}
	if m := all.Lookup(d.Header.Machine, d.Class); m != nil {
		w.types = m.Relocs
	}
	for _, r := range where {
		addr := d.oldAddr(r.off)
		w.ranges = append(w.ranges, watched{r, addr})
		w.lo, w.hi = min(w.lo, addr), max(w.hi, addr+r.size())
	}
	return w
}

// oldAddr is the address of file bytes in the PT_LOAD of the table.
func (d *draft) oldAddr(off uint64) uint64 { return off + d.bias() }

func (w *watch) at(v uint64) *region {
	if v < w.lo || v >= w.hi {
		return nil
	}
	for _, r := range w.ranges {
		if v >= r.addr && v-r.addr < r.size() {
			return r.region
		}
	}
	return nil
}

// relative says whether relocations of a type add the load bias to an address of
// this file: those whose formula has B and no symbol. Of an unknown machine all
// may.
func (w *watch) relative(typ uint32) bool {
	if w.types == nil {
		return true
	}
	row := w.types.Lookup(typ)
	return row != nil && strings.ContainsAny(string(row.Formula), "BbD") && !strings.Contains(string(row.Formula), "S")
}

func (w *watch) table(t *elffile.RelocTable) error {
	if n := t.Len() * w.d.RelaSize(); t.Kind == "RELA" && n > 0 && t.Size == uint64(n) {
		return w.rela(t)
	}
	for rel := range t.All() {
		if err := w.reloc(t, rel); err != nil {
			return err
		}
	}
	return nil
}

// rela looks at the bytes of the longest tables, of which there may be millions of
// entries, and decodes those alone whose numbers might be a hit.
func (w *watch) rela(t *elffile.RelocTable) error {
	size := w.d.RelaSize()
	b, err := w.d.old.Body.Bytes(uint64(t.Offset), uint64(t.Len()*size))
	if err != nil {
		return notHeref("the dynamic relocations cannot be read: %v", err)
	}
	addend := size - w.d.AddrSize()
	for i := 0; len(b) >= size; i, b = i+1, b[size:] {
		if w.d.Addr(b)-w.lo >= w.hi-w.lo && w.d.Addr(b[addend:])-w.lo >= w.hi-w.lo {
			continue
		}
		if err := w.reloc(t, t.At(i)); err != nil {
			return err
		}
	}
	return nil
}

func (w *watch) reloc(t *elffile.RelocTable, rel elffile.Reloc) error {
	if r := w.at(rel.Off); r != nil {
		return notHeref("%v is in the way, and a relocation in it is applied at run time", r)
	}
	if rel.Sym != 0 {
		return nil
	}
	v := uint64(rel.Addend)
	if !t.HasAddend {
		b, err := w.d.old.BytesAt(rel.Off, uint64(w.d.AddrSize()))
		if err != nil {
			return nil
		}
		v = w.d.Addr(b)
	}
	if !w.d.Is64() {
		v = uint64(uint32(v))
	}
	if r := w.at(v); r != nil && w.relative(rel.Type) {
		return notHeref("%v is in the way, and the relocation at 0x%x has its address 0x%x", r, rel.Off, v)
	}
	return nil
}
