package compare

import (
	"bytes"
	"debug/elf"
	"errors"
	"hash/maphash"
	"strings"

	"elfwright/elffile"
)

// symbolTables finds a file's symbol tables: of the sections, or, without any,
// as PT_DYNAMIC names it.
func symbolTables(f *elffile.File) (symtab, dynsym *elffile.SymbolTable, err error) {
	var faults []error
	for i, s := range f.Sections() {
		var to **elffile.SymbolTable
		switch s.Type {
		case elf.SHT_SYMTAB:
			to = &symtab
		case elf.SHT_DYNSYM:
			to = &dynsym
		default:
			continue
		}
		if *to == nil {
			t, err := f.SymbolTable(i)
			*to = t
			faults = append(faults, elffile.Leaves(err)...)
		}
	}
	if dynsym == nil {
		t, err := f.DynamicSymbolTable()
		if t.Len() > 0 {
			dynsym = t
		}
		faults = append(faults, elffile.Leaves(err)...)
	}
	return symtab, dynsym, errors.Join(faults...)
}

// matchSymbols reads the symbols of both files, those of the best table that
// both have, and pairs them.
func (c *comparison) matchSymbols() {
	oldSym, oldDyn, err := symbolTables(c.a.f)
	c.warn(c.a.f, err)
	newSym, newDyn, err := symbolTables(c.b.f)
	c.warn(c.b.f, err)
	c.symbolTable(".symtab", oldSym, newSym)
	c.symbolTable(".dynsym", oldDyn, newDyn)
	switch {
	case oldSym != nil && newSym != nil:
		c.a.readSymbols(oldSym, ".symtab")
		c.b.readSymbols(newSym, ".symtab")
	case oldSym != nil && c.laidOutAlike():
		c.lend(c.a, c.b, oldSym)
	case newSym != nil && c.laidOutAlike():
		c.lend(c.b, c.a, newSym)
	case oldDyn != nil && newDyn != nil:
		c.a.readSymbols(oldDyn, ".dynsym")
		c.b.readSymbols(newDyn, ".dynsym")
	}
	c.pairSymbols()
	c.oldDyn, c.newDyn = oldDyn, newDyn
}

// symbolTable notes that only one file has a table.
func (c *comparison) symbolTable(name string, old, new *elffile.SymbolTable) {
	count := func(t *elffile.SymbolTable) Value { return num(uint64(max(t.Len()-1, 0))) }
	switch {
	case old == nil && new != nil:
		c.Symbols.Tables = append(c.Symbols.Tables, Entry{Change: Added, Name: name, Fields: []Field{{"symbols", nil, count(new).ptr()}}})
	case old != nil && new == nil:
		c.Symbols.Tables = append(c.Symbols.Tables, Entry{Change: Removed, Name: name, Fields: []Field{{"symbols", count(old).ptr(), nil}}})
	}
}

// laidOutAlike says whether everything that has an address has the same one in
// both files: then the symbols of one, where the other was stripped, name what
// is in both.
func (c *comparison) laidOutAlike() bool {
	if c.a.rel || c.b.rel {
		return false
	}
	alike := func(x, y *model, partner []int32) bool {
		for i := range x.areas {
			if a := &x.areas[i]; a.alloc && a.kind == inSection {
				j := partner[i]
				if j == none || y.areas[j].addr != a.addr || y.areas[j].size != a.size {
					return false
				}
			}
		}
		return true
	}
	return alike(c.a, c.b, c.areas.toNew) && alike(c.b, c.a, c.areas.toOld)
}

// lend gives one file's symbols to the other, for naming bytes.
func (c *comparison) lend(from, to *model, t *elffile.SymbolTable) {
	c.lent = true
	partner := c.areas.toNew
	if from == c.b {
		partner = c.areas.toOld
	}
	from.readSymbols(t, ".symtab")
	to.table, to.sources = from.table, from.sources
	to.syms = make([]symbol, len(from.syms))
	for i, s := range from.syms {
		if s.area != none {
			if s.area = partner[s.area]; s.area == none || s.off > to.areas[s.area].size {
				s.area, s.off = none, 0
			}
		}
		to.syms[i] = s
	}
	to.cut()
}

// pairSymbols pairs the symbols in passes, from all that is known of one to the
// least by which people would call it the same.
func (c *comparison) pairSymbols() {
	x, y := c.a.syms, c.b.syms
	p := newPairing(len(x), len(y))
	c.syms = p
	if len(x) == 0 || len(y) == 0 {
		return
	}
	if c.lent {
		for i := range x {
			p.join(i, i)
		}
		return
	}
	c.trim(p)
	type key struct {
		name, source string
		area         int32 // of the pair, by the old one
		typ          elf.SymType
		size         uint64
	}
	by := func(of func(s *symbol, area int32) (key, bool)) {
		pass(p,
			func(i int) (key, bool) { return of(&x[i], x[i].area) },
			func(j int) (key, bool) { return of(&y[j], c.oldArea(y[j].area)) })
	}
	by(func(s *symbol, area int32) (key, bool) { return key{s.name, s.source, area, s.typ(), s.size}, true })
	by(func(s *symbol, area int32) (key, bool) { return key{name: s.name, source: s.source, area: area}, true })
	by(func(s *symbol, area int32) (key, bool) { return key{name: s.name, area: area}, true })
	by(func(s *symbol, _ int32) (key, bool) { return key{name: s.name}, true })
	by(func(s *symbol, area int32) (key, bool) {
		name, changed := plainName(s.name, false)
		return key{name: name, source: s.source, area: area, typ: s.typ()}, changed
	})
	by(func(s *symbol, area int32) (key, bool) {
		name, _ := plainName(s.name, true)
		return key{name: name, area: area, typ: s.typ()}, s.area != none
	})
	c.pairByBytes()
}

