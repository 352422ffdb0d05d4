package elffile

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// systemRoots returns where to look for files, and that every n-th is to be
// taken: the given folders, or with ELFWRIGHT_SWEEP all of /usr, or with
// ELFWRIGHT_SAMPLES all of the folders that it names (separated by colons).
func systemRoots(n uint32, roots ...string) ([]string, uint32) {
	if dirs := os.Getenv("ELFWRIGHT_SAMPLES"); dirs != "" {
		return filepath.SplitList(dirs), 1
	}
	if sweep() {
		return []string{"/usr"}, 1
	}
	return roots, n
}

// regular lists the regular files below a directory, which is walked once for all
// tests.
func regular(root string) []string {
	files.Lock()
	defer files.Unlock()
	if list, ok := files.below[root]; ok {
		return list
	}
	var list []string
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			list = append(list, path)
		}
		return nil // go on with the rest
	})
	files.below[root] = list
	return list
}

var files = struct {
	sync.Mutex
	below map[string][]string
}{below: map[string][]string{}}

// systemFiles yields every n-th ELF file below /usr/lib and more of those in
// /usr/bin; see systemRoots. Which ones is a matter of their names, so that each
// run takes the same.
func systemFiles(t *testing.T, n uint32) iter.Seq2[string, *Mapping] {
	roots, n := systemRoots(n, "/usr/bin", "/usr/lib")
	return func(yield func(string, *Mapping) bool) {
		count := 0
		for _, root := range roots {
			every := n
			if root == "/usr/bin" {
				every = n/8 + 1
			}
			for _, path := range regular(root) {
				if crc32.ChecksumIEEE([]byte(path))%every != 0 {
					continue
				}
				m, err := Map(path)
				if err != nil {
					continue
				}
				more := true
				if IsELF(m.Bytes()) {
					count++
					more = yield(path, m)
				}
				m.Close()
				if !more {
					return
				}
			}
		}
		t.Logf("%d ELF files", count)
		if count == 0 {
			t.Error("no ELF file found")
		}
	}
}

// TestSystemAgainstDebugELF compares every view with the reader of the standard
// library, and the views by PT_DYNAMIC with those by section headers.
func TestSystemAgainstDebugELF(t *testing.T) {
	t.Parallel()
	for path, m := range systemFiles(t, 23) {
		std, err := elf.NewFile(bytes.NewReader(m.Bytes()))
		if err != nil {
			t.Logf("%s: debug/elf: %v", path, err)
			continue
		}
		f, err := Parse(path, m.Bytes())
		if err != nil {
			t.Error(err)
			continue
		}
		c := comparison{t, f, std}
		c.headers()
		c.symbols()
		c.dynamic()
		c.versions()
		c.relocs()
		c.hashes()
	}
}

type comparison struct {
	*testing.T
	f   *File
	std *elf.File
}

// ok reports err unless it is nil.
func (c *comparison) ok(err error) {
	c.Helper()
	if err != nil {
		c.Error(err)
	}
}

func (c *comparison) headers() {
	f, std := c.f, c.std
	c.ok(errors.Join(f.HeaderErr, f.ProgErr, f.SectionErr()))
	if std.Type != f.Header.Type || std.Machine != f.Header.Machine || std.Entry != f.Header.Entry || std.Class != f.Class || std.Data != f.Data {
		c.Errorf("%s: header %+v, debug/elf %+v", f.Name, f.Header, std.FileHeader)
	}
	for i, p := range std.Progs {
		if q := f.Progs[i]; (elf.ProgHeader{Type: q.Type, Flags: q.Flags, Off: q.Off, Vaddr: q.Vaddr, Paddr: q.Paddr, Filesz: q.Filesz, Memsz: q.Memsz, Align: q.Align}) != p.ProgHeader {
			c.Errorf("%s: program header %d: %+v, debug/elf %+v", f.Name, i, q, p.ProgHeader)
		}
	}
	if len(std.Progs) != len(f.Progs) || len(std.Sections) != len(f.Sections()) {
		c.Fatalf("%s: %d program and %d section headers, debug/elf %d and %d", f.Name, len(f.Progs), len(f.Sections()), len(std.Progs), len(std.Sections))
	}
	for i, s := range std.Sections {
		q := f.Sections()[i]
		size := q.Size
		if h, ok, _ := f.Compressed(i); ok && !h.Gnu {
			size, q.Addralign = h.Size, h.Addralign // debug/elf gives those of the contents
		}
		if s.Name != f.SectionName(i) || s.Type != q.Type || uint64(s.Flags) != q.Flags || s.Addr != q.Addr || s.Offset != q.Off || s.Size != size ||
			s.Link != q.Link || s.Info != q.Info || s.Addralign != q.Addralign || s.Entsize != q.Entsize {
			c.Errorf("%s: section header %d %s: %+v, debug/elf %+v", f.Name, i, f.SectionName(i), q, s.SectionHeader)
		}
	}
}

