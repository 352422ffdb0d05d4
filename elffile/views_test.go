package elffile

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"elfwright/internal/elftest"
)

// visitor looks at everything a file has, the way a program that shows it does.
// It keeps the errors it was given and looks at no more than limit entries of a
// table.
type visitor struct {
	limit    int
	contents uint64 // bytes that a compressed section may have
	errs     []error
	sum      uint64 // of what was seen, so that nothing is left out unseen
}

func (v *visitor) err(err error) {
	if err != nil {
		v.errs = append(v.errs, err)
		v.bytes([]byte(err.Error()))
	}
}

func (v *visitor) bytes(b []byte) {
	h := fnv.New64a()
	h.Write(b[:min(len(b), 4096)])
	v.sum = v.sum*31 + h.Sum64()
}

func (v *visitor) n(n int) int { return min(n, v.limit) }

// visit runs over all views of a file.
func (v *visitor) visit(f *File) {
	v.err(f.HeaderErr)
	v.err(f.ProgErr)
	v.err(f.CheckProgs())
	v.err(f.SectionErr())
	v.sum += uint64(f.Phnum()) + f.Shnum() + uint64(f.Shstrndx()) + uint64(f.Header.OSABI()) + uint64(f.Mode())
	v.bytes([]byte(MachineName(f.Header.Machine) + OSABIName(f.Header.Machine, f.Header.OSABI()) + TypeName(f.Header.Type)))
	for i := range v.n(len(f.Progs)) {
		v.prog(f, i)
	}
	for i := range v.n(len(f.Sections())) {
		v.section(f, i)
	}
	v.dynamic(f)
	v.bytes(f.BuildID())
}

func (v *visitor) prog(f *File, i int) {
	p := &f.Progs[i]
	b, err := f.ProgData(i)
	v.err(err)
	v.bytes(b)
	v.bytes([]byte(ProgTypeName(f.Header.Machine, p.Type)))
	if b, err := f.BytesAt(p.Vaddr, min(p.Filesz, 64)); err == nil {
		v.bytes(b)
	}
	if p.Type == elf.PT_NOTE || p.Type == elf.PT_GNU_PROPERTY {
		notes, err := f.ProgNotes(i)
		v.err(err)
		v.notes(notes)
	}
}

func (v *visitor) notes(notes []Note) {
	for _, n := range notes[:v.n(len(notes))] {
		v.bytes([]byte(n.Name))
		v.bytes(n.Desc)
	}
}

func (v *visitor) section(f *File, i int) {
	s := &f.Sections()[i]
	v.bytes([]byte(f.SectionName(i)))
	v.bytes([]byte(SectionTypeName(f.Header.Machine, s.Type) + SectionFlagLetters(f.Header.Machine, s.Flags) + fmt.Sprint(SectionFlagNames(f.Header.Machine, s.Flags))))
	b, err := f.SectionData(i)
	v.err(err)
	v.bytes(b)
	if _, ok, err := f.Compressed(i); ok || err != nil {
		b, _, err := f.Uncompress(i, v.contents)
		v.err(err)
		v.bytes(b)
	}
	switch {
	case s.Type == elf.SHT_SYMTAB || s.Type == elf.SHT_DYNSYM:
		t, err := f.SymbolTable(i)
		v.err(err)
		v.symbols(f, t)
	case IsRelocSection(s.Type):
		t, err := f.RelocTable(i)
		v.err(err)
		v.relocs(t)
	case s.Type == elf.SHT_NOTE:
		notes, err := f.SectionNotes(i)
		v.err(err)
		v.notes(notes)
	case s.Type == elf.SHT_GROUP:
		flags, sig, members, err := f.Group(i)
		v.err(err)
		v.bytes([]byte(sig))
		v.sum += uint64(flags) + uint64(len(members))
	}
}

func (v *visitor) symbols(f *File, t *SymbolTable) {
	for i := range v.n(t.Len()) {
		s := t.At(i)
		v.bytes(t.Name(s))
		v.sum += s.Value + s.Size + uint64(t.Section(i))
		v.bytes([]byte(SymBindName(s.Bind()) + SymTypeName(f.Header.Machine, s.Type()) + VisibilityName(s.Visibility()) + SectionIndexName(f.Header.Machine, s.Shndx)))
	}
}

func (v *visitor) relocs(t *RelocTable) {
	i := 0
	for r := range t.All() {
		if i == v.limit {
			break
		}
		v.sum += r.Off + uint64(r.Sym) + uint64(r.Type) + uint64(r.Addend)
		if i%97 == 0 && t.At(i) != r {
			panic(fmt.Sprintf("relocation %d of %s: At gives %+v, All %+v", i, t.Name, t.At(i), r))
		}
		i++
	}
	if i != v.n(t.Len()) {
		panic(fmt.Sprintf("%s: All gave %d relocations, Len is %d", t.Name, i, t.Len()))
	}
	if t.Len() > 0 {
		v.sum += t.At(t.Len() - 1).Off
	}
}