// oldArea is the partner of a new area; one without gets a number of its own.
func (c *comparison) oldArea(j int32) int32 {
	if j == none {
		return none
	}
	if i := c.areas.toOld[j]; i != none {
		return i
	}
	return -2 - j
}

// trim pairs the symbols at the start of both tables that are the same: of
// files that differ little, nearly all, and without a map.
func (c *comparison) trim(p *pairing) {
	for i := range min(len(p.toNew), len(p.toOld)) {
		s, t := &c.a.syms[i], &c.b.syms[i]
		if s.name != t.name || s.source != t.source || s.size != t.size || s.info != t.info || s.area != c.oldArea(t.area) {
			return
		}
		p.join(i, i)
	}
}

// plainName is a name without what compilers append to tell copies of one
// function apart: without the number, or, with strip, without the word. A part
// of a function that was split off (.cold, .part) stays one. changed says
// whether anything was taken away.
func plainName(name string, strip bool) (plain string, changed bool) {
	plain = withoutRustHash(name)
	for {
		i := strings.LastIndexByte(plain, '.')
		if i <= 0 {
			break
		}
		last := plain[i+1:]
		if !isNumber(last) {
			if strip && isCloneWord(last) {
				plain = plain[:i]
				continue
			}
			break
		}
		if j := strings.LastIndexByte(plain[:i], '.'); j > 0 && (isCloneWord(plain[j+1:i]) || isPartWord(plain[j+1:i])) {
			if plain = plain[:i]; strip || isPartWord(plain[j+1:]) {
				continue
			}
			plain += "."
			break
		}
		plain = plain[:i] // a static variable of a function: counter.0
	}
	return plain, plain != name
}

// isCloneWord are the suffixes of functions that replace the one they were made
// of (GCC: clone_function_name; LLVM: ".llvm." of ThinLTO's promoted names).
func isCloneWord(s string) bool {
	switch s {
	case "constprop", "isra", "lto_priv", "llvm", "localalias", "clone", "simdclone", "__uniq", "memprof":
		return true
	}
	return false
}

func isPartWord(s string) bool { return s == "part" || s == "cold" || s == "split" }

func isNumber(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f' || len(s) < 16) {
			return false
		}
	}
	return s != ""
}

// withoutRustHash drops the hash of Rust's names: "17h" and sixteen digits
// before the E of the legacy scheme, the disambiguators of crates in the v0
// scheme (RFC 2603, "Cs" and a base-62 number that ends with "_").
func withoutRustHash(name string) string {
	if strings.HasPrefix(name, "_ZN") && strings.HasSuffix(name, "E") {
		if n := len(name) - 1 - 19; n > 3 && strings.HasPrefix(name[n:], "17h") && isHash(name[n+3:n+19]) {
			return name[:n] + "E"
		}
	}
	if !strings.HasPrefix(name, "_R") {
		return name
	}
	var b strings.Builder
	for {
		i := strings.Index(name, "Cs")
		if i < 0 {
			break
		}
		end := i + 2
		for end < len(name) && name[end] != '_' && isBase62(name[end]) {
			end++
		}
		if end == len(name) || name[end] != '_' {
			b.WriteString(name[:i+2])
			name = name[i+2:]
			continue
		}
		b.WriteString(name[:i+1])
		name = name[end+1:]
	}
	b.WriteString(name)
	return b.String()
}

func isBase62(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isHash(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// minRenamed is how many equal bytes make two symbols of different names the
// same one.
const minRenamed = 16

// pairByBytes pairs what is left by size and bytes, where there is but one of
// each in both files: a function or a table that got another name.
func (c *comparison) pairByBytes() {
	type key struct {
		area int32
		typ  elf.SymType
		size uint64
		hash uint64
	}
	seed := maphash.MakeSeed()
	keys := func(m *model, partner []int32, area func(int32) int32) map[int32]key {
		found := make(map[int32]key)
		count := make(map[key]int)
		for i := range m.syms {
			s := &m.syms[i]
			if partner[i] != none || s.area == none || s.canon != int32(i) || s.size < minRenamed {
				continue
			}
			b := m.symbolBytes(s)
			if b == nil || bytes.Count(b, b[:1]) == len(b) {
				continue
			}
			k := key{area(s.area), s.typ(), s.size, maphash.Bytes(seed, b)}
			found[int32(i)] = k
			count[k]++
		}
		for i, k := range found {
			if count[k] > 1 {
				delete(found, i)
			}
		}
		return found
	}
	old := keys(c.a, c.syms.toNew, func(i int32) int32 { return i })
	new := keys(c.b, c.syms.toOld, c.oldArea)
	pass(c.syms, func(i int) (key, bool) { k, ok := old[int32(i)]; return k, ok }, func(j int) (key, bool) { k, ok := new[int32(j)]; return k, ok })
}

// symbolBytes is what the file has of a symbol; nil if that is not all of it.
func (m *model) symbolBytes(s *symbol) []byte {
	if s.area == none || s.size == 0 {
		return nil
	}
	d := m.areas[s.area].data
	if s.off > uint64(len(d)) || s.size > uint64(len(d))-s.off {
		return nil
	}
	return d[s.off : s.off+s.size]
}
