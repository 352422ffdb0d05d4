package bind

import (
	"debug/elf"
	"fmt"

	"elfwright/dyn/load"
	"elfwright/elffile"
)

// Tags and values that debug/elf does not have.
const (
	dtRelaCount        = elf.DynTag(0x6ffffff9)
	dtRelCount         = elf.DynTag(0x6ffffffa)
	dtAArch64Variant   = elf.DynTag(0x70000005)
	stoAArch64Variant  = 0x80
	formRel, formRela  = "REL", "RELA"
	formRelr, nameSlot = "RELR", "JMPREL"
)

// collector lists the symbols that the relocations of an object ask for, each
// symbol and class once, in the order in which they are first met.
type collector struct {
	t        *table
	index    int32 // of the object
	act      *actions
	libc     load.Libc
	version  load.Version // of glibc; zero where it is not known
	lazy     bool         // slots of this object may stay unbound until they are called
	variant  bool         // AArch64: symbols with a calling convention of their own are bound at once
	seen     []uint8      // for each symbol, a bit for each class, and one for a class met lazily
	out      []Binding
	lo, size uint64         // the segment that the last place was in
	slots    map[uint32]int // where the lazy ones of out[:slotsTo] are
	slotsTo  int
	faults   elffile.Faults
}

const seenLazy = 1 << 3

// collect goes over the tables of an object in the order of glibc: REL, RELA,
// JMPREL (elf/dynamic-link.h, _ELF_DYNAMIC_DO_RELOC).
func (c *collector) collect() {
	for _, t := range c.t.obj.Relocs {
		if err := c.refuse(t); err != nil {
			c.faults.Add(err)
			continue
		}
		if t.Kind != formRelr { // relative ones have no symbol
			c.table(t)
		}
	}
}

// refuse is an error for a kind of table that the dynamic linker would not read.
func (c *collector) refuse(t *elffile.RelocTable) error {
	m := c.act.m
	switch t.Kind {
	case formRela:
		return nil
	case formRelr:
		// glibc reads it since 2.36, musl since 1.2.4.
		if c.libc == load.Musl || !c.before(2, 36) {
			return nil
		}
	case formRel:
		// musl reads both on every machine (reloc_all), glibc also where the
		// psABI has REL (sysdeps/i386/dl-machine-rel.h).
		if c.libc == load.Musl || m.REL {
			return nil
		}
	}
	return &elffile.Error{File: c.t.obj.Name, Struct: t.Name, Off: t.Offset,
		Msg: fmt.Sprintf("%s relocations are not read by the dynamic linker of %s on %s; %d of them are left out", t.Kind, libcName(c.libc), m.Name, t.Len())}
}

// before says whether the dynamic linker is known to be older.
func (c *collector) before(major, minor int) bool {
	return c.version != load.Version{} && c.version.Before(major, minor)
}

func libcName(l load.Libc) string {
	if l == load.Musl {
		return "musl"
	}
	return "glibc"
}

// table goes over one table. Of the relative relocations that DT_RELACOUNT or
// DT_RELCOUNT announces, glibc looks at nothing but their places.
func (c *collector) table(t *elffile.RelocTable) {
	lazy := c.lazy && t.Name == nameSlot
	n := c.length(t)
	for i := c.relative(t, n); i < n; i++ {
		r := t.At(i)
		act := c.act.of(r.Type)
		if act > noSymbol && r.Sym != 0 {
			if uint64(r.Sym) >= uint64(c.t.nsyms) {
				c.badSymbol(t, i, r.Sym)
				continue
			}
			if r.Off-c.lo >= c.size && !c.inSegment(r.Off) {
				c.badPlace(t, i, r.Off)
			}
			c.note(r.Sym, act.class(), lazy && r.Type == c.act.slot && !c.isVariant(r.Sym))
		} else if act == refused {
			c.badType(t, i, r.Type)
		}
	}
}

// length is the number of relocations of a table without those that JMPREL, at its
// end, has too (elf/dynamic-link.h: "the very end of the DT_REL*").
func (c *collector) length(t *elffile.RelocTable) int {
	n := t.Len()
	if t.Name == nameSlot {
		return n
	}
	for _, j := range c.t.obj.Relocs {
		if j.Name == nameSlot && j.Kind == t.Kind && j.Size > 0 && j.Size <= t.Size && j.Offset >= t.Offset &&
			j.Offset+int64(j.Size) == t.Offset+int64(t.Size) {
			return n - j.Len()
		}
	}
	return n
}

