package patch

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"path"
	"slices"

	"elfwright/elffile"
)

// A symbol is a defined symbol of one of the files.
type symbol struct {
	name  string
	value uint64
	size  uint64
	bind  elf.SymBind
	typ   elf.SymType
	shndx uint32
	from  *table
	src   string // of a local symbol: the STT_FILE it follows
}

// String tells a symbol for a list of candidates.
func (s *symbol) String() string {
	where := ""
	if s.src != "" {
		where = ", of " + s.src
	}
	return fmt.Sprintf("%s: %s %s at 0x%x, 0x%x bytes%s (%s)", s.name, bindName(s.bind), typeName(s.typ), s.value, s.size, where, s.from)
}

func bindName(b elf.SymBind) string {
	switch b {
	case elf.STB_LOCAL:
		return "local"
	case elf.STB_WEAK:
		return "weak"
	}
	return "global"
}

func typeName(t elf.SymType) string {
	switch t {
	case elf.STT_NOTYPE:
		return "label"
	case elf.STT_OBJECT, elf.STT_COMMON:
		return "object"
	case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		return "function"
	case elf.STT_TLS:
		return "thread-local object"
	}
	return fmt.Sprintf("symbol of type %d", t)
}

// rank orders by what a name most likely means: less is better.
func (s *symbol) rank() int {
	switch s.bind {
	case elf.STB_LOCAL:
		return 2
	case elf.STB_WEAK:
		return 1
	}
	return 0 // STB_GLOBAL, STB_GNU_UNIQUE
}

// A table is a symbol table with its strings, both as windows that are read in
// pieces: the tables of a debug file may be larger than what may be in memory.
type table struct {
	f      *elffile.File
	name   string // ".symtab", or "dynamic symbols" where no section has them
	syms   elffile.Data
	strs   elffile.Data
	stride int
	shndx  elffile.Data // SHT_SYMTAB_SHNDX, or nil
}

func (t *table) String() string { return t.f.Name + " " + t.name }

// tables returns the symbol tables of a file: .symtab, then .dynsym, and where
// no section has that, the one that PT_DYNAMIC leads to.
func tables(f *elffile.File) []*table {
	var list []*table
	for _, typ := range []elf.SectionType{elf.SHT_SYMTAB, elf.SHT_DYNSYM} {
		if i := f.SectionByType(typ); i >= 0 {
			if t := sectionTable(f, i); t != nil {
				list = append(list, t)
			}
		}
	}
	if len(list) > 0 && f.SectionByType(elf.SHT_DYNSYM) >= 0 {
		return list
	}
	if t, _ := f.DynamicSymbolTable(); t.Len() > 0 && t.Offset >= 0 {
		n := int64(t.Len() * f.SymSize())
		if n <= f.Body.Size()-t.Offset {
			list = append(list, &table{f: f, name: "dynamic symbols", syms: f.Body.Window(t.Offset, n), strs: elffile.Buffer(t.Strings), stride: f.SymSize()})
		}
	}
	return list
}

func sectionTable(f *elffile.File, i int) *table {
	secs := f.Sections()
	s := &secs[i]
	if int64(s.Link) >= int64(len(secs)) || s.Entsize != uint64(f.SymSize()) || s.Has(elf.SHF_COMPRESSED) {
		return nil
	}
	t := &table{f: f, name: f.SectionName(i), syms: fileWindow(f, s), strs: fileWindow(f, &secs[s.Link]), stride: f.SymSize()}
	for k := range secs {
		if x := &secs[k]; x.Type == elf.SHT_SYMTAB_SHNDX && int64(x.Link) == int64(i) {
			t.shndx = fileWindow(f, x)
		}
	}
	return t
}

// fileWindow is what the file has of a section's bytes.
func fileWindow(f *elffile.File, s *elffile.Section) elffile.Data {
	size := uint64(f.Body.Size())
	if !s.HasBytes() || s.Off >= size {
		return elffile.Zeros(0)
	}
	return f.Body.Window(int64(s.Off), int64(min(s.Size, size-s.Off)))
}

// pieces is how much of a table is read at a time.
const pieces = 256 << 10

// chunks calls yield with windows of d that overlap by so many bytes, each with
// its position. The buffer is used again.
func chunks(d elffile.Data, overlap int, yield func(pos int64, b []byte) bool) error {
	d = elffile.Pread(d)
	buf := make([]byte, min(int64(pieces+overlap), d.Size()))
	for pos := int64(0); pos < d.Size(); pos += pieces {
		b := buf[:min(int64(len(buf)), d.Size()-pos)]
		if n, err := d.ReadAt(b, pos); n < len(b) {
			return err
		}
		if !yield(pos, b) {
			return nil
		}
	}
	return nil
}