func (v *visitor) dynamic(f *File) {
	d, err := f.Dynamic()
	v.err(err)
	for _, e := range d.Entries[:v.n(len(d.Entries))] {
		v.bytes([]byte(DynTagName(f.Header.Machine, e.Tag)))
		v.bytes(d.String(e.Val))
	}
	t, err := f.DynamicSymbolTable()
	v.err(err)
	v.symbols(f, t)
	tables, err := f.DynamicRelocTables()
	v.err(err)
	for _, t := range tables {
		v.relocs(t)
	}
	v.versions(f)
	sh, err := f.SysvHash()
	v.err(err)
	gh, err := f.GnuHash()
	v.err(err)
	for i := range v.n(t.Len()) {
		name := string(t.Name(t.At(i)))
		if sh != nil {
			x, _ := sh.Lookup(name)
			v.sum += uint64(x)
		}
		if gh != nil {
			x, _ := gh.Lookup(name)
			v.sum += uint64(x)
		}
	}
}

func (v *visitor) versions(f *File) {
	ver, err := f.Versions()
	v.err(err)
	v.err(ver.Check())
	for i := range v.n(ver.Len()) {
		index, hidden := ver.Symbol(i)
		v.bytes(ver.Name(index))
		v.bytes(ver.File(index))
		if hidden {
			v.sum++
		}
	}
}

// encoded checks that encoding gives back the bytes that were parsed, also after
// what Encode must write was destroyed in the body.
func encoded(f *File, data []byte) error {
	for _, destroy := range []bool{false, true} {
		if destroy {
			clobber(f)
		}
		enc := f.Encode()
		if enc.Size() != int64(len(data)) {
			return fmt.Errorf("encode(parse(f)) has 0x%x bytes, f 0x%x", enc.Size(), len(data))
		}
		got := make([]byte, len(data))
		if n, err := enc.ReadAt(got, 0); n != len(got) {
			return fmt.Errorf("read %d of %d encoded bytes: %w", n, len(got), err)
		}
		if i := firstDiff(got, data); i >= 0 {
			return fmt.Errorf("encode(parse(f)) differs from f at 0x%x: %x, not %x (tables destroyed: %v)", i, got[i], data[i], destroy)
		}
	}
	return nil
}

func firstDiff(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

// look parses, visits and encodes; it reports what must not be, with the time it
// took.
func look(t testing.TB, name string, data []byte) (*visitor, *File) {
	t.Helper()
	start := time.Now()
	v := &visitor{limit: 2000, contents: 1 << 20}
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", name, r)
			panic(r)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}()
	f, err := Parse(name, data)
	if err != nil {
		if f != nil {
			t.Errorf("%s: both a file and an error: %v", name, err)
		}
		v.err(err)
		return v, nil
	}
	v.visit(f)
	if err := encoded(f, data); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return v, f
}

func TestCorpus(t *testing.T) {
	for name, data := range elftest.WellFormed() {
		v, f := look(t, name, data)
		if f == nil {
			t.Errorf("%s: %v", name, v.errs)
			continue
		}
		if err := errors.Join(v.errs...); err != nil {
			t.Errorf("good file %s: %v", name, err)
		}
	}
	for name, data := range elftest.Malformed() {
		v, _ := look(t, name, data)
		for _, err := range v.errs {
			checkPlaced(t, name, err)
		}
	}
}

// checkPlaced checks that an error tells file, structure and place.
func checkPlaced(t *testing.T, file string, err error) {
	t.Helper()
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			checkPlaced(t, file, e)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Errorf("%s: not an *Error: %v", file, err)
		return
	}
	if e.Struct == "" && !strings.HasPrefix(e.Msg, "and ") || e.Msg == "" || e.File == "" {
		t.Errorf("%s: error without file, structure or message: %+v: %v", file, *e, err)
	}
}

// TestMutants looks at broken neighbours of good files. ELFWRIGHT_SWEEP takes
// all of them, otherwise it is a sample.
func TestMutants(t *testing.T) {
	t.Parallel()
	sample := 150
	if sweep() {
		sample = 1 << 30
	}
	n := 0
	for name, data := range elftest.WellFormed() {
		left := sample
		for what, mutant := range elftest.Mutate(1, data) {
			if left--; left < 0 {
				break
			}
			n++
			look(t, name+": "+what, mutant)
		}
	}
	t.Logf("%d mutants", n)
}

// TestNoAllocations: entries of tables are decoded without one.
func TestNoAllocations(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Shared(k))
		syms, err := f.DynamicSymbolTable()
		if err != nil {
			t.Fatal(err)
		}
		tables, err := f.DynamicRelocTables()
		if err != nil {
			t.Fatal(err)
		}
		v, err := f.Versions()
		if err != nil {
			t.Fatal(err)
		}
		var sum uint64
		n := testing.AllocsPerRun(10, func() {
			for i := range syms.Len() {
				index, _ := v.Symbol(i)
				sum += uint64(len(syms.Name(syms.At(i)))) + uint64(syms.Section(i)) + uint64(len(v.Name(index)))
			}
			for _, tab := range tables {
				for i := range tab.Len() {
					sum += tab.At(i).Off
				}
				for r := range tab.All() {
					sum += r.Off
				}
			}
		})
		if n > 5*float64(len(tables)) { // what an iterator costs, once a table
			t.Errorf("%v allocations for %d symbols and %d tables", n, syms.Len(), len(tables))
		}
		sink += byte(sum)
	})
}