func (c *comparison) symbols() {
	for _, x := range []struct {
		typ  elf.SectionType
		read func() ([]elf.Symbol, error)
	}{{elf.SHT_SYMTAB, c.std.Symbols}, {elf.SHT_DYNSYM, c.std.DynamicSymbols}} {
		i := c.f.SectionByType(x.typ)
		if i < 0 {
			continue
		}
		want, err := x.read()
		if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
			c.Logf("%s: debug/elf: %v", c.f.Name, err)
			continue
		}
		got, err := c.f.SymbolTable(i)
		c.ok(err)
		c.sameSymbols(got, want)
		if x.typ == elf.SHT_DYNSYM && c.f.SectionByType(elf.SHT_DYNAMIC) >= 0 {
			got, err := c.f.DynamicSymbolTable()
			c.ok(err)
			c.sameSymbols(got, want)
		}
	}
}

func (c *comparison) sameSymbols(t *SymbolTable, want []elf.Symbol) {
	if t.Len() != len(want)+1 { // debug/elf leaves out the null symbol
		c.Errorf("%s: %d symbols by %s, debug/elf %d", c.f.Name, t.Len(), t.CountBy, len(want)+1)
		return
	}
	for i, w := range want {
		s := t.At(i + 1)
		if string(t.Name(s)) != w.Name || s.Info != w.Info || s.Other != w.Other || t.Section(i+1) != uint32(w.Section) || s.Value != w.Value || s.Size != w.Size {
			c.Errorf("%s: symbol %d: %+v %s, debug/elf %+v", c.f.Name, i+1, s, t.Name(s), w)
			return
		}
	}
}

func (c *comparison) dynamic() {
	d, err := c.f.Dynamic()
	c.ok(err)
	for _, e := range d.Entries {
		if e.Tag == elf.DT_NULL {
			continue
		}
		want, err := c.std.DynValue(e.Tag)
		if err != nil || len(want) == 0 {
			c.Errorf("%s: debug/elf does not find %v: %v", c.f.Name, e.Tag, err)
			return
		}
		if v, _ := d.Value(e.Tag); v != want[len(want)-1] {
			c.Errorf("%s: %v is 0x%x, debug/elf 0x%x", c.f.Name, e.Tag, v, want)
		}
	}
	libs, _ := c.std.ImportedLibraries()
	var got []string
	for _, e := range d.Entries {
		if e.Tag == elf.DT_NEEDED {
			got = append(got, string(d.String(e.Val)))
		}
	}
	if !slices.Equal(got, libs) {
		c.Errorf("%s: needs %q, debug/elf %q", c.f.Name, got, libs)
	}
}

func (c *comparison) versions() {
	v, err := c.f.Versions()
	c.ok(errors.Join(err, v.Check()))
	if v.SymbolsOff < 0 {
		return
	}
	want, _ := c.std.DynamicSymbols()
	for i, w := range want {
		index, hidden := v.Symbol(i + 1)
		if index != w.VersionIndex.Index() || hidden != w.VersionIndex.IsHidden() {
			c.Errorf("%s: dynamic symbol %d: version index %d, hidden %v, debug/elf %d", c.f.Name, i+1, index, hidden, w.VersionIndex)
			return
		}
		if name := string(v.Name(index)); index > 1 && name != w.Version || string(v.File(index)) != w.Library {
			c.Errorf("%s: dynamic symbol %d: version %q from %q, debug/elf %q from %q", c.f.Name, i+1, name, v.File(index), w.Version, w.Library)
			return
		}
	}
	defs, _ := c.std.DynamicVersions()
	for i, d := range v.Defs {
		if len(defs) != len(v.Defs) || defs[i].Name != string(d.Name()) || defs[i].Index != d.Index || len(defs[i].Deps) != len(d.Names)-1 {
			c.Errorf("%s: version definition %d: %+v, debug/elf %+v", c.f.Name, i, d, defs)
			return
		}
	}
	needs, _ := c.std.DynamicVersionNeeds()
	for i, n := range v.Needs {
		if len(needs) != len(v.Needs) || needs[i].Name != string(n.File) || len(needs[i].Needs) != len(n.Aux) {
			c.Errorf("%s: version need %d: %+v, debug/elf %+v", c.f.Name, i, n, needs)
			return
		}
	}
}

