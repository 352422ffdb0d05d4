package phdr

import (
	"debug/elf"

	"elfwright/elffile"
)

// Dynamic tags that debug/elf does not have.
const (
	dtRelrsz = elf.DynTag(35) // gABI
	dtRelr   = elf.DynTag(36)
)

// dynTable is a table that the dynamic section points to, and that nobody finds
// in another way.
type dynTable struct {
	tag, size elf.DynTag // size 0: the table tells its own
}

// dynTables are the tables that may be moved.
func dynTables() []dynTable {
	return []dynTable{
		{tag: elf.DT_HASH}, {tag: elf.DT_GNU_HASH}, {tag: elf.DT_SYMTAB},
		{tag: elf.DT_STRTAB, size: elf.DT_STRSZ},
		{tag: elf.DT_VERSYM}, {tag: elf.DT_VERNEED}, {tag: elf.DT_VERDEF},
		{tag: elf.DT_RELA, size: elf.DT_RELASZ}, {tag: elf.DT_REL, size: elf.DT_RELSZ},
		{tag: elf.DT_JMPREL, size: elf.DT_PLTRELSZ}, {tag: dtRelr, size: dtRelrsz},
	}
}

// dynValue returns the value of a dynamic entry.
func (d *draft) dynValue(tag elf.DynTag) (uint64, bool) {
	for i := len(d.dyn) - 1; i >= 0; i-- {
		if d.dyn[i].Tag == tag {
			return d.dyn[i].Val, true
		}
	}
	return 0, false
}

// classifyTable decides whether [addr, addr+size) is a table of the dynamic
// section: some entry points to its start and no table that starts elsewhere
// reaches into it.
func (d *draft) classifyTable(r *region, addr, size uint64) {
	r.fix("code may have its address")
	if d.dynErr != nil {
		return
	}
	inside := func(v uint64) bool { return v > addr && v-addr < size }
	for _, t := range dynTables() {
		start, ok := d.dynValue(t.tag)
		if !ok {
			continue
		}
		n, sized := d.dynValue(t.size)
		sized = sized && t.size != 0
		switch {
		case start == addr && sized && n > size:
			r.fix("%v says it has 0x%x bytes, the section 0x%x", t.tag, n, size)
			return
		case start == addr:
			r.kind, r.why = regionTable, ""
		case inside(start):
			r.fix("%v points into it", t.tag)
			return
		case sized && start < addr && addr < start+n:
			r.fix("%v reaches into it", t.tag)
			return
		}
	}
	if r.kind == regionTable {
		d.checkOtherTags(r, addr, size)
	}
}

// checkOtherTags fixes a table that an entry of another kind points to.
func (d *draft) checkOtherTags(r *region, addr, size uint64) {
	for _, e := range d.dyn {
		if e.Val >= addr && e.Val-addr < size && !isDynTable(e.Tag) && !isDynNumber(e.Tag) {
			r.fix("%v points into it", e.Tag)
			return
		}
	}
}

func isDynTable(tag elf.DynTag) bool {
	for _, t := range dynTables() {
		if t.tag == tag {
			return true
		}
	}
	return false
}

// isDynNumber says whether d_val is a number or an offset in the string table,
// not an address (gABI, "Dynamic Section"; even and odd tags tell it for the
// newer ones, and the ranges of Sun).
func isDynNumber(tag elf.DynTag) bool {
	switch tag {
	case elf.DT_NULL, elf.DT_NEEDED, elf.DT_PLTRELSZ, elf.DT_RELASZ, elf.DT_RELAENT, elf.DT_STRSZ, elf.DT_SYMENT,
		elf.DT_SONAME, elf.DT_RPATH, elf.DT_SYMBOLIC, elf.DT_RELSZ, elf.DT_RELENT, elf.DT_PLTREL, elf.DT_DEBUG,
		elf.DT_TEXTREL, elf.DT_BIND_NOW, elf.DT_INIT_ARRAYSZ, elf.DT_FINI_ARRAYSZ, elf.DT_RUNPATH, elf.DT_FLAGS,
		elf.DT_PREINIT_ARRAYSZ, dtRelrsz, elf.DynTag(37), // DT_RELRENT
		elf.DT_RELACOUNT, elf.DT_RELCOUNT, elf.DT_FLAGS_1, elf.DT_VERDEFNUM, elf.DT_VERNEEDNUM,
		elf.DT_AUXILIARY, elf.DT_FILTER:
		return true
	}
	return tag >= elf.DT_VALRNGLO && tag <= elf.DT_VALRNGHI
}

// dynamicRegions makes regions of the tables that the dynamic section names, for
// a file without section headers. Where their sizes do not meet, fillGaps finds
// that the map is no proof.
func (d *draft) dynamicRegions(limit uint64) []*region {
	var rs []*region
	for _, t := range dynTables() {
		addr, ok := d.dynValue(t.tag)
		if !ok {
			continue
		}
		off, have, ok := d.OffsetOf(addr)
		if !ok || off >= limit {
			continue
		}
		n := d.tableSize(t)
		r := &region{off: off, end: off + n, name: t.tag.String(), align: uint64(d.AddrSize())}
		if n == 0 || n > have {
			r.end = off + 1
			r.fix("its size is not known")
		} else {
			d.classifyTable(r, addr, n)
		}
		rs = append(rs, r)
	}
	return rs
}

// tableSize is the size of a table of the dynamic section; 0: not known.
func (d *draft) tableSize(t dynTable) uint64 {
	if t.size != 0 {
		n, _ := d.dynValue(t.size)
		return n
	}
	symbols := uint64(0)
	if s, err := d.old.DynamicSymbolTable(); err == nil {
		symbols = uint64(s.Len())
	}
	switch t.tag {
	case elf.DT_SYMTAB:
		return symbols * uint64(d.SymSize())
	case elf.DT_VERSYM:
		return symbols * 2
	case elf.DT_HASH:
		if h, err := d.old.SysvHash(); err == nil && h != nil {
			return 4 * uint64(2+h.Buckets.Len()+h.Chains.Len())
		}
	case elf.DT_GNU_HASH:
		if h, err := d.old.GnuHash(); err == nil && h != nil {
			return 16 + uint64(h.Bloom.Len()*d.AddrSize()) + 4*uint64(h.Buckets.Len()+h.Chains.Len())
		}
	}
	return 0
}

// repoint makes the dynamic section point to where a table went.
func (d *draft) repoint(from, to uint64) {
	for _, e := range d.dyn {
		if e.Val != from || !isDynTable(e.Tag) {
			continue
		}
		off := d.dynOffset(e)
		b := make([]byte, d.AddrSize())
		d.PutAddr(b, to)
		d.Body.Put(off+int64(d.AddrSize()), elffile.Buffer(b))
		d.changesFile(uint64(off), uint64(d.DynSize()))
		d.moves = append(d.moves, Move{Kind: "dynamic", Name: e.Tag.String(), FromAddr: Hex(from), ToAddr: Hex(to)})
	}
}

// dynOffset is where a dynamic entry is in the draft.
func (d *draft) dynOffset(e elffile.Dyn) int64 {
	was := progIndex(d.old.Progs, elf.PT_DYNAMIC)
	now := progIndex(d.Progs, elf.PT_DYNAMIC)
	return e.Off - int64(d.old.Progs[was].Off) + int64(d.Progs[now].Off)
}