// relative is the number of relocations to pass over at the beginning of a table.
func (c *collector) relative(t *elffile.RelocTable, n int) int {
	tag := dtRelaCount
	switch {
	case t.Name == formRel:
		tag = dtRelCount
	case t.Name != formRela:
		return 0
	}
	if c.libc == load.Musl { // which looks at every one
		return 0
	}
	v, _ := c.t.obj.Dynamic.Value(tag)
	return int(min(v, uint64(n)))
}

// note takes a symbol down, unless it was met with that class before.
func (c *collector) note(sym uint32, class Class, lazy bool) {
	bit := uint8(1) << class
	seen := &c.seen[sym]
	if *seen&bit == 0 {
		*seen |= bit
		if lazy {
			*seen |= seenLazy
		}
		c.out = append(c.out, Binding{From: c.index, To: -1, Symbol: sym, Class: class, Lazy: lazy})
		return
	}
	// What some relocation wants now is bound now.
	if !lazy && class == PLT && *seen&seenLazy != 0 {
		*seen &^= seenLazy
		c.out[c.slotOf(sym)].Lazy = false
	}
}

// slotOf is where in out a symbol that was met lazily is.
func (c *collector) slotOf(sym uint32) int {
	if c.slots == nil {
		c.slots = map[uint32]int{}
	}
	for ; c.slotsTo < len(c.out); c.slotsTo++ {
		if b := &c.out[c.slotsTo]; b.Lazy {
			c.slots[b.Symbol] = c.slotsTo
		}
	}
	return c.slots[sym]
}

// isVariant says whether a slot is bound at once because its function does not keep
// the registers that the lazy resolver relies on (glibc, sysdeps/aarch64/dl-machine.h,
// elf_machine_lazy_rel).
func (c *collector) isVariant(sym uint32) bool {
	return c.variant && c.t.sym(sym).other&stoAArch64Variant != 0
}

// inSegment says whether a place is in some PT_LOAD, and keeps which.
func (c *collector) inSegment(place uint64) bool {
	for i := range c.t.obj.Progs {
		p := &c.t.obj.Progs[i]
		if p.Type == elf.PT_LOAD && place >= p.Vaddr && place-p.Vaddr < p.Memsz {
			c.lo, c.size = p.Vaddr, p.Memsz
			return true
		}
	}
	return false
}

func (c *collector) badPlace(t *elffile.RelocTable, i int, place uint64) {
	if off := c.offset(t, i); !c.faults.Full() {
		c.faults.Add(&elffile.Error{File: c.t.obj.Name, Struct: fmt.Sprintf("%s[%d]", t.Name, i), Field: "r_offset", Off: max(off-int64(c.t.obj.AddrSize()), -1),
			Msg: fmt.Sprintf("0x%x is in no segment", place)})
	}
}

func (c *collector) badSymbol(t *elffile.RelocTable, i int, sym uint32) {
	if !c.faults.Full() {
		c.faults.Add(&elffile.Error{File: c.t.obj.Name, Struct: fmt.Sprintf("%s[%d]", t.Name, i), Field: "r_info", Off: c.offset(t, i),
			Msg: fmt.Sprintf("symbol %d: the table has %d symbols", sym, c.t.nsyms)})
	}
}

func (c *collector) badType(t *elffile.RelocTable, i int, typ uint32) {
	if c.faults.Full() {
		return
	}
	name := c.act.m.Relocs.Name(typ)
	if name == "" {
		name = fmt.Sprintf("relocation type %d", typ)
	}
	c.faults.Add(&elffile.Error{File: c.t.obj.Name, Struct: fmt.Sprintf("%s[%d]", t.Name, i), Field: "r_info", Off: c.offset(t, i),
		Msg: fmt.Sprintf("%s is not one that the dynamic linker of %s takes on %s", name, libcName(c.libc), c.act.m.Name)})
}

// offset is where r_info of relocation i is in the file, -1 in packed tables.
func (c *collector) offset(t *elffile.RelocTable, i int) int64 {
	f := c.t.obj
	size := f.RelSize()
	switch t.Kind {
	case formRela:
		size = f.RelaSize()
	case formRel:
	default:
		return -1
	}
	if n := t.Len(); n > 1 { // entries may lie further apart than they are long
		size = int((t.Size - uint64(size)) / uint64(n-1))
	}
	return t.Offset + int64(i)*int64(size) + int64(f.AddrSize())
}
