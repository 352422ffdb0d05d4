package elffile

import (
	"debug/elf"
	"errors"
)

// Symbol is an entry of a symbol table (gABI, "Symbol Table"), as stored.
type Symbol struct {
	Name  uint32 // offset in the table's string table
	Info  uint8
	Other uint8
	Shndx uint16 // see [SymbolTable.Section]
	Value uint64
	Size  uint64
}

// Bind is the upper half of st_info.
func (s Symbol) Bind() elf.SymBind { return elf.SymBind(s.Info >> 4) }

// Type is the lower half of st_info.
func (s Symbol) Type() elf.SymType { return elf.SymType(s.Info & 0xf) }

// Visibility is the lowest two bits of st_other.
func (s Symbol) Visibility() elf.SymVis { return elf.SymVis(s.Other & 3) }

// SymbolTable is a symbol table: a window whose entries are decoded when they
// are asked for.
type SymbolTable struct {
	Index   int    // of its section, or -1 for one found by PT_DYNAMIC
	Offset  int64  // in the file
	Addr    uint64 // virtual address, 0 if it is not loaded
	CountBy string // what told the number of symbols: "sh_size", "DT_HASH", "DT_GNU_HASH", "DT_MIPS_SYMTABNO", "next table"
	Strings []byte // its string table

	format Format
	b      []byte
	stride int
	n      int
	shndx  []byte // of SHT_SYMTAB_SHNDX: a word for each symbol
}

// sunwLdynsym is Solaris's table of local function symbols beside .dynsym.
const sunwLdynsym = elf.SectionType(0x6ffffff3)

// SymbolTable returns the symbol table that is section i. It is never nil: with
// an error it has what could be read.
func (f *File) SymbolTable(i int) (*SymbolTable, error) {
	var c Faults
	t, err := f.symbolEntries(i)
	c.Add(err)
	if t.n > 0 {
		t.shndx, err = f.extendedIndices(i, t.n)
		c.Add(err)
	}
	return t, c.Err()
}

// symbolEntries is SymbolTable without extended section indices.
func (f *File) symbolEntries(i int) (*SymbolTable, error) {
	t := &SymbolTable{Index: i, Offset: -1, CountBy: "sh_size", format: f.Format, stride: f.SymSize()}
	if err := f.checkSection(i); err != nil {
		return t, err
	}
	s := &f.sections[i]
	switch s.Type {
	case elf.SHT_SYMTAB, elf.SHT_DYNSYM, sunwLdynsym:
	default:
		return t, f.SectionError(i, "sh_type", "%s is not a symbol table", SectionTypeName(f.Header.Machine, s.Type))
	}
	var c Faults
	var err error
	t.Offset, t.Addr = int64(s.Off), s.Addr
	t.b, t.stride, t.n, err = f.sectionEntries(i, f.SymSize())
	c.Add(err)
	t.Strings, err = f.linkedStrings(i)
	c.Add(err)
	return t, c.Err()
}

// extendedIndices returns the SHT_SYMTAB_SHNDX that belongs to symbol table i,
// or nil if there is none.
func (f *File) extendedIndices(i, symbols int) ([]byte, error) {
	for x := range f.sections {
		if s := &f.sections[x]; s.Type != elf.SHT_SYMTAB_SHNDX || s.Link != uint32(i) {
			continue
		}
		b, err := f.SectionData(x)
		if err == nil && len(b)/4 < symbols {
			err = f.SectionError(x, "sh_size", "0x%x has room for the section indices of %d symbols; section %d has %d", f.sections[x].Size, len(b)/4, i, symbols)
		}
		return b, err
	}
	return nil, nil
}

// Len is the number of symbols, the null symbol included.
func (t *SymbolTable) Len() int { return t.n }

// At returns symbol i.
func (t *SymbolTable) At(i int) Symbol {
	f, b := t.format, t.b[i*t.stride:]
	if f.Is64() {
		b = b[:24]
		return Symbol{f.U32(b), b[4], b[5], f.U16(b[6:]), f.U64(b[8:]), f.U64(b[16:])}
	}
	b = b[:16]
	return Symbol{f.U32(b), b[12], b[13], f.U16(b[14:]), uint64(f.U32(b[4:])), uint64(f.U32(b[8:]))}
}

// Raw returns the entries as they are stored, and their distance: for look-ups by
// the million. There are Len of them; the last one may be shorter than the
// distance, but is whole.
func (t *SymbolTable) Raw() (b []byte, stride int) { return t.b, t.stride }

// Name returns a symbol's name: a window on the string table.
func (t *SymbolTable) Name(s Symbol) []byte {
	name, _ := cstring(t.Strings, uint64(s.Name))
	return name
}