// spots returns where in the string table each of the names ends it with a NUL,
// as a name of its own or as the tail of another, which linkers share.
func (t *table) spots(names []string) ([][]uint32, error) {
	longest := 0
	for _, n := range names {
		longest = max(longest, len(n))
	}
	found := make([][]uint32, len(names))
	err := chunks(t.strs, longest+1, func(pos int64, b []byte) bool {
		for i, n := range names {
			pattern := append([]byte(n), 0)
			for at := 0; ; at++ {
				k := bytes.Index(b[at:], pattern)
				if k < 0 || at+k >= pieces { // the next window has it
					break
				}
				at += k
				if off := pos + int64(at); off <= 1<<32-1 {
					found[i] = append(found[i], uint32(off))
				}
			}
		}
		return true
	})
	return found, err
}

// find returns the defined symbols that have one of the names; the result is
// parallel to names.
func (t *table) find(names []string) ([][]symbol, error) {
	out := make([][]symbol, len(names))
	spots, err := t.spots(names)
	if err != nil {
		return out, err
	}
	err = t.each(func(s *symbol, nameOff uint32, src func() string) bool {
		for i := range names {
			if _, ok := slices.BinarySearch(spots[i], nameOff); ok {
				hit := *s
				hit.name = names[i]
				if s.bind == elf.STB_LOCAL {
					hit.src = src()
				}
				out[i] = append(out[i], hit)
			}
		}
		return true
	})
	return out, err
}

// each calls yield with every symbol that is defined and names something. Its
// name is only an offset; src reads the name of the source file before it.
func (t *table) each(yield func(s *symbol, name uint32, src func() string) bool) error {
	file := uint32(0)
	src := func() string { return t.stringAt(file) }
	syms := elffile.Pread(t.syms)
	step := t.stride
	index := 0
	buf := make([]byte, pieces/step*step)
	var s symbol
	var name uint32
	for pos := int64(0); pos+int64(step) <= syms.Size(); pos += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), (syms.Size()-pos)/int64(step)*int64(step))]
		if n, err := syms.ReadAt(b, pos); n < len(b) {
			return err
		}
		for ; len(b) >= step; b, index = b[step:], index+1 {
			s, name = t.decode(b, index)
			switch {
			case s.typ == elf.STT_FILE:
				file = name
			case s.shndx == 0 || s.typ == elf.STT_SECTION || name == 0:
			case !yield(&s, name, src):
				return nil
			}
		}
	}
	return nil
}

// decode reads a symbol (gABI, "Symbol Table").
func (t *table) decode(b []byte, index int) (symbol, uint32) {
	f := t.f.Format
	s := symbol{from: t}
	info := uint8(0)
	if f.Is64() {
		info, s.shndx, s.value, s.size = b[4], uint32(f.U16(b[6:])), f.U64(b[8:]), f.U64(b[16:])
	} else {
		s.value, s.size, info, s.shndx = uint64(f.U32(b[4:])), uint64(f.U32(b[8:])), b[12], uint32(f.U16(b[14:]))
	}
	if s.shndx == elffile.ShnXindex && t.shndx != nil {
		var w [4]byte
		if n, _ := t.shndx.ReadAt(w[:], int64(index)*4); n == 4 {
			s.shndx = f.U32(w[:])
		}
	}
	s.bind, s.typ = elf.SymBind(info>>4), elf.SymType(info&0xf)
	return s, f.U32(b)
}

// stringAt reads a name, the first 4096 bytes of it.
func (t *table) stringAt(off uint32) string {
	var buf [4096]byte
	n, _ := t.strs.ReadAt(buf[:], int64(off))
	b := buf[:n]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// names calls yield with every string of the string table.
func (t *table) names(yield func(name []byte) bool) error {
	const longest = 4096
	return chunks(t.strs, longest, func(pos int64, b []byte) bool {
		if pos > 0 { // the window before has the string that begins earlier
			i := bytes.IndexByte(b, 0)
			if i < 0 {
				return true
			}
			b = b[i:]
		}
		used := 0
		for len(b) > 0 && used <= pieces {
			i := bytes.IndexByte(b, 0)
			if i < 0 {
				break
			}
			if i > 0 && !yield(b[:i]) {
				return false
			}
			b, used = b[i+1:], used+i+1
		}
		return true
	})
}

// choose picks the symbol that is meant out of those of one name: the best
// binding, and one place. It returns those that are left where there are several.
func choose(list []symbol, src string) []symbol {
	list = slices.Clone(list)
	if src != "" {
		list = slices.DeleteFunc(list, func(s symbol) bool {
			return s.bind != elf.STB_LOCAL || s.src != src && path.Base(s.src) != src
		})
	}
	slices.SortStableFunc(list, func(a, b symbol) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.value, b.value), -cmp.Compare(a.size, b.size))
	})
	if len(list) == 0 {
		return nil
	}
	best := list[0].rank()
	list = slices.DeleteFunc(list, func(s symbol) bool { return s.rank() != best })
	return slices.CompactFunc(list, func(a, b symbol) bool { return a.value == b.value && (a.typ == elf.STT_TLS) == (b.typ == elf.STT_TLS) })
}