// relocs compares with the structures of debug/elf, which has no reader for
// relocations of its own, and the tables of the dynamic section with sections.
func (c *comparison) relocs() {
	at := make(map[int64]int)
	for i, s := range c.std.Sections {
		if s.Type != elf.SHT_REL && s.Type != elf.SHT_RELA {
			continue
		}
		t, err := c.f.RelocTable(i)
		c.ok(err)
		at[t.Offset] += t.Len()
		data, _ := c.f.SectionData(i)
		want := stdRelocs(c.std, s.Type, data)
		if len(want) != t.Len() {
			c.Errorf("%s: section %s: %d relocations, debug/elf %d", c.f.Name, s.Name, t.Len(), len(want))
			return
		}
		for i := range want {
			if got := t.At(i); got != want[i] && c.std.Machine != elf.EM_MIPS {
				c.Errorf("%s: section %s: relocation %d: %+v, debug/elf %+v", c.f.Name, s.Name, i, got, want[i])
				return
			}
		}
	}
	tables, err := c.f.DynamicRelocTables()
	c.ok(err)
	for _, t := range tables {
		// ld.so is told one table where the linker made two sections.
		if n, ok := at[t.Offset]; t.packed == nil && t.Len() > 0 && len(c.std.Sections) > 0 && (!ok || n > t.Len()) {
			c.Errorf("%s: %s at 0x%x: %d relocations, the section there has %d", c.f.Name, t.Name, t.Offset, t.Len(), n)
		}
	}
}

// hashes looks every symbol up that a hash table should know.
func (c *comparison) hashes() {
	t, _ := c.f.DynamicSymbolTable()
	sh, err := c.f.SysvHash()
	c.ok(err)
	gh, err := c.f.GnuHash()
	c.ok(err)
	if sh != nil && sh.Count() != uint64(t.Len()) || gh != nil && gh.Count() > uint64(t.Len()) {
		c.Errorf("%s: %d symbols by %s, hash tables of %+v, %+v", c.f.Name, t.Len(), t.CountBy, sh, gh)
	}
	for i := 1; i < t.Len(); i++ {
		s := t.At(i)
		if s.Shndx == 0 || s.Bind() == elf.STB_LOCAL {
			continue
		}
		name := string(t.Name(s))
		if sh != nil {
			if x, ok := sh.Lookup(name); !ok || string(t.Name(t.At(x))) != name {
				c.Errorf("%s: DT_HASH does not know %s: %d, %v", c.f.Name, name, x, ok)
				return
			}
		}
		if gh != nil && i >= int(gh.SymOffset) {
			if x, ok := gh.Lookup(name); !ok || string(t.Name(t.At(x))) != name {
				c.Errorf("%s: DT_GNU_HASH does not know %s: %d, %v", c.f.Name, name, x, ok)
				return
			}
		}
	}
}

func stdRelocs(f *elf.File, t elf.SectionType, data []byte) []Reloc {
	var out []Reloc
	r := bytes.NewReader(data)
	for r.Len() > 0 {
		var x Reloc
		switch {
		case f.Class == elf.ELFCLASS64 && t == elf.SHT_RELA:
			var e elf.Rela64
			if binary.Read(r, f.ByteOrder, &e) != nil {
				return out
			}
			x = Reloc{Off: e.Off, Sym: elf.R_SYM64(e.Info), Type: elf.R_TYPE64(e.Info), Addend: e.Addend}
		case f.Class == elf.ELFCLASS64:
			var e elf.Rel64
			if binary.Read(r, f.ByteOrder, &e) != nil {
				return out
			}
			x = Reloc{Off: e.Off, Sym: elf.R_SYM64(e.Info), Type: elf.R_TYPE64(e.Info)}
		case t == elf.SHT_RELA:
			var e elf.Rela32
			if binary.Read(r, f.ByteOrder, &e) != nil {
				return out
			}
			x = Reloc{Off: uint64(e.Off), Sym: elf.R_SYM32(e.Info), Type: elf.R_TYPE32(e.Info), Addend: int64(e.Addend)}
		default:
			var e elf.Rel32
			if binary.Read(r, f.ByteOrder, &e) != nil {
				return out
			}
			x = Reloc{Off: uint64(e.Off), Sym: elf.R_SYM32(e.Info), Type: elf.R_TYPE32(e.Info)}
		}
		out = append(out, x)
	}
	return out
}

// TestSystemLossless is the promise of the package: encoding what was parsed
// gives the same bytes.
func TestSystemLossless(t *testing.T) {
	t.Parallel()
	for path, m := range systemFiles(t, 11) {
		f, err := Parse(path, m.Bytes())
		if err != nil {
			t.Error(err)
			continue
		}
		f.Sections()
		if err := encoded(f, m.Bytes()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSystemVisit visits every view of some system files: nothing may be
// reported of files that work.
func TestSystemVisit(t *testing.T) {
	for path, m := range systemFiles(t, 61) {
		f, err := Parse(path, m.Bytes())
		if err != nil {
			t.Error(err)
			continue
		}
		v := &visitor{limit: 300, contents: 1 << 30}
		v.visit(f)
		if err := errors.Join(v.errs...); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