// Section returns the section index of symbol i. Where st_shndx is SHN_XINDEX it
// is the one in SHT_SYMTAB_SHNDX; without such a table it stays SHN_XINDEX. A
// reserved index (SHN_ABS and the like) is returned as it is; in a file with
// more than 0xff00 sections only At(i).Shndx tells it from a true index.
func (t *SymbolTable) Section(i int) uint32 {
	shndx := t.At(i).Shndx
	if shndx == ShnXindex && i < len(t.shndx)/4 {
		return t.format.U32(t.shndx[4*i:])
	}
	return uint32(shndx)
}

// DynamicSymbolTable returns the symbol table that DT_SYMTAB names, without help
// of section headers. ELF tells its number of symbols nowhere: it is taken from
// DT_HASH or DT_GNU_HASH, and where neither tells, the table reaches to the next
// one in memory. The result is never nil; without PT_DYNAMIC and DT_SYMTAB it is
// empty.
func (f *File) DynamicSymbolTable() (*SymbolTable, error) {
	d, err := f.Dynamic()
	t, terr := f.dynamicSymbols(d)
	return t, errors.Join(err, terr)
}

func (f *File) dynamicSymbols(d *Dynamic) (*SymbolTable, error) {
	return f.symbolsBy(d, &hashes{f: f, d: d})
}

// symbolsBy is dynamicSymbols with the hash tables that were read, or will be.
func (f *File) symbolsBy(d *Dynamic, h *hashes) (*SymbolTable, error) {
	t := &SymbolTable{Index: -1, Offset: -1, format: f.Format, stride: f.SymSize(), Strings: d.Strings}
	symtab, ok := d.Entry(elf.DT_SYMTAB)
	if !ok || d.Prog < 0 {
		return t, nil
	}
	var c Faults
	if e, ok := d.Entry(elf.DT_SYMENT); ok && e.Val != uint64(f.SymSize()) {
		c.Add(f.dynError(e, "%d is not the size of a symbol (%d)", e.Val, f.SymSize()))
		if e.Val > uint64(f.SymSize()) && e.Val < 1<<16 {
			t.stride = int(e.Val)
		}
	}
	if _, ok := f.spanAt(symtab.Val); !ok {
		c.Add(f.dynError(symtab, "address 0x%x is in the file bytes of no PT_LOAD", symtab.Val))
		return t, c.Err()
	}
	var n uint64
	var err error
	n, t.CountBy, err = f.countDynamicSymbols(d, h, symtab.Val, uint64(t.stride))
	c.Add(err)
	size := n * uint64(t.stride)
	if n > 1<<40 {
		size = 1 << 56 // more than any file has, and no overflow
	}
	t.Addr = symtab.Val
	t.b, t.Offset, err = f.tableAt(symtab, size)
	c.Add(err)
	t.n, _ = entryCount(len(t.b), t.stride, f.SymSize())
	return t, c.Err()
}

// countDynamicSymbols tells the number of dynamic symbols, and by what.
func (f *File) countDynamicSymbols(d *Dynamic, hash *hashes, symtab, stride uint64) (n uint64, by string, err error) {
	var c Faults
	if n, ok := d.Value(dtMipsSymtabno); ok && f.Header.Machine == elf.EM_MIPS {
		return n, "DT_MIPS_SYMTABNO", nil
	}
	if h, err := hash.sysv(); err != nil {
		c.Add(err)
	} else if h != nil {
		return h.Count(), "DT_HASH", nil
	}
	if h, err := hash.gnu(); err != nil {
		c.Add(err)
	} else if h != nil {
		// A table without hashed symbols has no end to count to: what linkers
		// write as its first hashed symbol is not the number of symbols.
		if n := h.Count(); n > 0 {
			return n, "DT_GNU_HASH", nil
		}
	}
	return f.nextTable(d, symtab) / stride, "next table", c.Err()
}

// nextTable returns how many bytes there are from an address to the next table
// that the dynamic section names, or to the end of the PT_LOAD's file bytes.
func (f *File) nextTable(d *Dynamic, addr uint64) uint64 {
	s, _ := f.spanAt(addr)
	n := s.n
	for _, e := range d.Entries {
		switch e.Tag {
		case elf.DT_STRTAB, elf.DT_HASH, elf.DT_GNU_HASH, elf.DT_RELA, elf.DT_REL, elf.DT_JMPREL, dtRelr, elf.DT_VERSYM, elf.DT_VERNEED,
			elf.DT_VERDEF, elf.DT_INIT, elf.DT_INIT_ARRAY, elf.DT_PLTGOT:
			if e.Val > addr {
				n = min(n, e.Val-addr)
			}
		}
	}
	return n
}
