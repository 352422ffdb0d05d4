package elftest

import (
	"debug/elf"
	"slices"
)

// Symbol is one entry of a symbol table.
type Symbol struct {
	Name string
	// Section is where the symbol is defined; Value is then an offset in it, and
	// the section's address is added. Without it Value is stored as it is.
	Section string
	Value   uint64
	Size    uint64
	Bind    elf.SymBind
	Type    elf.SymType
	Other   uint8 // visibility and processor bits
	// Index is used if Section is empty: SHN_UNDEF, SHN_ABS, SHN_COMMON, …
	Index elf.SectionIndex
	// XIndex stores the index in the SHT_SYMTAB_SHNDX section though it is small.
	XIndex bool
}

// Symbols is a symbol table; the null symbol comes by itself. Local symbols must
// come first. In a section named .dynsym it is of type SHT_DYNSYM.
type Symbols []Symbol

// shndx returns st_shndx and the entry for the extended index table.
func (s Symbol) shndx(e *Env) (uint16, uint32) {
	if s.Section == "" {
		return uint16(s.Index), 0
	}
	i := e.Index(s.Section)
	if s.XIndex || i >= shnLoReserve {
		return shnXIndex, i
	}
	return uint16(i), 0
}

func (s Symbol) value(e *Env) uint64 {
	if s.Section == "" {
		return s.Value
	}
	return s.Value + e.Addr(s.Section)
}

// Encode returns the table.
func (c Symbols) Encode(e *Env) []byte {
	w := e.Writer()
	for _, s := range append(Symbols{{}}, c...) {
		index, _ := s.shndx(e)
		info := elf.ST_INFO(s.Bind, s.Type)
		w.U32(e.Str(s.Name))
		if e.Is64() {
			w.U8(info)
			w.U8(s.Other)
			w.U16(index)
			w.U64(s.value(e))
			w.U64(s.Size)
			continue
		}
		w.U32(uint32(s.value(e)))
		w.U32(uint32(s.Size))
		w.U8(info)
		w.U8(s.Other)
		w.U16(index)
	}
	return w.B
}

func (c Symbols) wants(e *Env) wants {
	w := wants{typ: elf.SHT_SYMTAB, link: ".strtab", align: e.Word(), entsize: symSize(e.Is64())}
	if e.Self == ".dynsym" {
		w.typ, w.link = elf.SHT_DYNSYM, ".dynstr"
	}
	// gABI, sh_info of a symbol table: one more than the last local symbol.
	w.info = uint32(len(c)) + 1
	if i := slices.IndexFunc(c, func(s Symbol) bool { return s.Bind != elf.STB_LOCAL }); i >= 0 {
		w.info = uint32(i) + 1
	}
	return w
}

func symSize(is64 bool) uint64 {
	if is64 {
		return 24
	}
	return 16
}

// SymbolIndexes is the SHT_SYMTAB_SHNDX section of the linked symbol table.
type SymbolIndexes struct{}

// Encode returns the indexes of the symbols that need them.
func (SymbolIndexes) Encode(e *Env) []byte {
	w := e.Writer()
	for _, s := range e.symbols(e.Link) {
		_, x := s.shndx(e)
		w.U32(x)
	}
	return w.B
}

func (SymbolIndexes) wants(*Env) wants {
	return wants{typ: elf.SHT_SYMTAB_SHNDX, link: ".symtab", align: 4, entsize: 4}
}

// Reloc is one relocation entry.
type Reloc struct {
	// Section is where the place is; Off is then an offset in it.
	Section string
	Off     uint64
	// Sym names a symbol of the linked table; SymIndex is used if it is empty.
	Sym      string
	SymIndex uint32
	Type     uint32
	Addend   int64
	// AddendIn is a section whose address is added to Addend.
	AddendIn string
}

func (r Reloc) place(e *Env) uint64 {
	if r.Section == "" {
		return r.Off
	}
	return r.Off + e.Addr(r.Section)
}

// info packs symbol and type (gABI, Relocation: ELF32_R_INFO, ELF64_R_INFO). The
// different layout of 64-bit MIPS is not supported.
func (r Reloc) info(e *Env) uint64 {
	sym := r.SymIndex
	if r.Sym != "" {
		sym = e.symbol(e.Link, r.Sym)
	}
	if e.Is64() {
		return elf.R_INFO(sym, r.Type)
	}
	return uint64(elf.R_INFO32(sym, r.Type))
}

// Rel is a table of relocations without addends.
type Rel []Reloc

// Encode returns the table.
func (c Rel) Encode(e *Env) []byte {
	w := e.Writer()
	for _, r := range c {
		w.Addr(r.place(e))
		w.Addr(r.info(e))
	}
	return w.B
}

func (c Rel) wants(e *Env) wants {
	return wants{typ: elf.SHT_REL, link: relocLink(e), align: e.Word(), entsize: 2 * e.Word()}
}

// Rela is a table of relocations with addends.
type Rela []Reloc

// Encode returns the table.
func (c Rela) Encode(e *Env) []byte {
	w := e.Writer()
	for _, r := range c {
		add := uint64(r.Addend)
		if r.AddendIn != "" {
			add += e.Addr(r.AddendIn)
		}
		w.Addr(r.place(e))
		w.Addr(r.info(e))
		w.Addr(add)
	}
	return w.B
}

func (c Rela) wants(e *Env) wants {
	return wants{typ: elf.SHT_RELA, link: relocLink(e), align: e.Word(), entsize: 3 * e.Word()}
}

func relocLink(e *Env) string {
	if e.Type == elf.ET_REL {
		return ".symtab"
	}
	return ".dynsym"
}

// Relr is the packed table of relative relocations at these offsets of a
// section, ascending and even (gABI, Relocation: SHT_RELR).
type Relr struct {
	Section string
	Offs    []uint64
}

// Encode returns the table: an even word is an address, an odd one a bitmap of
// the words behind the last address.
func (c Relr) Encode(e *Env) []byte {
	w := e.Writer()
	word := e.Word()
	bits := word*8 - 1
	base := e.Addr(c.Section)
	for i := 0; i < len(c.Offs); {
		w.Addr(base + c.Offs[i])
		next := c.Offs[i] + word
		i++
		for {
			var bitmap uint64
			for ; i < len(c.Offs); i++ {
				d := c.Offs[i] - next
				if d >= bits*word || d%word != 0 {
					break
				}
				bitmap |= 1 << (d / word)
			}
			if bitmap == 0 {
				break
			}
			w.Addr(bitmap<<1 | 1)
			next += bits * word
		}
	}
	return w.B
}

func (c Relr) wants(e *Env) wants {
	return wants{typ: shtRELR, align: e.Word(), entsize: e.Word()}
}
